"""Step 5, the only printers."""
