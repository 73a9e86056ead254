"""What secrets look like: by content, by the name of a file, and in what a build records."""
