"""Which image to open, where none was named: what was open before, and what lies at hand."""
