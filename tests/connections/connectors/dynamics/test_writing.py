"""What the Dynamics connector sends when it writes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connections.connectors.base import Batch, BatchResult, FailureKind
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.errors import LoginFailed, MetadataChanged, Retryable
from organizations.records import Action, Value
from organizations.schema import Attribute, AttributeType, DateBehavior, Entity, OneToMany
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer

T = AttributeType
ID = "00000000-0000-0000-0000-00000000000a"
OTHER = "00000000-0000-0000-0000-00000000000b"


def make_attribute(name: str, kind: AttributeType = T.STRING, **more: Any) -> Attribute:
    return Attribute(name=name, type=kind, **more)


def make_relationship(attribute: str, target: str, navigation: str) -> OneToMany:
    return OneToMany(
        name=f"{target}_{attribute}",
        referenced_entity=target,
        referenced_attribute=f"{target}id",
        referencing_entity="appointment",
        referencing_attribute=attribute,
        referencing_navigation=navigation,
    )


APPOINTMENT = Entity(
    name="appointment",
    primary_id="activityid",
    set_name="appointments",
    is_activity=True,
    attributes=(
        make_attribute("activityid", T.UNIQUEIDENTIFIER, is_primary_id=True),
        make_attribute("subject"),
        make_attribute("cost", T.MONEY, precision=2),
        make_attribute("start", T.DATETIME, date_behavior=DateBehavior.TIME_ZONE_INDEPENDENT),
        make_attribute("modifiedon", T.DATETIME, is_creatable=False, is_updatable=False),
        make_attribute("overriddencreatedon", T.DATETIME, is_updatable=False),
        make_attribute("ownerid", T.OWNER, targets=("systemuser", "team")),
        make_attribute("regardingobjectid", T.LOOKUP, targets=("account", "lead")),
        make_attribute("requiredattendees", T.PARTYLIST),
        make_attribute("organizer", T.PARTYLIST),
        make_attribute("statecode", T.STATE),
        make_attribute("statuscode", T.STATUS),
        make_attribute("versionnumber", T.BIGINT),
    ),
    relationships=(
        make_relationship("regardingobjectid", "account", "regardingobjectid_account_appointment"),
        make_relationship("regardingobjectid", "lead", "regardingobjectid_lead_appointment"),
    ),
)


def make_set(name: str, set_name: str) -> dict[str, list[Answer]]:
    return {f"GET EntityDefinitions(LogicalName='{name}')": [told({"EntitySetName": set_name})]}


SETS = {
    **make_set("account", "accounts"),
    **make_set("lead", "leads"),
    **make_set("contact", "contacts"),
    **make_set("team", "teams"),
}


def made(version: int, status: int = 200) -> Answer:
    return told({"@odata.etag": f'W/"{version}"', "activityid": ID}, status)


def write(
    connector: DynamicsConnector,
    action: Action,
    values: dict[str, Value],
    *,
    expected: int = 5,
    entity: Entity = APPOINTMENT,
) -> BatchResult:
    batch = Batch(
        action=action,
        columns=("activityid", *values),
        rows=[(ID, *values.values())],
        expected=[0 if action is Action.CREATE else expected],
    )
    return connector.write(entity, batch)


def test_it_binds_lookups_and_sends_exact_numbers() -> None:
    values: dict[str, Value] = {
        "subject": "Besuch",
        "cost": Decimal("0.10"),
        "start": "2024-05-01T10:00:00",
        "modifiedon": "2024-05-01T10:00:00Z",
        "overriddencreatedon": "2020-05-01T10:00:00Z",
        "ownerid": OTHER,
        "ownerid__type": "team",
        "regardingobjectid": OTHER,
        "regardingobjectid__type": "lead",
    }
    with connected({**SETS, "POST appointments": [made(7, 201)]}) as (fake, connector):
        result = write(connector, Action.CREATE, values)
        body = fake.asked[-1].body
        (document,) = fake.documents("POST")
    assert (result.versions, result.failed) == ([7], {})
    assert b'"cost":0.10' in body
    assert document == {
        "activityid": ID,
        "subject": "Besuch",
        "cost": 0.1,
        "start": "2024-05-01T10:00:00Z",
        "overriddencreatedon": "2020-05-01T10:00:00Z",
        "ownerid@odata.bind": f"/teams({OTHER})",
        "regardingobjectid_lead_appointment@odata.bind": f"/leads({OTHER})",
    }


def test_it_leaves_out_what_an_update_cannot_change_and_clears_lookups() -> None:
    path = f"PATCH appointments({ID})"
    values: dict[str, Value] = {
        "subject": None,
        "overriddencreatedon": "2020-05-01T10:00:00Z",
        "regardingobjectid": None,
        "regardingobjectid__type": None,
    }
    with connected({path: [made(6)]}) as (fake, connector):
        assert write(connector, Action.UPDATE, values).versions == [6]
        (document,) = fake.documents("PATCH")
        assert fake.asked[-1].headers["if-match"] == 'W/"5"'
        assert fake.asked[-1].headers["prefer"] == "return=representation"
    assert document == {"subject": None, "regardingobjectid_account_appointment": None}


def test_it_writes_state_and_status_last_and_together() -> None:
    path = f"PATCH appointments({ID})"
    values: dict[str, Value] = {"subject": "x", "statecode": 1, "statuscode": 3}
    with connected({path: [made(6), made(7)]}) as (fake, connector):
        assert write(connector, Action.UPDATE, values).versions == [7]
        assert fake.documents("PATCH") == [{"subject": "x"}, {"statecode": 1, "statuscode": 3}]
        assert [request.headers["if-match"] for request in fake.asked] == ['W/"5"', 'W/"6"']


def test_it_creates_in_the_default_state_and_then_closes() -> None:
    answers = {"POST appointments": [made(6, 201)], f"PATCH appointments({ID})": [made(7)]}
    with connected(answers) as (fake, connector):
        result = write(connector, Action.CREATE, {"subject": "x", "statecode": 1, "statuscode": 3})
        assert result.versions == [7]
        assert fake.documents("POST") == [{"activityid": ID, "subject": "x"}]


def test_it_sends_party_lists_with_their_activity() -> None:
    values: dict[str, Value] = {
        "requiredattendees": f'[[5,"","joe@example.com"],[5,"contact","{OTHER}"]]',
        "organizer": None,
    }
    with connected({**SETS, "POST appointments": [made(7, 201)]}) as (fake, connector):
        assert write(connector, Action.CREATE, values).failed == {}
        (document,) = fake.documents("POST")
    assert document["appointment_activity_parties"] == [
        {"participationtypemask": 5, "addressused": "joe@example.com"},
        {"participationtypemask": 5, "partyid_contact@odata.bind": f"/contacts({OTHER})"},
    ]


def test_it_replaces_party_lists_and_keeps_the_others() -> None:
    party = {
        "_activityid_value": ID,
        "participationtypemask": 7,
        "_partyid_value": OTHER,
        "_partyid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
    }
    answers = {
        **SETS,
        "GET activityparties": [told({"value": [party]})],
        f"PUT appointments({ID})/appointment_activity_parties": [Answer(204)],
        f"GET appointments({ID})": [made(5), made(8)],
    }
    values: dict[str, Value] = {"requiredattendees": '[[5,"","joe@example.com"]]'}
    with connected(answers) as (fake, connector):
        assert write(connector, Action.UPDATE, values).versions == [8]
        (document,) = fake.documents("PUT")
    assert document == {
        "value": [
            {"participationtypemask": 7, "partyid_contact@odata.bind": f"/contacts({OTHER})"},
            {"participationtypemask": 5, "addressused": "joe@example.com"},
        ]
    }


def test_it_reads_the_version_first_where_the_entity_cannot_check_it() -> None:
    entity = replace(APPOINTMENT, checks_versions=False)
    answers = {f"GET appointments({ID})": [made(5)], f"PATCH appointments({ID})": [made(6)]}
    with connected(answers) as (fake, connector):
        result = write(connector, Action.UPDATE, {"subject": "x"}, entity=entity)
        assert result.versions == [6]
        assert fake.asked[-1].headers["if-match"] == "*"
        stale = write(connector, Action.UPDATE, {"subject": "x"}, entity=entity, expected=4)
        assert (stale.failed[0].kind, stale.failed[0].version) == (FailureKind.CONFLICT, 5)
        assert len(fake.documents("PATCH")) == 1


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (failed("0x80044331", "The length of 'subject' is too long."), "0x80044331", "too long"),
        (failed("0x80040265", "A plug-in said no."), "0x80040265", "A plug-in said no"),
        (failed("0x80040220", "No privilege.", 403), "0x80040220", "No privilege"),
        (Answer(413), "413", "The server answered 413"),
    ],
)
def test_a_refused_record_is_told_with_the_servers_reason(
    answer: Answer, code: str, message: str
) -> None:
    with connected({"POST appointments": [answer]}) as (_, connector):
        result = write(connector, Action.CREATE, {"subject": "x"})
    assert result.failed[0].kind is FailureKind.REJECTED
    assert result.failed[0].code == code
    assert message in result.failed[0].message


def test_a_target_that_the_server_does_not_know_rejects_the_record() -> None:
    missing = "GET EntityDefinitions(LogicalName='account')"
    with connected({missing: [failed("0x80060888", status=404)]}) as (_, connector):
        values: dict[str, Value] = {"regardingobjectid": OTHER}
        result = write(connector, Action.CREATE, {**values, "regardingobjectid__type": "account"})
    assert "no entity 'account' to refer to" in result.failed[0].message


def test_a_login_that_ends_in_between_stops_the_batch() -> None:
    answer = failed("0x80040225", status=403)
    with (
        connected({"POST appointments": [answer]}) as (_, connector),
        pytest.raises(LoginFailed, match="disabled in this organization"),
    ):
        write(connector, Action.CREATE, {"subject": "x"})


def test_a_create_whose_answer_was_lost_is_looked_for() -> None:
    waits: list[float] = []
    found = told({"@odata.etag": 'W/"7"', "activityid": ID, "subject": "x"})
    answers = {"POST appointments": [Answer(502)], f"GET appointments({ID})": [found]}
    with connected(answers, waits) as (fake, connector):
        result = write(connector, Action.CREATE, {"subject": "x"})
        assert len(fake.documents("POST")) == 1
    assert (result.versions, result.failed) == ([7], {})
    assert waits == [0.5]


def test_a_create_that_was_not_carried_out_is_sent_again() -> None:
    answers = {
        "POST appointments": [Answer(502), made(7, 201)],
        f"GET appointments({ID})": [failed("0x80040217", status=404)],
    }
    with connected(answers) as (fake, connector):
        assert write(connector, Action.CREATE, {"subject": "x"}).versions == [7]
        assert len(fake.documents("POST")) == 2


def test_patience_ends() -> None:
    answers = {
        "POST appointments": [Answer(502)],
        f"GET appointments({ID})": [failed("0x80040217", status=404)],
    }
    with connected(answers) as (fake, connector):
        with pytest.raises(Retryable, match="not able to answer"):
            write(connector, Action.CREATE, {"subject": "x"})
        assert len(fake.documents("POST")) == 3


def test_it_reads_party_lists_in_canonical_form() -> None:
    party = {
        "_activityid_value": ID,
        "participationtypemask": 5,
        "_partyid_value": OTHER.upper(),
        "_partyid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
    }
    address = {
        "_activityid_value": ID,
        "participationtypemask": 5,
        "addressused": "Joe@Example.com",
    }
    answers = {
        "GET appointments": [told({"value": [{"activityid": ID, "versionnumber": 5}]})],
        "GET activityparties": [told({"value": [party, address]})],
    }
    names = ("requiredattendees", "organizer")
    wanted = [item for item in APPOINTMENT.attributes if item.name in names]
    with connected(answers) as (_, connector):
        page = connector.fetch(APPOINTMENT, wanted, [ID])
    assert page.columns == ("activityid", "requiredattendees", "organizer")
    assert page.rows == [(ID, f'[[5,"","joe@example.com"],[5,"contact","{OTHER}"]]', None)]


def test_a_lookup_to_nothing_rejects_a_create_and_is_no_conflict() -> None:
    missing = failed("0x80040217", "contact With Id = x Does Not Exist", 404)
    with connected({"POST appointments": [missing]}) as (_, connector):
        result = write(connector, Action.CREATE, {"subject": "x"})
    assert result.failed[0].kind is FailureKind.REJECTED
    assert "Bring the record it refers to first" in result.failed[0].message


def test_an_update_whose_answer_was_lost_is_a_conflict_when_another_was_faster() -> None:
    other = told({"@odata.etag": 'W/"9"', "activityid": ID, "subject": "theirs"})
    answers = {f"PATCH appointments({ID})": [Answer(502)], f"GET appointments({ID})": [other]}
    with connected(answers) as (fake, connector):
        result = write(connector, Action.UPDATE, {"subject": "x"})
        assert len(fake.documents("PATCH")) == 1
    assert (result.failed[0].kind, result.failed[0].version) == (FailureKind.CONFLICT, 9)


def test_a_table_that_turns_out_to_check_no_versions_is_read_before() -> None:
    answers = {
        f"PATCH appointments({ID})": [failed("0x8006088d"), made(6)],
        f"GET appointments({ID})": [made(5)],
    }
    with connected(answers) as (fake, connector):
        assert write(connector, Action.UPDATE, {"subject": "x"}).versions == [6]
        matches = [r.headers["if-match"] for r in fake.asked if r.method == "PATCH"]
    assert matches == ['W/"5"', "*"]


def test_a_schema_that_changed_stops_the_batch() -> None:
    answer = failed("0x80041103", "no such attribute")
    with (
        connected({"POST appointments": [answer]}) as (_, connector),
        pytest.raises(MetadataChanged, match="Run Update Server"),
    ):
        write(connector, Action.CREATE, {"subject": "x"})


MANY = [f"00000000-0000-0000-0000-0000000001{at:02}" for at in range(20)]


def make_versions(*versions: int) -> Answer:
    pairs = zip(MANY, versions, strict=True)
    return told({"value": [{"activityid": id_, "versionnumber": at} for id_, at in pairs]})


def test_it_updates_many_at_once_where_versions_cannot_be_checked() -> None:
    entity = replace(APPOINTMENT, checks_versions=False)
    action = "POST appointments/Microsoft.Dynamics.CRM.UpdateMultiple"
    answers = {
        "GET sdkmessagefilters": [told({"value": [{"sdkmessageid": {"name": "UpdateMultiple"}}]})],
        "GET appointments": [make_versions(*[5] * 19, 8), make_versions(*[6] * 19, 8)],
        action: [Answer(204)],
        f"GET appointments({MANY[19]})": [made(8)],
    }
    batch = Batch(
        action=Action.UPDATE,
        columns=("activityid", "subject"),
        rows=[(id_, "x") for id_ in MANY],
        expected=[5] * 20,
    )
    with connected(answers) as (fake, connector):
        result = connector.write(entity, batch)
        (document,) = fake.documents("POST")
    assert (list(result.failed), result.failed[19].version) == ([19], 8)
    assert result.versions == [*[6] * 19, 8]
    assert document["Targets"][0] == {
        "@odata.type": "Microsoft.Dynamics.CRM.appointment",
        "activityid": MANY[0],
        "subject": "x",
    }
    assert len(document["Targets"]) == 19
