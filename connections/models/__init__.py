"""Endpoints, connections, and which entities each connection carries."""

from connections.models.connection import Connection, SyncedEntity
from connections.models.endpoint import Endpoint

__all__ = ["Connection", "Endpoint", "SyncedEntity"]
