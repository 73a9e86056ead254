"""What changed between two images, and why."""
