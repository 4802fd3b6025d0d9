"""The decision table of undo, cell by cell."""

from __future__ import annotations

import pytest

from organizations.records import Action, Row
from syncjobs.engine.plan import Incoming, Rules, View, plan_page
from syncjobs.engine.undo import (
    Now,
    Repeat,
    Skipped,
    Step,
    UndoPage,
    Written,
    plan_undo,
    relinked,
    written,
)
from syncjobs.engine.values import TAKEN_BACK, Images, LinkRow, Side

CREATE, UPDATE, DELETE = Action.CREATE, Action.UPDATE, Action.DELETE
COLUMNS = ("accountid", "city", "name")
BEFORE: Row = ("a", "Brno", "Old")
AFTER: Row = ("a", "Brno", "New")
LINK = LinkRow("server", "a", 5, 7, "0" * 32)


def decide(first: Action, last: Action, now: Now | None, *, version: int = 7) -> UndoPage:
    before = None if first is CREATE else BEFORE
    columns = () if first is CREATE else COLUMNS
    record = Written("a", first, last, version, columns, before)
    return plan_undo([record], {"a": now} if now else {}, COLUMNS)


def changed(version: int) -> str:
    return f"It was changed since: it is at version {version}, the run left it at 7."


AT_RUN, LATER, AS_BEFORE = Now(7, AFTER), Now(9, AFTER), Now(9, BEFORE)
TABLE = [
    # first, last, the record now, decision
    (CREATE, CREATE, AT_RUN, (DELETE, Step("a", ("a",), 7))),
    (CREATE, UPDATE, AT_RUN, (DELETE, Step("a", ("a",), 7))),
    (CREATE, CREATE, None, "already"),
    (CREATE, DELETE, None, "already"),
    (CREATE, CREATE, LATER, changed(9)),
    (CREATE, UPDATE, LATER, changed(9)),
    (CREATE, DELETE, LATER, "It was deleted, and made again since."),
    (UPDATE, UPDATE, AT_RUN, (UPDATE, Step("a", BEFORE, 7, frozenset({"name"})))),
    (DELETE, CREATE, AT_RUN, (UPDATE, Step("a", BEFORE, 7, frozenset({"name"})))),
    (UPDATE, UPDATE, LATER, changed(9)),
    (DELETE, CREATE, LATER, changed(9)),
    (UPDATE, UPDATE, AS_BEFORE, "already"),
    (DELETE, DELETE, AS_BEFORE, "already"),
    (DELETE, CREATE, AS_BEFORE, "already"),
    (UPDATE, UPDATE, None, "It was deleted since."),
    (DELETE, CREATE, None, "It was deleted since."),
    (UPDATE, DELETE, None, (CREATE, Step("a", BEFORE, 0))),
    (DELETE, DELETE, None, (CREATE, Step("a", BEFORE, 0))),
    (UPDATE, DELETE, LATER, "It was deleted, and made again since."),
    (DELETE, DELETE, LATER, "It was deleted, and made again since."),
]


@pytest.mark.parametrize(("first", "last", "now", "decision"), TABLE)
def test_it_decides(
    first: Action, last: Action, now: Now | None, decision: tuple[Action, Step] | str
) -> None:
    plan = decide(first, last, now)
    if decision == "already":
        assert plan == UndoPage(already=1)
    elif isinstance(decision, str):
        assert plan == UndoPage(skipped=[Skipped("a", decision)])
    else:
        action, step = decision
        assert plan == UndoPage(steps={action: [step]})


@pytest.mark.parametrize("first", [CREATE, UPDATE])
def test_it_trusts_no_version_that_is_not_known(first: Action) -> None:
    (skipped,) = decide(first, first, AT_RUN, version=0).skipped
    assert skipped.reason.startswith("Its version after the run is not known")


def test_a_column_that_is_new_keeps_its_value_and_one_that_is_gone_is_left_out() -> None:
    record = Written("a", UPDATE, UPDATE, 7, ("accountid", "fax", "name"), ("a", "1", "Old"))
    plan = plan_undo([record], {"a": Now(7, AFTER)}, COLUMNS)
    assert plan.of(UPDATE) == [Step("a", ("a", "Brno", "Old"), 7, frozenset({"name"}))]


def make_images(action: Action, *ids: str) -> Images:
    before = [] if action is CREATE else [(item, "Brno", "Old") for item in ids]
    columns = () if action is CREATE else COLUMNS
    return Images(
        side=Side.CLIENT,
        action=action,
        ids=ids,
        versions=[7] * len(ids),
        columns=columns,
        before=before,
    )


def test_a_record_that_was_written_twice_is_taken_back_once_by_the_newest() -> None:
    first: Row = ("b", "Praha", "Oldest")
    repeats = {"b": Repeat(9, UPDATE, COLUMNS, first)}
    newest = written(9, make_images(DELETE, "a", "b"), repeats)
    assert newest == [
        Written("a", DELETE, DELETE, 7, COLUMNS, BEFORE),
        Written("b", UPDATE, DELETE, 7, COLUMNS, first),
    ]
    assert [record.id for record in written(4, make_images(UPDATE, "b", "c"), repeats)] == ["c"]


def test_a_creation_that_was_written_twice_has_no_row_before() -> None:
    repeats = {"a": Repeat(9, CREATE, (), None)}
    (record,) = written(9, make_images(UPDATE, "a"), repeats)
    assert record == Written("a", CREATE, UPDATE, 7)


@pytest.mark.parametrize(("action", "version"), [(DELETE, TAKEN_BACK), (UPDATE, 12), (CREATE, 12)])
def test_a_link_keeps_the_digest_and_follows_the_client(action: Action, version: int) -> None:
    links = relinked(action, ["a", "unlinked"], [12, 13], {"a": LINK})
    assert links == [LINK._replace(client_version=version)]


@pytest.mark.parametrize(("digest", "creates"), [("0" * 32, []), ("1" * 32, [0])])
def test_what_an_undo_removed_comes_again_only_when_the_server_changes_it(
    digest: str, creates: list[int]
) -> None:
    view = View(links={"server": LINK._replace(client_version=TAKEN_BACK)})
    page = Incoming(ids=["server"], rows=[("a", None, None)], versions=[6], digests=[digest])
    plan = plan_page(view, page, Rules())
    assert list(plan.creates) == creates
    assert plan.dropped == ["server"] * len(creates)
    assert not plan.clashes
