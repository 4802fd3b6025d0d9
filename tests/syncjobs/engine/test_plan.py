"""The decision table: one situation per test."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from syncjobs.engine.plan import (
    ClientRecord,
    Incoming,
    PagePlan,
    Removal,
    Rules,
    Update,
    View,
    plan_page,
)
from syncjobs.engine.values import LinkRow, LinkState

ID, OTHER = "a" * 8, "b" * 8
OLD, NEW, THEIRS = "old digest", "new digest", "client's digest"
LINK = LinkRow(ID, ID, 10, 100, OLD)
DELETES, KEEPS = Rules(deletes=True), Rules()


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`digest` and `version` are the server record's; `expected` is the plan as a whole."""

    name: str
    link: LinkRow | None = None
    record: ClientRecord | None = None
    digest: str = NEW
    version: int = 11
    rules: Rules = KEEPS
    outside: bool = False
    deleted: bool = False
    expected: PagePlan = field(default_factory=PagePlan)


def at(version: int, digest: str = OLD) -> ClientRecord:
    return ClientRecord(version, digest)


def linked(*, server: int = 11, client: int = 100, digest: str = NEW) -> LinkRow:
    return LinkRow(ID, ID, server, client, digest)


SITUATIONS = [
    Situation(name="new", expected=PagePlan(creates=[0])),
    Situation(
        name="there and equal, not linked",
        record=at(100, NEW),
        expected=PagePlan(unchanged=1, new_links=[linked()]),
    ),
    Situation(
        name="there and different, not linked: the server wins",
        record=at(100, THEIRS),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=False)]),
    ),
    Situation(
        name="nothing new at all",
        link=LINK,
        digest=OLD,
        version=10,
        expected=PagePlan(unchanged=1),
    ),
    Situation(
        name="touched on the server without a difference",
        link=LINK,
        digest=OLD,
        expected=PagePlan(unchanged=1, links=[linked(digest=OLD)]),
    ),
    Situation(
        name="edited on the client only",
        link=LINK,
        digest=OLD,
        version=10,
        record=at(101, THEIRS),
        expected=PagePlan(unchanged=1),
    ),
    Situation(
        name="changed on the server",
        link=LINK,
        record=at(100),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=True)]),
    ),
    Situation(
        name="changed on the server, touched on the client without a difference",
        link=LINK,
        record=at(105),
        expected=PagePlan(updates=[Update(0, ID, 105, is_linked=True)]),
    ),
    Situation(
        name="changed alike on both sides, or written by us and the answer lost",
        link=LINK,
        record=at(105, NEW),
        expected=PagePlan(unchanged=1, links=[linked(client=105)]),
    ),
    Situation(
        name="deleted on the server, off: kept",
        link=LINK,
        deleted=True,
        record=at(100),
        expected=PagePlan(kept=1, links=[LINK._replace(state=LinkState.SERVER_DELETED)]),
    ),
    Situation(
        name="deleted on the server, off, kept before",
        link=LINK._replace(state=LinkState.SERVER_DELETED),
        deleted=True,
        record=at(100),
    ),
    Situation(
        name="deleted on the server, on",
        link=LINK,
        deleted=True,
        rules=DELETES,
        record=at(100),
        expected=PagePlan(removals=[Removal(LINK, 100, LinkState.SERVER_DELETED)]),
    ),
    Situation(
        name="deleted on both sides",
        link=LINK,
        deleted=True,
        rules=DELETES,
        expected=PagePlan(unchanged=1, dropped=[ID]),
    ),
    Situation(name="deleted, never seen", deleted=True, rules=DELETES),
    Situation(
        name="left the filter, off: kept",
        link=LINK,
        outside=True,
        record=at(100),
        expected=PagePlan(kept=1, links=[LINK._replace(state=LinkState.LEFT_FILTER)]),
    ),
    Situation(
        name="left the filter, on",
        link=LINK,
        outside=True,
        rules=DELETES,
        record=at(100),
        expected=PagePlan(removals=[Removal(LINK, 100, LinkState.LEFT_FILTER)]),
    ),
    Situation(name="outside the filter, never carried", outside=True, rules=DELETES),
    Situation(
        name="back inside the filter, unchanged",
        link=LINK._replace(state=LinkState.LEFT_FILTER),
        digest=OLD,
        version=10,
        expected=PagePlan(unchanged=1, links=[LINK]),
    ),
    Situation(
        name="restored on the server, changed",
        link=LINK._replace(state=LinkState.SERVER_DELETED),
        record=at(100),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=True)]),
    ),
    Situation(
        name="at a version below the link's",
        link=LINK,
        version=9,
        expected=PagePlan(unchanged=1, older=[0]),
    ),
    Situation(
        name="at a version below the link's, accepted",
        link=LINK,
        version=9,
        record=at(100),
        rules=Rules(any_version=True),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=True)]),
    ),
    Situation(
        name="of a back end without versions",
        link=LINK._replace(server_version=0),
        version=0,
        record=at(100),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=True)]),
    ),
    Situation(
        name="independent, under another id: never deleted",
        link=LINK._replace(client_id=OTHER),
        deleted=True,
        rules=Rules(deletes=True, independent=True),
        record=at(100),
        expected=PagePlan(
            kept=1, links=[LINK._replace(client_id=OTHER, state=LinkState.SERVER_DELETED)]
        ),
    ),
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_it_decides(situation: Situation) -> None:
    assert make_plan(situation) == situation.expected


@pytest.mark.parametrize(
    ("record", "word"), [(at(101, THEIRS), "changed"), (None, "deleted")], ids=["edit", "delete"]
)
@pytest.mark.parametrize("event", ["changed", "deleted", "outside"])
def test_it_leaves_client_edits_alone(event: str, record: ClientRecord | None, word: str) -> None:
    situation = Situation(
        name="",
        link=LINK,
        record=record,
        rules=Rules(deletes=event != "changed"),
        deleted=event == "deleted",
        outside=event == "outside",
    )
    if event != "changed" and record is None:
        assert make_plan(situation) == PagePlan(unchanged=1, dropped=[ID])
        return
    plan = make_plan(situation)
    assert [*plan.creates, *plan.updates, *plan.removals, *plan.dropped] == []
    assert [clash.server_id for clash in plan.clashes] == [ID]
    assert f"was {word} on the client" in plan.clashes[0].message


def test_it_creates_all_of_a_fresh_page() -> None:
    page = make_page([ID, OTHER])
    assert plan_page(View(fresh=True), page, KEEPS) == PagePlan(creates=range(2))


def test_it_moves_a_pair_to_its_new_row() -> None:
    view = View(
        counterparts={OTHER: "client row"},
        records={"client row": at(100, NEW)},
        holders={"client row": LINK},
    )
    plan = plan_page(view, make_page([OTHER]), DELETES)
    made = LinkRow(OTHER, "client row", 11, 100, NEW)
    assert plan == PagePlan(unchanged=1, dropped=[ID], new_links=[made])


def make_page(ids: list[str], *, digest: str = NEW, version: int = 11) -> Incoming:
    return Incoming(
        ids=ids,
        rows=[(item,) for item in ids],
        versions=[version] * len(ids),
        digests=[digest] * len(ids),
    )


def make_plan(situation: Situation) -> PagePlan:
    link, record = situation.link, situation.record
    client_id = link.client_id if link else ID
    view = View(links={ID: link} if link else {}, records={client_id: record} if record else {})
    if situation.deleted:
        page = Incoming(ids=[], rows=[], versions=[], digests=[], deleted=[ID])
    else:
        page = Incoming(
            ids=[ID],
            rows=[(ID,)],
            versions=[situation.version],
            digests=[situation.digest],
            outside=frozenset([ID]) if situation.outside else frozenset(),
        )
    return plan_page(view, page, situation.rules)
