"""State and status: allowed ways, inactive records, records that are closed by an action."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connections.connectors.base import FailureKind
from connections.connectors.dynamics.states import States
from connections.errors import Rejected
from organizations.records import Action, Value
from organizations.schema import Attribute, AttributeType, Entity, Option, OptionSet
from tests.connections.connectors.dynamics.test_writing import ID, write
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer

T = AttributeType
OPEN, CLOSED = 0, 1
NEW, WORKED, DONE, LOST = 1, 2, 3, 4


def make_status(value: int, state: int, following: tuple[int, ...] | None) -> Option:
    return Option(value=value, state=state, next_statuses=following)


def make_case(
    *ways: tuple[int, ...] | None, name: str = "ticket", is_enforced: bool = True
) -> Entity:
    """Return an entity whose statuses NEW, WORKED, DONE, LOST may be followed by `ways`."""
    states = (Option(value=OPEN, default_status=NEW), Option(value=CLOSED, default_status=DONE))
    following = ways or (None,) * 4
    statuses = tuple(
        make_status(value, OPEN if value < DONE else CLOSED, following[value - 1])
        for value in (NEW, WORKED, DONE, LOST)
    )
    attributes = (
        Attribute(name="activityid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="subject", type=T.STRING),
        Attribute(
            name="statecode", type=T.STATE, option_set=OptionSet(name="state", options=states)
        ),
        Attribute(
            name="statuscode", type=T.STATUS, option_set=OptionSet(name="status", options=statuses)
        ),
    )
    return Entity(
        name=name,
        primary_id="activityid",
        set_name="tickets",
        attributes=attributes,
        extras={"EnforceStateTransitions": True} if is_enforced else {},
    )


FREE = make_case()
STRICT = make_case((WORKED,), (NEW, DONE), (), (NEW,))


def made(version: int, state: int = OPEN, status: int = NEW, **more: Any) -> Answer:
    document = {"activityid": ID, "statecode": state, "statuscode": status, **more}
    return told({"@odata.etag": f'W/"{version}"', **document})


def test_a_status_brings_its_state() -> None:
    states = States(FREE)
    assert states.wanted({"statuscode": LOST}) == {"statecode": CLOSED, "statuscode": LOST}
    assert states.wanted({"statecode": CLOSED}) == {"statecode": CLOSED}
    assert states.wanted({"subject": "x"}) == {}
    assert states.active() == {"statecode": OPEN, "statuscode": NEW}


def test_it_goes_only_allowed_ways() -> None:
    found = States(STRICT).moves({"statuscode": NEW}, {"statecode": CLOSED, "statuscode": DONE})
    assert found == [
        {"statecode": OPEN, "statuscode": WORKED},
        {"statecode": CLOSED, "statuscode": DONE},
    ]
    assert States(STRICT).moves({"statuscode": NEW}, {"statecode": CLOSED}) == found


def test_a_way_that_is_not_allowed_rejects_the_record() -> None:
    with pytest.raises(Rejected, match="does not allow status 3 to become 1, not in several"):
        States(STRICT).moves({"statuscode": DONE}, {"statecode": OPEN, "statuscode": NEW})


def test_transitions_that_are_not_enforced_are_left_to_the_server() -> None:
    loose = replace(STRICT, extras={})
    wanted = {"statecode": OPEN, "statuscode": NEW}
    assert States(loose).moves({"statuscode": DONE}, wanted) == [wanted]


def test_a_record_is_led_to_its_status_step_by_step() -> None:
    path = f"PATCH tickets({ID})"
    answers = {path: [made(6), made(7, OPEN, WORKED), made(8, CLOSED, DONE)]}
    values: dict[str, Value] = {"subject": "x", "statecode": CLOSED, "statuscode": DONE}
    with connected(answers) as (fake, connector):
        assert write(connector, Action.UPDATE, values, entity=STRICT).versions == [8]
        assert fake.documents("PATCH") == [
            {"subject": "x"},
            {"statecode": OPEN, "statuscode": WORKED},
            {"statecode": CLOSED, "statuscode": DONE},
        ]


def test_a_state_that_is_so_already_is_not_written() -> None:
    with connected({f"PATCH tickets({ID})": [made(6, CLOSED, DONE)]}) as (fake, connector):
        values: dict[str, Value] = {"subject": "x", "statecode": CLOSED, "statuscode": DONE}
        assert write(connector, Action.UPDATE, values, entity=FREE).versions == [6]
        assert fake.documents("PATCH") == [{"subject": "x"}]


INACTIVE = failed("0x80040230", "The record is inactive.")


def test_an_inactive_record_is_activated_written_and_closed_again() -> None:
    answers = {
        f"PATCH tickets({ID})": [INACTIVE, made(6), made(7), made(8, CLOSED, LOST)],
        f"GET tickets({ID})": [made(5, CLOSED, LOST)],
    }
    with connected(answers) as (fake, connector):
        result = write(connector, Action.UPDATE, {"subject": "x"}, entity=FREE)
        assert (result.versions, result.failed) == ([8], {})
        assert fake.documents("PATCH") == [
            {"subject": "x"},
            {"statecode": OPEN, "statuscode": NEW},
            {"subject": "x"},
            {"statecode": CLOSED, "statuscode": LOST},
        ]
        matches = [r.headers["if-match"] for r in fake.asked if r.method == "PATCH"]
        assert matches == ['W/"5"', 'W/"5"', 'W/"6"', 'W/"7"']


def test_an_inactive_record_is_closed_again_even_if_it_cannot_be_written() -> None:
    refused = failed("0x80044331", "Too long.")
    answers = {
        f"PATCH tickets({ID})": [INACTIVE, made(6), refused, made(7, CLOSED, LOST)],
        f"GET tickets({ID})": [made(5, CLOSED, LOST)],
    }
    with connected(answers) as (fake, connector):
        result = write(connector, Action.UPDATE, {"subject": "x"}, entity=FREE)
        assert (result.failed[0].kind, result.failed[0].code) == (
            FailureKind.REJECTED,
            "0x80044331",
        )
        assert fake.documents("PATCH")[-1] == {"statecode": CLOSED, "statuscode": LOST}


def test_an_opportunity_is_won_by_an_action() -> None:
    entity = make_case(name="opportunity")
    answers = {
        "POST tickets": [told({"@odata.etag": 'W/"6"', "activityid": ID}, 201)],
        f"GET tickets({ID})": [made(6), made(7, CLOSED, DONE)],
        "POST WinOpportunity": [Answer(204)],
    }
    values: dict[str, Value] = {"subject": "x", "statecode": CLOSED, "statuscode": DONE}
    with connected(answers) as (fake, connector):
        assert write(connector, Action.CREATE, values, entity=entity).versions == [7]
        assert fake.documents("POST")[-1] == {
            "Status": DONE,
            "OpportunityClose": {
                "subject": "WinOpportunity",
                "activityid@odata.bind": f"/tickets({ID})",
            },
        }


def test_an_action_whose_answer_was_lost_is_looked_for() -> None:
    entity = make_case(name="incident")
    answers = {
        f"GET tickets({ID})": [made(5), made(7, CLOSED, DONE)],
        "POST CloseIncident": [Answer(502)],
    }
    values: dict[str, Value] = {"statecode": CLOSED, "statuscode": DONE}
    with connected(answers) as (fake, connector):
        assert write(connector, Action.UPDATE, values, entity=entity).versions == [7]
        assert len(fake.documents("POST")) == 1
