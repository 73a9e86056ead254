"""Images that files were taken from, found in a build cache or the engine by what was copied."""
