"""How many requests writing takes, as a plan shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.connectors.dynamics.bulk import CREATE, MOST, UPDATE, BulkActions
from connections.connectors.dynamics.client import DynamicsClient
from organizations.records import Action
from organizations.schema import Entity


class Known(BulkActions):
    """Knows the bulk actions without asking."""

    def of(self, entity: str) -> frozenset[str]:
        return frozenset({CREATE, UPDATE}) if entity == "account" else frozenset()


@pytest.fixture
def actions() -> BulkActions:
    return Known(DynamicsClient.__new__(DynamicsClient))


def make_table(name: str = "account") -> Entity:
    return Entity(name=name, primary_id=f"{name}id", attributes=())


@pytest.mark.parametrize(
    ("action", "count", "requests"),
    [
        (Action.CREATE, 0, 0),
        (Action.CREATE, 5, 1),
        (Action.CREATE, MOST, 2),
        (Action.CREATE, MOST + 1, 4),
        (Action.UPDATE, 1000, 5),
        (Action.DELETE, 1000, 5),
    ],
)
def test_it_counts_bulk_calls_and_batches(
    actions: BulkActions, action: Action, count: int, requests: int
) -> None:
    assert actions.requests_for(make_table(), action, count) == requests


def test_it_knows_which_tables_have_no_bulk_actions(actions: BulkActions) -> None:
    assert actions.requests_for(make_table("note"), Action.CREATE, 1000) == 5
    unchecked = replace(make_table(), checks_versions=False)
    assert actions.requests_for(unchecked, Action.UPDATE, 1000) == 4
