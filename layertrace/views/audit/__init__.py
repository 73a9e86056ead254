"""What an audit found, in the forms people and other programs read."""
