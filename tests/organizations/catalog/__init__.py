"""The metadata of hosted organizations."""
