"""``export``: what the engine has or builds, to one archive on disk."""
