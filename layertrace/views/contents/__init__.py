"""Two versions of one file as text, JSON and Markdown."""
