"""What an image ships for nothing, as text, Markdown and JSON."""
