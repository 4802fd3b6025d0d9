"""The decision table: one situation per test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from organizations.records import Rejection
from syncjobs.engine.plan import (
    GOING,
    UNDECIDED,
    Clash,
    ClientRecord,
    Incoming,
    PagePlan,
    Rules,
    Update,
    View,
    Waiting,
    plan_page,
)
from syncjobs.engine.values import LinkRow, LinkState

ID, OTHER = "a" * 8, "b" * 8
OLD, NEW, THEIRS = "old digest", "new digest", "client's digest"
LINK = LinkRow(ID, ID, 10, 100, OLD)
DELETES, KEEPS = Rules(deletes=True, deletes_left=True), Rules()
KEEPS_LEFT = Rules(deletes=True)
GONE = LINK._replace(state=LinkState.SERVER_DELETED)
LEFT = LINK._replace(state=LinkState.LEFT_FILTER)


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
    waiting: Waiting | None = None
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
        name="deleted on the client, not linked, and its change waits",
        waiting=Waiting(100),
        expected=PagePlan(clashes=[Clash(ID, GOING)]),
    ),
    Situation(
        name="deleted on the client, not linked, its change set aside",
        waiting=Waiting(100, is_set_aside=True),
        expected=PagePlan(creates=[0]),
    ),
    Situation(
        name="there and different, not linked: the server wins",
        record=at(100, THEIRS),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=False)]),
    ),
    Situation(
        name="there and different, not linked, and its change waits",
        record=at(100, THEIRS),
        waiting=Waiting(100),
        expected=PagePlan(clashes=[Clash(ID, UNDECIDED)]),
    ),
    Situation(
        name="there and equal, not linked, and its change waits",
        record=at(100, NEW),
        waiting=Waiting(100),
        expected=PagePlan(unchanged=1, new_links=[linked()]),
    ),
    Situation(
        name="there and different, not linked, its change set aside: the server wins",
        record=at(100, THEIRS),
        waiting=Waiting(100, is_set_aside=True),
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
        name="changed on both sides, the client's change set aside",
        link=LINK,
        record=at(105, THEIRS),
        waiting=Waiting(105, is_set_aside=True),
        expected=PagePlan(updates=[Update(0, ID, 105, is_linked=True)]),
    ),
    Situation(
        name="changed on the server, deleted on the client, the deletion set aside",
        link=LINK,
        waiting=Waiting(105, is_delete=True, is_set_aside=True),
        expected=PagePlan(creates=[0], dropped=[ID]),
    ),
    Situation(
        name="deleted on the server, off: kept",
        link=LINK,
        deleted=True,
        expected=PagePlan(kept=1, links=[GONE]),
    ),
    Situation(name="deleted on the server, off, kept before", link=GONE, deleted=True),
    Situation(
        name="deleted on the server, on: marked, to be deleted",
        link=LINK,
        deleted=True,
        rules=DELETES,
        expected=PagePlan(links=[GONE]),
    ),
    Situation(name="deleted on the server, on, marked before", link=GONE, deleted=True),
    Situation(name="deleted, never seen", deleted=True, rules=DELETES),
    Situation(
        name="left the filter, then deleted on the server",
        link=LEFT,
        deleted=True,
        rules=DELETES,
        expected=PagePlan(links=[GONE]),
    ),
    Situation(
        name="left the filter, off: kept",
        link=LINK,
        outside=True,
        expected=PagePlan(kept=1, links=[LEFT]),
    ),
    Situation(
        name="left the filter, on: marked, to be deleted",
        link=LINK,
        outside=True,
        rules=DELETES,
        expected=PagePlan(links=[LEFT]),
    ),
    Situation(
        name="left the filter, on, but what leaves is kept",
        link=LINK,
        outside=True,
        rules=KEEPS_LEFT,
        expected=PagePlan(kept=1, links=[LEFT]),
    ),
    Situation(
        name="restored on the server, but outside the filter",
        link=GONE,
        outside=True,
        rules=DELETES,
        expected=PagePlan(links=[LEFT]),
    ),
    Situation(name="outside the filter, never carried", outside=True, rules=DELETES),
    Situation(name="outside the filter, marked before", link=LEFT, outside=True, rules=DELETES),
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
        name="told without its version",
        link=LINK,
        version=0,
        record=at(100),
        expected=PagePlan(updates=[Update(0, ID, 100, is_linked=True)]),
    ),
    Situation(
        name="independent, under another id: never deleted",
        link=LINK._replace(client_id=OTHER),
        deleted=True,
        rules=Rules(deletes=True, independent=True),
        expected=PagePlan(kept=1, links=[GONE._replace(client_id=OTHER)]),
    ),
    Situation(
        name="independent, carried under its own id: deleted as others",
        link=LINK,
        deleted=True,
        rules=Rules(deletes=True, independent=True),
        expected=PagePlan(links=[GONE]),
    ),
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_it_decides(situation: Situation) -> None:
    assert make_plan(situation) == situation.expected


@pytest.mark.parametrize(
    ("record", "waiting", "word"),
    [
        (at(101, THEIRS), None, "changed"),
        (None, None, "deleted"),
        (at(101, THEIRS), Waiting(101), "changed"),
        (None, Waiting(101, is_delete=True), "deleted"),
        (at(105, THEIRS), Waiting(101, is_set_aside=True), "changed"),
        (None, Waiting(101, is_set_aside=True), "deleted"),
        (at(105, THEIRS), Waiting(105, is_delete=True, is_set_aside=True), "changed"),
    ],
    ids=[
        "edit",
        "delete",
        "waiting edit",
        "waiting delete",
        "edit after one that was set aside",
        "delete after an edit that was set aside",
        "made again after a delete that was set aside",
    ],
)
def test_it_leaves_client_edits_alone(
    record: ClientRecord | None, waiting: Waiting | None, word: str
) -> None:
    plan = make_plan(Situation(name="", link=LINK, record=record, waiting=waiting))
    assert [clash.server_id for clash in plan.clashes] == [ID]
    assert f"was {word} on the client" in plan.clashes[0].message
    assert plan.clashes[0].is_told is (waiting is not None and not waiting.is_set_aside)
    plan.clashes.clear()
    assert plan == PagePlan()


@pytest.mark.parametrize("version", [10, 11])
@pytest.mark.parametrize("link", [GONE, LEFT])
def test_it_takes_the_mark_of_a_record_that_is_back_although_it_clashes(
    link: LinkRow, version: int
) -> None:
    situation = Situation(
        name="", link=link, record=at(101, THEIRS), waiting=Waiting(101), version=version
    )
    plan = make_plan(situation)
    assert [clash.server_id for clash in plan.clashes] == [ID]
    assert plan.links == [LINK]


@pytest.mark.parametrize(("collected", "is_left"), [(99, True), (100, False), (None, False)])
def test_it_leaves_an_unlinked_edit_alone_that_was_not_collected(
    collected: int | None, is_left: bool
) -> None:
    view = View(records={ID: at(100, THEIRS)}, collected=collected)
    plan = plan_page(view, make_page([ID]), KEEPS)
    assert (plan.clashes == [Clash(ID, UNDECIDED)]) is is_left
    assert (plan.updates == []) is is_left


def test_an_accepted_older_copy_is_older_no_more_although_it_clashes() -> None:
    record, rules = at(101, THEIRS), Rules(any_version=True)
    plan = make_plan(Situation(name="", link=LINK, record=record, version=9, rules=rules))
    assert [clash.server_id for clash in plan.clashes] == [ID]
    assert plan.links == [LINK._replace(server_version=0)]
    assert plan.older == []


def test_it_creates_all_of_a_fresh_page() -> None:
    page = make_page([ID, OTHER])
    assert plan_page(View(fresh=True), page, KEEPS) == PagePlan(creates=range(2))


@pytest.mark.parametrize("version", [9, 11], ids=["older", "changed alike"])
def test_it_counts_each_record_of_a_page(version: int) -> None:
    links = {item: LINK._replace(server_id=item, client_id=item) for item in (ID, OTHER)}
    view = View(links=links, records={ID: at(101, NEW), OTHER: at(101, NEW)})
    assert plan_page(view, make_page([ID, OTHER], version=version), KEEPS).unchanged == 2
    gone = Incoming(ids=[], rows=[], versions=[], digests=[], deleted=[ID, OTHER])
    assert plan_page(view, gone, KEEPS).kept == 2


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
    view = View(
        links={ID: link} if link else {},
        records={client_id: record} if record else {},
        waiting={client_id: situation.waiting} if situation.waiting else {},
    )
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


@pytest.mark.parametrize(
    ("rules", "is_forgotten"), [(Rules(any_version=True), True), (KEEPS, False)]
)
def test_of_an_unreadable_record_of_an_accepted_copy_no_version_is_agreed_on(
    rules: Rules, is_forgotten: bool
) -> None:
    page = replace(make_page([]), rejected=[Rejection(id=ID, code="bad", message="Unreadable.")])
    plan = plan_page(View(links={ID: LINK}), page, rules)
    assert plan.links == ([LINK._replace(server_version=0)] if is_forgotten else [])
    again = View(links={ID: LINK._replace(server_version=0)})
    assert plan_page(again, page, rules) == PagePlan()
