"""What an image ships for nothing, who wrote it, who undid it and what to change."""
