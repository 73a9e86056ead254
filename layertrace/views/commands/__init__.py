"""The commands, one module for what they have in common to load."""
