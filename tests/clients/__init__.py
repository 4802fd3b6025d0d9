"""Clients that others wrote against the real Dataverse, unchanged, against the twin."""
