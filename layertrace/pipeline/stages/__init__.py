"""Images that a build's files were taken from, found elsewhere than the user named them."""
