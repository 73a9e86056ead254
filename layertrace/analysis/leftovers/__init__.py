"""What an image could do without: visible leftovers by rule, and contents it has twice."""
