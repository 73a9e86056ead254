"""A reference and hints to an image whose stages and lines are known, before a layer is read."""
