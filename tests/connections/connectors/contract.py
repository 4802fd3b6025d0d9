"""What every connector must do: one class of tests, run for each of them.

A test class inherits `ConnectorContract` and gives a fixture `place`: an organization with the
metadata of `sample`, seen from behind the connector. Whatever a test does to the organization
through `place`, another user did.
"""

from __future__ import annotations

from tests.connections.connectors.contract_changes import ChangesContract
from tests.connections.connectors.contract_edits import EditsContract
from tests.connections.connectors.contract_filters import FiltersContract
from tests.connections.connectors.contract_reading import ReadingContract
from tests.connections.connectors.contract_writing import WritingContract


class ConnectorContract(
    ReadingContract, ChangesContract, FiltersContract, WritingContract, EditsContract
):
    """The contract. See `connections.connectors.base`."""
