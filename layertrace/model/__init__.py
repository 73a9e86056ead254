"""The nouns that several steps share."""
