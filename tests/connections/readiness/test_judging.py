"""What is said of a server and of an entity, in which colour, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connections.connectors.base import (
    EntitySummary,
    Identity,
)
from connections.connectors.facts import ServerFacts
from connections.readiness import judging
from connections.readiness.judging import Seen
from connections.readiness.report import Colour, EntityReport, Finding, Report, to_json
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    Entity,
    Key,
    ManyToMany,
    RequiredLevel,
)

IDENTITY = Identity(
    organization_id="1",
    organization_name="Contoso",
    user_id="2",
    version="9.2.1",
    languages=(1033,),
)
FACTS = ServerFacts(roles=("Salesperson",), token_days=7, limits=("The server says 4 at once.",))
DAY = timedelta(days=1)


def about(what: str, facts: ServerFacts = FACTS, interval: timedelta | None = DAY) -> Finding:
    (found,) = (f for f in judging.of_server(IDENTITY, facts, interval) if f.about == what)
    return found


def make_entity(**changes: Any) -> Entity:
    key = Attribute(name="leadid", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    subject = Attribute(
        name="subject", type=AttributeType.STRING, required=RequiredLevel.APPLICATION
    )
    version = Attribute(name=VERSION, type=AttributeType.BIGINT)
    pair = ManyToMany(
        name="leadcompetitors_association",
        entity1="lead",
        attribute1="leadid",
        entity2="competitor",
        attribute2="competitorid",
        intersect_entity="leadcompetitors",
    )
    entity = Entity(
        name="lead",
        primary_id="leadid",
        set_name="leads",
        attributes=(key, subject, version),
        tracks_changes=True,
        keys=(Key(name="by_subject", attributes=("subject",)),),
        relationships=(pair,),
    )
    return replace(entity, **changes)


def judged(
    *enabled: str,
    entity: Entity | None = None,
    failure: str = "",
    can_track: bool = False,
    note: str = "",
) -> EntityReport:
    summary = EntitySummary(name="lead", can_track_changes=can_track, note=note)
    seen = Seen(summary=summary, entity=entity or make_entity(), failure=failure, count=7)
    return judging.of_entity(seen, ("lead", *enabled))


def test_a_server_without_fault_is_green() -> None:
    found = list(judging.of_server(IDENTITY, FACTS, DAY))
    assert {finding.colour for finding in found} == {Colour.GREEN}
    assert [finding.about for finding in found] == [
        "login",
        "roles",
        "version",
        "languages",
        "schedule",
        "limits",
    ]
    assert not any(finding.fix for finding in found)


@pytest.mark.parametrize(
    ("days", "interval", "colour", "words"),
    [
        (7, timedelta(hours=1), Colour.GREEN, "7 days; runs are 1 hours apart"),
        (7, timedelta(days=4), Colour.AMBER, "4 days apart. One run that fails"),
        (7, timedelta(days=7), Colour.RED, "Every run reads everything"),
        (7, None, Colour.AMBER, "no job is active"),
        (None, DAY, Colour.AMBER, "not known how long"),
    ],
)
def test_the_token_window_is_held_against_the_schedule(
    days: int | None, interval: timedelta | None, colour: Colour, words: str
) -> None:
    found = about("schedule", ServerFacts(token_days=days), interval)
    assert found.colour is colour
    assert words in found.text
    assert bool(found.fix) == (colour is not Colour.GREEN)


def test_a_user_without_roles_is_red_and_one_who_may_not_see_them_amber() -> None:
    assert about("roles", ServerFacts(roles=())).colour is Colour.RED
    assert about("roles", ServerFacts(roles=None)).colour is Colour.AMBER
    assert about("roles").text == "Roles: Salesperson."


def test_an_old_server_is_red() -> None:
    old = replace(IDENTITY, version="8.2.1")
    (found,) = (f for f in judging.of_server(old, FACTS, DAY) if f.about == "version")
    assert (found.colour, found.fix) == (Colour.RED, "Update the server.")


def test_it_tells_required_attributes_keys_pairs_and_the_count() -> None:
    found = judged()
    assert (found.colour, found.fix, found.count) == (Colour.GREEN, "", 7)
    assert found.required == ("subject",)
    assert found.keys == ("by_subject: subject",)
    assert found.many_to_many == ("leadcompetitors",)
    assert found.readable
    assert found.tracks_changes


def test_an_entity_that_cannot_be_read_is_red() -> None:
    found = judged(failure="The server denies it: prvReadLead.")
    assert (found.colour, found.readable) == (Colour.RED, False)
    assert found.findings[0].text == "The server denies it: prvReadLead."
    assert "Give the user a role" in found.fix


@pytest.mark.parametrize(
    ("versions", "can_track", "words"),
    [
        (True, True, "Turn on 'Track changes'"),
        (True, False, "Tick Sync Deletion"),
        (False, False, "Give it a sync filter"),
    ],
)
def test_without_change_tracking_it_is_amber(versions: bool, can_track: bool, words: str) -> None:
    entity = make_entity(tracks_changes=False)
    if not versions:
        entity = replace(entity, attributes=entity.attributes[:2])
    found = judged(entity=entity, can_track=can_track)
    assert found.colour is Colour.AMBER
    assert words in found.fix


def test_pairs_that_are_left_out_between_two_carried_sides_are_amber() -> None:
    assert "Enable leadcompetitors" in judged("competitor").fix
    assert judged("competitor", "leadcompetitors").colour is Colour.GREEN


def test_a_note_is_shown_and_does_not_alarm() -> None:
    found = judged(note="Matched by name.")
    assert found.colour is Colour.GREEN
    assert "Matched by name." in [finding.text for finding in found.findings]


def test_a_refused_entity_and_one_that_is_gone_are_red() -> None:
    refused = judging.refused(EntitySummary(name="plugintype", problem="A component."))
    gone = judging.missing("old")
    assert {refused.colour, gone.colour} == {Colour.RED}
    assert (refused.findings[0].text, refused.fix) == ("A component.", "Disable the entity.")
    assert "Run Update Server" in gone.fix


def test_a_report_is_as_grave_as_its_worst_finding() -> None:
    green = Finding(colour=Colour.GREEN, about="login", text="Signed in.")
    report = Report(server=(green,), entities=(judged(), judging.missing("old")))
    assert report.colour is Colour.RED
    assert report.summary == "Readiness: red. Entities: 1 red, 0 amber, 1 green."
    document = to_json(report)
    assert document["colour"] == "red"
    assert [item["colour"] for item in document["entities"]] == ["green", "red"]
    assert Report(server=(green,)).colour is Colour.GREEN
