"""One content as a page of lines: what it is, what it holds, and how its layers differ."""
