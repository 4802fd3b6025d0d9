"""Connecting, case by case (mission.md A4): 1a to 1d behind Dynamics, 2a to 2l behind RC1.

RC1 of the second dozen is each of the four; RC2 is new, made as Sales, or made like its RC1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.acceptance.cells import BEHIND_DYNAMICS, BEHIND_RC1
from tests.acceptance.topology import (
    Joint,
    Side,
    Twin,
    clean_up,
    connect,
    make_as_sales,
    make_twin,
)

pytestmark = pytest.mark.django_db
ENTITIES = ("account", "lead")
RECORDS = 3


@dataclass
class Case:
    """One pair, after both sides were changed and carried, and carried once more."""

    server: Side
    client: Side
    had: dict[str, str]
    """What the client had before: accounts by id."""
    first: dict[str, int] = field(default_factory=dict)
    second: dict[str, int] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    echo: dict[str, int] = field(default_factory=dict)
    there: dict[str, dict[str, str]] = field(default_factory=dict)
    here: dict[str, dict[str, str]] = field(default_factory=dict)

    def tell(self, joint: Joint) -> None:
        """Change something on either side, and carry it."""
        self.first = joint.sync()
        account, lead = min(self.server.texts("account")), max(self.server.texts("lead"))
        name = self.client.name
        self.changed = {account: f"Changed on the server of {name}", lead: f"Changed on {name}"}
        self.server.change("account", account, self.changed[account])
        self.client.change("lead", lead, self.changed[lead])
        for side in (self.server, self.client):
            self.changed[side.make("account", f"Made for {name}")] = f"Made for {name}"
        self.second = joint.sync()
        # What it brings is when, by its own clock, the server was written to.
        self.echo = {what: n for what, n in joint.sync().items() if what != "updated"}
        self.there = {name: self.server.texts(name) for name in ENTITIES}
        self.here = {name: self.client.texts(name) for name in ENTITIES}


@dataclass
class World:
    """Two twins, and the organizations of all cases behind them."""

    base: str
    twin: Twin
    other: Twin
    cases: dict[str, Case] = field(default_factory=dict)

    def behind_dynamics(self, name: str, case: str) -> Joint:
        """Make a client as that case says, and connect it to the first twin."""
        kind = BEHIND_DYNAMICS[case]
        if kind.as_sales:
            make_as_sales(name)
        if kind.had_another:
            joint = connect(self.base, self.other, name, *ENTITIES)
            joint.sync()
            joint.disconnect()
        return connect(self.base, self.twin, name, *ENTITIES)

    def add(self, case: str, server: Side, joint: Joint) -> None:
        client = Side(joint.name)
        told = self.cases[case] = Case(server, client, _accounts(client))
        told.tell(joint)


def _accounts(side: Side) -> dict[str, str]:
    return side.texts("account") if side.store.catalog.enabled("account") else {}


def make_client(world: World, name: str, rc1: str, kind: str) -> None:
    """Make RC2 before it is connected to RC1."""
    if kind == "as Sales":
        make_as_sales(name)
    elif kind == "like RC1":
        joint = world.behind_dynamics(name, rc1)
        joint.sync()
        joint.disconnect()


def _twin(base: str, name: str) -> Twin:
    return make_twin(base, name, records=RECORDS)


@pytest.fixture(scope="module")
def cases(served: str) -> Iterator[Mapping[str, Case]]:
    world = World(served, _twin(served, "case-0"), _twin(served, "case-00"))
    for case in BEHIND_DYNAMICS:
        world.add(case, world.twin, world.behind_dynamics(f"case-{case}", case))
    for case, (rc1, kind) in BEHIND_RC1.items():
        name, server = f"case-{case}", Side(f"case-{rc1}")
        make_client(world, name, rc1, kind)
        world.add(case, server, connect(served, server, name, *ENTITIES))
    yield world.cases
    clean_up("case-")


@pytest.mark.parametrize("case", [*BEHIND_DYNAMICS, *BEHIND_RC1])
def test_connecting(case: str, cases: Mapping[str, Case]) -> None:
    told = cases[case]
    for entity in ENTITIES:
        there, here = told.there[entity], told.here[entity]
        assert len(there) >= RECORDS
        assert there.items() <= here.items(), entity
    assert told.changed.items() <= (told.there["account"] | told.there["lead"]).items()
    assert told.had.keys() <= told.here["account"].keys()
    assert (told.second["created"], told.second["pushed"]) == (1, 2)
    assert told.echo == {}
