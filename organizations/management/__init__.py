"""Commands that make organizations."""
