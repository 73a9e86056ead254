"""Step 1, bytes to nouns: the only readers of disk and engine."""
