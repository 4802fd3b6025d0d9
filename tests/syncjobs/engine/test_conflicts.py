"""Every cell of the table of conflicts, and what a person's choice does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncjobs.engine.conflicts import WHOLE, Meeting, Ruling, ServerChange, rule_on
from syncjobs.engine.transactions import Conflict
from syncjobs.engine.values import ConflictRule, Side

EARLY = datetime(2024, 5, 1, 8, tzinfo=UTC)
LATE = datetime(2024, 5, 1, 9, tzinfo=UTC)
CHANGED, DELETED, LEFT = ServerChange
CLIENT, SERVER = Side.CLIENT, Side.SERVER
BOTH = frozenset({"name"})
ALL = frozenset({"name", "city"})


def make_meeting(
    server: ServerChange = CHANGED,
    *,
    is_delete: bool = False,
    both: frozenset[str] = BOTH,
    **more: object,
) -> Meeting:
    return Meeting(
        server=server,
        is_delete=is_delete,
        version=0 if server is DELETED else 7,
        columns=frozenset() if is_delete else ALL,
        both=frozenset() if is_delete or server is DELETED else both,
        **more,  # type: ignore[arg-type]
    )


CELLS = [
    # rule, server, deleted on the client, who wins (None: a person is asked)
    ("server", CHANGED, False, SERVER),
    ("server", DELETED, False, SERVER),
    ("server", CHANGED, True, SERVER),
    ("server", LEFT, False, SERVER),
    ("server", LEFT, True, SERVER),
    ("client", CHANGED, False, CLIENT),
    ("client", DELETED, False, CLIENT),
    ("client", CHANGED, True, CLIENT),
    ("client", LEFT, False, CLIENT),
    ("client", LEFT, True, CLIENT),
    ("newest", DELETED, False, SERVER),
    ("merge", CHANGED, False, None),
    ("merge", DELETED, False, None),
    ("merge", CHANGED, True, None),
    ("merge", LEFT, False, None),
    ("merge", LEFT, True, None),
    ("ask", CHANGED, False, None),
    ("ask", DELETED, False, None),
    ("ask", CHANGED, True, None),
    ("ask", LEFT, False, None),
    ("ask", LEFT, True, None),
]


@pytest.mark.parametrize(("rule", "server", "is_delete", "winner"), CELLS)
def test_it_decides_every_cell(
    rule: str, server: ServerChange, is_delete: bool, winner: Side | None
) -> None:
    meeting = make_meeting(server, is_delete=is_delete)
    ruling = rule_on(meeting, ConflictRule(rule))
    assert ruling.winner is winner
    assert ruling.columns == (
        meeting.columns if winner is CLIENT else {"city"} if _is_merged(rule, meeting) else set()
    )
    assert ruling.why.startswith(f"The record was {'deleted' if is_delete else 'changed'} on the")


def _is_merged(rule: str, meeting: Meeting) -> bool:
    return rule == "merge" and not meeting.is_delete and meeting.server is not DELETED


@pytest.mark.parametrize("server", [CHANGED, LEFT])
@pytest.mark.parametrize("is_delete", [False, True])
@pytest.mark.parametrize(
    ("client_at", "server_at", "winner"),
    [
        (LATE, EARLY, CLIENT),
        (EARLY, LATE, SERVER),
        (LATE, LATE, SERVER),
        (LATE.replace(microsecond=999_999), LATE, SERVER),
        (None, EARLY, SERVER),
        (LATE, None, SERVER),
    ],
)
def test_the_newest_wins(
    server: ServerChange,
    is_delete: bool,
    client_at: datetime | None,
    server_at: datetime | None,
    winner: Side,
) -> None:
    meeting = make_meeting(server, is_delete=is_delete, client_at=client_at, server_at=server_at)
    assert rule_on(meeting, ConflictRule.NEWEST).winner is winner


def test_it_tells_both_times() -> None:
    meeting = make_meeting(client_at=LATE, server_at=EARLY)
    assert rule_on(meeting, ConflictRule.NEWEST).why == (
        "The record was changed on the client, and changed on the server. The client's change is "
        "newer (client 2024-05-01 09:00:00, server 2024-05-01 08:00:00)."
    )


@pytest.mark.parametrize("server", [CHANGED, LEFT])
def test_fields_that_one_side_changed_are_merged(server: ServerChange) -> None:
    ruling = rule_on(make_meeting(server, both=frozenset()), ConflictRule.MERGE)
    assert (ruling.winner, ruling.columns, ruling.asked) == (CLIENT, ALL, frozenset())


def test_a_merge_asks_only_for_fields_that_both_changed() -> None:
    assert rule_on(make_meeting(), ConflictRule.MERGE) == Ruling(
        winner=None,
        why="The record was changed on the client, and changed on the server. "
        "Both sides changed name.",
        columns=frozenset({"city"}),
        asked=BOTH,
    )


def make_asked(version: int = 7) -> Conflict:
    return Conflict(base={}, server={"name": "s"}, client={"name": "c"}, server_version=version)


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize(
    ("choices", "winner", "columns"),
    [
        ({"name": CLIENT, "city": CLIENT}, CLIENT, ALL),
        ({"name": CLIENT, "city": SERVER}, CLIENT, {"name"}),
        ({"name": SERVER}, CLIENT, {"city"}),
        ({"name": SERVER, "city": SERVER}, SERVER, set()),
        ({WHOLE: CLIENT}, CLIENT, ALL),
        ({WHOLE: SERVER}, SERVER, set()),
        ({WHOLE: SERVER, "city": CLIENT}, CLIENT, {"city"}),
    ],
)
def test_a_person_chooses_for_each_column(
    rule: ConflictRule, choices: dict[str, Side], winner: Side, columns: set[str]
) -> None:
    meeting = make_meeting(asked=make_asked(), choices=choices)
    ruling = rule_on(meeting, rule)
    assert (ruling.winner, set(ruling.columns)) == (winner, columns)


@pytest.mark.parametrize(("server", "is_delete"), [(DELETED, False), (CHANGED, True), (LEFT, True)])
@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_person_chooses_for_the_whole_record(
    server: ServerChange, is_delete: bool, side: Side
) -> None:
    version = 0 if server is DELETED else 7
    for choices in ({WHOLE: side}, {"name": side, "city": side}):
        meeting = make_meeting(
            server, is_delete=is_delete, asked=make_asked(version), choices=choices
        )
        ruling = rule_on(meeting, ConflictRule.ASK)
        assert ruling.winner is side
        assert ruling.columns == (meeting.columns if side is CLIENT else frozenset())


@pytest.mark.parametrize("rule", list(ConflictRule))
def test_a_choice_does_not_count_for_a_version_that_was_not_shown(rule: ConflictRule) -> None:
    meeting = make_meeting(asked=make_asked(6), choices={WHOLE: CLIENT})
    ruling = rule_on(meeting, rule)
    assert (ruling.winner, ruling.asked) == (None, ALL)
    assert "changed again since the choice was made" in ruling.why


def test_a_conflict_without_a_choice_is_decided_by_the_rule() -> None:
    ruling = rule_on(make_meeting(asked=make_asked()), ConflictRule.CLIENT)
    assert ruling.winner is CLIENT
