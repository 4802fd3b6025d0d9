"""The canonical digest: what it is made of, and what it leaves out."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from organizations.records import Value
from organizations.schema import Attribute, AttributeType, Source
from syncjobs.engine.layout import Layout
from syncjobs.engine.scope import scope_of
from syncjobs.engine.values import EntityTask
from tests.syncjobs.engine.world import make_attribute, make_entity, make_filter

TEXT = AttributeType.STRING


def make_task(*attributes: Attribute, client: tuple[Attribute, ...] | None = None) -> EntityTask:
    server = make_entity("account", *attributes)
    theirs = server if client is None else make_entity("account", *client)
    return EntityTask(key=1, server=server, client=theirs, attributes=server.attributes)


def test_its_columns_are_the_primary_id_and_then_those_of_both_sides_by_name() -> None:
    owner = make_attribute("ownerid", AttributeType.OWNER)
    task = make_task(
        make_attribute("name", TEXT),
        owner,
        make_attribute("local", TEXT),
        make_attribute("city", TEXT),
        client=(make_attribute("city", TEXT), owner, make_attribute("name", TEXT)),
    )
    layout = Layout(task)
    assert layout.columns == ("accountid", "city", "name", "ownerid", "ownerid__type")
    names = [attribute.name for attribute in layout.attributes]
    assert names == ["accountid", "city", "name", "ownerid"]


def test_it_digests_as_documented() -> None:
    task = make_task(
        make_attribute("b", AttributeType.MONEY, precision=2),
        make_attribute("a", TEXT),
        make_attribute("c", AttributeType.BOOLEAN),
    )
    row: tuple[Value, ...] = ("some id", "Žilina", Decimal("1.50"), None)
    packed = msgspec.msgpack.encode(["Žilina", "1.50", None])
    expected = hashlib.blake2b(packed, digest_size=16).hexdigest()
    assert Layout(task).digests([row, ("another id", *row[1:])]) == [expected, expected]


def test_it_leaves_out_what_is_calculated() -> None:
    task = make_task(
        make_attribute("name", TEXT),
        make_attribute("total", AttributeType.INTEGER, source=Source.ROLLUP),
    )
    one, two, three = Layout(task).digests([("id", "A", 1), ("id", "A", 2), ("id", "B", 1)])
    assert one == two
    assert one != three


def test_a_scope_follows_what_decides_a_reading() -> None:
    task = make_task(make_attribute("city", TEXT))
    scopes = {
        scope_of("organization", task, Layout(task)),
        scope_of("another", task, Layout(task)),
        scope_of("organization", narrowed := with_filter(task, "Wien"), Layout(narrowed)),
        scope_of("organization", narrowed := with_filter(task, "Graz"), Layout(narrowed)),
    }
    for attribute in (
        make_attribute("town", TEXT),
        make_attribute("city", AttributeType.MEMO),
        make_attribute("city", TEXT, precision=3),
    ):
        other = make_task(attribute)
        scopes.add(scope_of("organization", other, Layout(other)))
    assert len(scopes) == 7
    assert max(map(len, scopes)) <= 64
    assert scope_of("ORGANIZATION", task, Layout(task)) in scopes


def with_filter(task: EntityTask, city: str) -> EntityTask:
    return EntityTask(
        key=1,
        server=task.server,
        client=task.client,
        attributes=task.attributes,
        query=make_filter(value=city),
    )
