"""Which images are the stages of a build: in its cache, among what an engine kept."""
