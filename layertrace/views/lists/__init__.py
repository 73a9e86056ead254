"""What the lists beside the file tree show, a row each, without a terminal."""
