"""Beside the steps: a Dockerfile's text to a Build; knows nothing of images."""
