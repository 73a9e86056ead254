"""The panes of the Browse screen; each shows rows and decides nothing."""
