"""Answers made of a traced image: what is wasted, what changed, what may not ship."""
