"""An organization in memory: the reference for the contract suite, the oracle for the engine."""

from connections.connectors.memory.connector import MemoryConnector
from connections.connectors.memory.faults import Fault, Faults
from connections.connectors.memory.organization import MemoryOrganization

__all__ = ["Fault", "Faults", "MemoryConnector", "MemoryOrganization"]
