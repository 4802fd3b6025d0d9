"""Endpoints, connections, which entities each carries, and whether servers are ready."""

from connections.models.connection import Connection, SyncedEntity
from connections.models.definition import ServerDefinition
from connections.models.endpoint import Endpoint
from connections.models.hook import RemoteHook
from connections.models.readiness import ReadinessReport
from connections.models.requests import RequestCap, RequestHour

__all__ = [
    "Connection",
    "Endpoint",
    "ReadinessReport",
    "RemoteHook",
    "RequestCap",
    "RequestHour",
    "ServerDefinition",
    "SyncedEntity",
]
