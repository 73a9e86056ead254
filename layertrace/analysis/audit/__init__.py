"""Whether an image may ship: a policy's rules, asked of a traced image."""
