"""The Resco Cloud connector."""
