"""What another filter would change: the same records as the matcher says, and their children."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.connectors.memory import MemoryConnector
from connections.connectors.memory.filtering import is_inside
from connections.errors import LoginFailed, Refused
from organizations.query.nodes import Condition, Exists, Group, Link, Logic, Operator, Query
from organizations.schema import Entity
from syncjobs.engine.filtering import Filtering, FilterPreview, FilterRefused, Named, culprits
from syncjobs.engine.values import LinkState
from tests.syncjobs.engine.world import World, make_filter, make_world

CITIES = ("Bratislava", "Wien", "Praha")
TAGGED = Link(entity="accounttag", from_attribute="accountid", to_attribute="accountid")
QUERIES = (
    None,
    make_filter(),
    make_filter(value="Wien"),
    make_filter(value="Nowhere"),
    Query(entity="account", links=(TAGGED,)),
    Query(entity="account", filter=Group(children=(Exists(TAGGED, is_negative=True),))),
    Query(
        entity="account",
        filter=Group(
            Logic.OR,
            (
                Condition("city", Operator.EQ, ("Wien",)),
                Condition("name", Operator.BEGINS_WITH, ("A 1",)),
            ),
        ),
    ),
)


def make_family(parents: list[int], tagged: set[int], *, page_size: int = 3) -> World:
    """Accounts in three cities in step, each perhaps with a parent and a tag."""
    world = make_world(page_size=page_size)
    tag = world.server.create("tag", {"name": "VIP"})
    made: list[str] = []
    for number, parent in enumerate(parents):
        values: dict[str, object] = {"name": f"A {number}", "city": CITIES[number % 3]}
        if made and parent < len(made):
            values |= {"parentaccountid": made[parent]}
        made.append(world.server.create("account", values))
    for number in tagged:
        if number < len(made):
            world.server.associate("accounttags", made[number], tag)
    world.sync()
    return world


def preview(
    world: World, query: Query | None, server: MemoryConnector | None = None
) -> FilterPreview:
    return Filtering(
        server=server or MemoryConnector(world.server),
        client=MemoryConnector(world.client),
        state=world.state,
        reporter=world.reporter,
        task=replace(world.task("account"), query=query),
        tasks=world.tasks(),
    ).preview()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parents=st.lists(st.integers(0, 8), max_size=9),
    tagged=st.sets(st.integers(0, 8), max_size=4),
    new=st.integers(0, 3),
    first=st.sampled_from(QUERIES),
    second=st.sampled_from(QUERIES),
)
def test_it_finds_what_enters_leaves_and_is_orphaned(
    parents: list[int], tagged: set[int], new: int, first: Query | None, second: Query | None
) -> None:
    world = make_family(parents, tagged)
    world.filters = {} if first is None else {"account": first}
    world.sync_deletion = True
    world.sync()
    for number in range(new):
        world.server.create("account", {"name": "New", "city": CITIES[number]})
    before = (world.server.version, world.client.version, world.state.writes)
    found = preview(world, second)
    assert (world.server.version, world.client.version, world.state.writes) == before
    inside = {
        item
        for item, row in world.rows("server").items()
        if second is None or is_inside(world.server, second, row, now=world.now)
    }
    links = world.state.saved.links.get(world.task("account").key, {}).values()
    there = {link.server_id for link in links if link.state == LinkState.CURRENT}
    assert (found.inside, found.enters, found.leaves) == (
        len(inside),
        len(inside - there),
        len(there - inside),
    )
    assert {record.id for record in found.entering} == inside - there
    assert {record.id for record in found.leaving} == there - inside
    assert_orphans(world, found, there - inside)


def assert_orphans(world: World, found: FilterPreview, gone: set[str]) -> None:
    place = world.client.column_names("account").index("parentaccountid")
    orphaned = {
        item
        for item, row in world.rows("client").items()
        if row[place] in gone and item not in gone
    }
    lost = [child for child in found.children if child.entity == "account"]
    assert {record.id for child in lost for record in child.samples} == orphaned
    pairs = world.client.column_names("accounttag").index("accountid")
    rows = world.rows("client", "accounttag").values()
    cut = [row for row in rows if row[pairs] in gone]
    assert sum(child.count for child in found.children if child.entity == "accounttag") == len(cut)


def test_it_names_records_and_samples_twenty() -> None:
    world = make_family([9] * 50, set())
    entity = world.client.entity("account")
    named = replace(entity, primary_name="name")
    task = replace(world.task("account"), query=make_filter(), client=named)
    found = Filtering(
        server=MemoryConnector(world.server),
        client=MemoryConnector(world.client),
        state=world.state,
        reporter=world.reporter,
        task=task,
        tasks=[task],
    ).preview()
    assert (found.leaves, len(found.leaving)) == (33, 20)
    assert all(record.name.startswith("A ") for record in found.leaving)
    assert found.leaving[0] == Named(found.leaving[0].id, found.leaving[0].name)


class Choosy(MemoryConnector):
    """Refuses filters that hold a certain attribute, or all logins."""

    bad = "city"

    def ids(self, entity: Entity, query: Query | None = None):  # type: ignore[no-untyped-def]
        if query is not None and self.bad in repr(query):
            raise Refused(f"0x80041103: no attribute '{self.bad}'", code="400")
        return super().ids(entity, query)


class Expired(MemoryConnector):
    """Lets nobody in."""

    def ids(self, entity: Entity, query: Query | None = None):  # type: ignore[no-untyped-def]
        raise LoginFailed("The secret has expired.")


def make_refused() -> Query:
    inner = Link(
        entity="tag",
        from_attribute="tagid",
        to_attribute="tagid",
        filter=Group(children=(Condition("name", Operator.EQ, ("VIP",)),)),
    )
    return Query(
        entity="account",
        filter=Group(
            children=(
                Condition("name", Operator.NOT_NULL),
                Group(Logic.OR, (Condition("city", Operator.EQ, ("Wien",)),)),
            )
        ),
        links=(replace(TAGGED, links=(inner,)),),
    )


def test_it_says_which_condition_the_server_refuses() -> None:
    world = make_family([9, 9], set())
    with pytest.raises(FilterRefused) as raised:
        preview(world, make_refused(), Choosy(world.server))
    assert str(raised.value) == (
        "The server refuses this filter. It does not take this: city eq Wien. It says: "
        "0x80041103: no attribute 'city'"
    )


def test_it_finds_a_condition_in_a_link() -> None:
    world = make_family([9, 9], set())
    server = Choosy(world.server)
    server.bad = "VIP"
    found = culprits(server, world.server.entity("account"), make_refused())
    assert found == ["tag: name eq VIP"]


def test_it_gives_the_servers_words_where_no_condition_is_to_blame() -> None:
    world = make_family([9], set())
    server = Choosy(world.server)
    server.bad = "links=(Link(entity='accounttag'"
    alone = make_refused()
    assert culprits(server, world.server.entity("account"), alone) == [
        "the link to accounttag by accountid",
        "the link to tag by tagid",
        "tag: name eq VIP",
    ]


def test_a_failed_login_is_no_fault_of_the_filter() -> None:
    world = make_family([9], set())
    with pytest.raises(LoginFailed):
        preview(world, make_filter(), Expired(world.server))
