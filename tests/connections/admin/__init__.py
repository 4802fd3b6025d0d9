"""The forms and the grid of connections."""
