"""Servers that stand in for others."""
