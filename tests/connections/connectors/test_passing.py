"""The connector that hands everything on hands everything on."""

from __future__ import annotations

import inspect

from connections.connectors.base import Connector
from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.connectors.passing import PassingOn
from tests.syncjobs.engine.world import make_entities

OWNERS = {"limit", "mark"}
"""What only the owner of the inner connector does."""
SUFFICIENT = {
    "definer",
    "definition_changes",
    "estimates",
    "server_facts",
    "unreadable",
    "watcher",
}
"""What no run asks for, or what is made of the rest."""


def test_it_answers_whatever_a_run_asks() -> None:
    public = {
        name
        for name, value in vars(Connector).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert public - set(vars(PassingOn)) <= OWNERS | SUFFICIENT


def test_it_is_what_the_inner_one_is() -> None:
    inner = MemoryConnector(MemoryOrganization.of("server", make_entities()))
    flags = {name for name, value in vars(Connector).items() if isinstance(value, bool)}
    for flag in flags:
        for value in (True, False):
            setattr(inner, flag, value)
            assert getattr(PassingOn(inner), flag) is value
    assert PassingOn(inner).identify() == inner.identify()
