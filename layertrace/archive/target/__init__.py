"""``extract``: files to a folder on disk, and nowhere else."""
