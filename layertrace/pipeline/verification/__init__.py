"""``verify``: every stored byte of an image, held against all that is said of it."""
