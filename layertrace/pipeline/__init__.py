"""The steps in their order: a reference and hints in, a traced image out."""
