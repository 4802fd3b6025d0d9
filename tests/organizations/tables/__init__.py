"""Physical tables."""
