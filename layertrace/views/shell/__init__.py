"""The prompt that is kept on one image: what it is asked, and its answers a record a line."""
