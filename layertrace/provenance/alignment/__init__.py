"""Layers tied to instructions: by history, Dockerfile and what the builder attested."""
