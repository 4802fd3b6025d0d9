"""What the history of a record says of a conflict: who met whom, and why who won."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncjobs.engine.conflicts import WHOLE, Meeting, ServerChange, rule_on
from syncjobs.engine.transactions import Conflict
from syncjobs.engine.values import ConflictRule, Side

CHANGED, DELETED, LEFT = ServerChange
COLUMNS = frozenset({"name", "city", "email"})
EARLY = datetime(2024, 5, 1, 8, tzinfo=UTC)
LATE = datetime(2024, 5, 1, 9, tzinfo=UTC)
MET = "The record was changed on the client, and changed on the server. "


def make_meeting(server: ServerChange = CHANGED, **more: object) -> Meeting:
    values: dict[str, object] = {"is_delete": False, "version": 7, "columns": COLUMNS}
    return Meeting(server=server, **values | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("server", "is_delete", "met"),
    [
        (CHANGED, False, "changed on the client, and changed on the server"),
        (CHANGED, True, "deleted on the client, and changed on the server"),
        (DELETED, False, "changed on the client, and deleted on the server"),
        (LEFT, False, "changed on the client, and on the server it left the sync filter"),
        (LEFT, True, "deleted on the client, and on the server it left the sync filter"),
    ],
)
def test_it_says_who_met_whom(server: ServerChange, is_delete: bool, met: str) -> None:
    ruling = rule_on(make_meeting(server, is_delete=is_delete), ConflictRule.SERVER)
    assert ruling.why == f"The record was {met}. The rule says that the server wins."


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (ConflictRule.SERVER, "The rule says that the server wins."),
        (ConflictRule.CLIENT, "The rule says that the client wins."),
        (ConflictRule.ASK, "The rule says that a person decides."),
        (
            ConflictRule.NEWEST,
            "It is not known which change is the newer one: the server wins.",
        ),
        (ConflictRule.MERGE, "Merged by field."),
    ],
)
def test_it_names_the_rule(rule: ConflictRule, why: str) -> None:
    assert rule_on(make_meeting(), rule).why == MET + why


def test_it_tells_the_times_of_a_change_that_is_not_newer() -> None:
    meeting = make_meeting(client_at=EARLY, server_at=LATE)
    assert rule_on(meeting, ConflictRule.NEWEST).why == (
        f"{MET}The client's change is not newer "
        "(client 2024-05-01 08:00:00, server 2024-05-01 09:00:00)."
    )


def test_a_newer_change_goes_with_all_its_columns() -> None:
    meeting = make_meeting(client_at=LATE, server_at=EARLY)
    assert rule_on(meeting, ConflictRule.NEWEST).columns == COLUMNS


def test_it_lists_the_columns_that_both_sides_changed() -> None:
    meeting = make_meeting(both=frozenset({"name", "city"}))
    assert rule_on(meeting, ConflictRule.MERGE).why == f"{MET}Both sides changed city, name."


@pytest.mark.parametrize(("server", "is_delete"), [(DELETED, False), (CHANGED, True)])
def test_it_says_that_a_deletion_cannot_be_merged(server: ServerChange, is_delete: bool) -> None:
    ruling = rule_on(make_meeting(server, is_delete=is_delete), ConflictRule.MERGE)
    assert ruling.why.endswith(". A deletion cannot be merged.")
    assert (ruling.columns, ruling.asked) == (frozenset(), COLUMNS)


def test_a_person_is_asked_for_every_column() -> None:
    assert rule_on(make_meeting(), ConflictRule.ASK).asked == COLUMNS


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ({WHOLE: Side.SERVER}, "A person chose the server's values."),
        ({WHOLE: Side.CLIENT}, "A person chose."),
    ],
)
def test_it_says_that_a_person_chose(choices: dict[str, Side], why: str) -> None:
    asked = Conflict(base={}, server={}, client={}, server_version=7)
    ruling = rule_on(make_meeting(asked=asked, choices=choices), ConflictRule.ASK)
    assert ruling.why == MET + why


def test_it_says_that_the_answer_came_too_late() -> None:
    asked = Conflict(base={}, server={}, client={}, server_version=6)
    meeting = make_meeting(asked=asked, choices={WHOLE: Side.CLIENT})
    assert rule_on(meeting, ConflictRule.SERVER).why == (
        f"{MET}The server's record changed again since the choice was made."
    )


def test_a_question_without_an_answer_leaves_it_to_the_rule() -> None:
    asked = Conflict(base={}, server={}, client={}, server_version=7)
    ruling = rule_on(make_meeting(asked=asked), ConflictRule.SERVER)
    assert (ruling.winner, ruling.why) == (
        Side.SERVER,
        f"{MET}The rule says that the server wins.",
    )


def test_an_answer_without_a_question_leaves_it_to_the_rule() -> None:
    ruling = rule_on(make_meeting(choices={WHOLE: Side.CLIENT}), ConflictRule.SERVER)
    assert ruling.winner is Side.SERVER


def test_a_record_that_is_made_again_is_made_whole() -> None:
    asked = Conflict(base={}, server={}, client={}, server_version=0)
    choices = {"name": Side.CLIENT, "city": Side.SERVER, "email": Side.SERVER}
    meeting = make_meeting(DELETED, version=0, asked=asked, choices=choices)
    assert rule_on(meeting, ConflictRule.ASK).columns == COLUMNS
