"""Endpoints, connectors, connecting."""
