"""Management commands of connections."""
