"""The filter language: one grammar for the terminal, for commands and for rules."""
