"""The Dynamics connector."""
