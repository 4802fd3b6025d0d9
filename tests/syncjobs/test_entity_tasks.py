"""Tasks of a run: what of the metadata both sides agreed on is carried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.models import SyncedEntity
from organizations.schema import VERSION, Attribute, AttributeType, Entity, Origin
from syncjobs import entity_tasks
from syncjobs.engine.values import EntityTask


def make_entity() -> Entity:
    def attribute(name: str, kind: AttributeType = AttributeType.STRING) -> Attribute:
        return Attribute(name=name, type=kind, is_primary_id=name == "accountid")

    return Entity(
        name="account",
        primary_id="accountid",
        attributes=(
            attribute("name"),
            attribute("accountid", AttributeType.UNIQUEIDENTIFIER),
            attribute(VERSION, AttributeType.BIGINT),
            replace(attribute("mine"), origin=Origin.LOCAL),
            replace(attribute("gone"), is_hidden=True),
            replace(attribute("namename"), attribute_of="name"),
        ),
    )


def build(**changes: str) -> EntityTask | entity_tasks.Unbuilt:
    client = MemoryConnector(MemoryOrganization.of("server", [make_entity()]))
    row = SyncedEntity(pk=7, name="account", label="Account", enabled=True, **changes)
    (built,) = entity_tasks.build([row], client)
    return built


def test_it_carries_what_the_server_has_and_tables_keep() -> None:
    task = build()
    assert isinstance(task, EntityTask)
    assert [attribute.name for attribute in task.attributes] == ["accountid", "name"]


def test_it_lets_readers_see_the_version_they_go_by() -> None:
    # Without it a tracked first load of several pages was read again by the next run.
    task = build()
    assert isinstance(task, EntityTask)
    assert task.server.attribute(VERSION) is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"problem": "It cannot be read."}, "It cannot be read."),
        ({"filter_xml": "<fetch"}, "The sync filter cannot be used"),
        (
            {
                "filter_xml": '<fetch><entity name="account"><order attribute="horn"/>'
                "</entity></fetch>"
            },
            "horn",
        ),
    ],
)
def test_it_says_why_an_entity_cannot_be_carried(changes: dict[str, str], reason: str) -> None:
    built = build(**changes)
    assert isinstance(built, entity_tasks.Unbuilt)
    assert reason in built.reason
