"""Step 4, the tracer: who carried each file, and how we know."""
