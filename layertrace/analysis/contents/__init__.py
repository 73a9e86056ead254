"""What the content of a file is, and how two contents differ."""
