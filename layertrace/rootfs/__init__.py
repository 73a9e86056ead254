"""Step 3, indexes folded into the file system a container sees."""
