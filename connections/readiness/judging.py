"""How what was seen of a server is judged; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from connections.connectors.base import (
    EntitySummary,
    Identity,
)
from connections.connectors.facts import ServerFacts
from connections.readiness.report import Colour, EntityReport, Finding
from organizations.schema import VERSION, Attribute, AttributeType, Entity, RequiredLevel

_DEMANDED = (RequiredLevel.APPLICATION, RequiredLevel.SYSTEM)
_OLDEST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One entity as the server showed it. `failure` is why not one record could be read."""

    summary: EntitySummary
    entity: Entity
    failure: str = ""
    count: int | None = None


def of_server(
    identity: Identity, facts: ServerFacts, interval: timedelta | None
) -> Iterator[Finding]:
    """Yield what is to be said of the organization.

    `interval` is the longest time between two runs by schedule, None without an active job.
    """
    yield _green("login", f"Signed in to {identity.organization_name}.")
    yield _roles(facts)
    yield _version(identity.version)
    if identity.languages:
        listed = ", ".join(map(str, sorted(identity.languages)))
        yield _green("languages", f"Labels come in these languages: {listed}.")
    yield _window(facts.token_days, interval)
    yield from (_green("limits", text) for text in facts.limits)


def of_entity(seen: Seen, enabled: Collection[str]) -> EntityReport:
    """Return the report of one entity; `enabled` are the names of all that are carried."""
    entity = seen.entity
    return EntityReport(
        name=entity.name,
        label=entity.label.text(fallback=entity.name),
        readable=not seen.failure,
        tracks_changes=entity.tracks_changes,
        count=seen.count,
        required=tuple(item.name for item in entity.attributes if is_demanded(item)),
        keys=tuple(f"{key.name}: {', '.join(key.attributes)}" for key in entity.keys),
        many_to_many=tuple(item.intersect_entity for item in entity.many_to_many),
        findings=tuple(_findings(seen, enabled)),
    )


def refused(summary: EntitySummary) -> EntityReport:
    """Return the report of an entity that cannot be carried."""
    finding = Finding(
        colour=Colour.RED, about="difficult", text=summary.problem, fix="Disable the entity."
    )
    label = summary.label.text(fallback=summary.name)
    return EntityReport(name=summary.name, label=label, findings=(finding,))


def missing(name: str) -> EntityReport:
    """Return the report of an entity that the server does not list."""
    finding = Finding(
        colour=Colour.RED,
        about="readable",
        text="The server has no such entity, or does not show it to this user.",
        fix="Run Update Server, or disable the entity.",
    )
    return EntityReport(name=name, label=name, findings=(finding,))


def _findings(seen: Seen, enabled: Collection[str]) -> Iterator[Finding]:
    if seen.failure:
        yield Finding(
            colour=Colour.RED,
            about="readable",
            text=seen.failure,
            fix="Give the user a role that may read this table in the whole organization, "
            "or disable the entity.",
        )
    yield _tracking(seen)
    if seen.summary.note:
        yield _green("difficult", seen.summary.note)
    yield from _pairs(seen.entity, enabled)


def _tracking(seen: Seen) -> Finding:
    if seen.entity.tracks_changes:
        return _green("changes", "Change tracking is on.")
    if seen.summary.can_track_changes:
        return Finding(
            colour=Colour.AMBER,
            about="changes",
            text="Change tracking is off: deletions are only found by comparing all ids.",
            fix="Turn on 'Track changes' in the table's settings on the server.",
        )
    if seen.entity.attribute(VERSION) is None:
        return Finding(
            colour=Colour.AMBER,
            about="changes",
            text="The table has no change tracking and no version numbers: every run reads it all.",
            fix="Give it a sync filter that keeps it small.",
        )
    return Finding(
        colour=Colour.AMBER,
        about="changes",
        text="Change tracking cannot be turned on: changes are read by version number.",
        fix="Tick Sync Deletion if records deleted on the server shall go from the client too.",
    )


def _pairs(entity: Entity, enabled: Collection[str]) -> Iterator[Finding]:
    """Yield the intersects that are left out although both their sides are carried."""
    for item in entity.many_to_many:
        sides = {item.entity1, item.entity2}
        if sides <= set(enabled) and item.intersect_entity not in {*enabled, *sides}:
            yield Finding(
                colour=Colour.AMBER,
                about="N:N",
                text=f"The pairs of {item.entity1} and {item.entity2} are not carried.",
                fix=f"Enable {item.intersect_entity}, if the client needs them.",
            )


def is_demanded(attribute: Attribute) -> bool:
    """Return whether a record cannot be made without a value for it."""
    return (
        attribute.required in _DEMANDED
        and attribute.is_creatable
        and attribute.attribute_of is None
        and attribute.type is not AttributeType.UNIQUEIDENTIFIER
    )


def _roles(facts: ServerFacts) -> Finding:
    if facts.roles is None:
        return Finding(
            colour=Colour.AMBER,
            about="roles",
            text="The user may not see which roles it has.",
            fix="Let the user read security roles, or look at its roles on the server.",
        )
    if not facts.roles:
        return Finding(
            colour=Colour.RED,
            about="roles",
            text="The user has no security role of its own.",
            fix="Give the user a role that may read all enabled tables in the organization.",
        )
    return _green("roles", f"Roles: {', '.join(facts.roles)}.")


def _version(text: str) -> Finding:
    number = text.partition(".")[0]
    if number.isdecimal() and int(number) < _OLDEST:
        return Finding(
            colour=Colour.RED,
            about="version",
            text=f"The server is of version {text}; the Web API v9.2 is needed.",
            fix="Update the server.",
        )
    return _green("version", f"Version {text}." if text else "The server does not say its version.")


def _window(days: int | None, interval: timedelta | None) -> Finding:
    """Judge whether runs come often enough for their checkpoints to be still known."""
    seldom = Finding(
        colour=Colour.AMBER,
        about="schedule",
        text="",
        fix="Activate a job that runs at least once a day.",
    )
    window = timedelta(days=days or 0)
    if days is None:
        return _colour(seldom, "It is not known how long the server remembers changes.")
    if interval is None:
        return _colour(
            seldom,
            f"The server remembers changes for {days} days, and no job is active: after a longer "
            "pause everything is read again.",
        )
    said = f"The server remembers changes for {days} days; runs are {_days(interval)} apart."
    if interval >= window:
        return _colour(seldom, f"{said} Every run reads everything.", Colour.RED)
    if interval * 2 > window:
        return _colour(seldom, f"{said} One run that fails makes the next read everything.")
    return _green("schedule", said)


def _colour(finding: Finding, text: str, colour: Colour = Colour.AMBER) -> Finding:
    return Finding(colour=colour, about=finding.about, text=text, fix=finding.fix)


def _days(interval: timedelta) -> str:
    hours = interval / timedelta(hours=1)
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"


def _green(about: str, text: str) -> Finding:
    return Finding(colour=Colour.GREEN, about=about, text=text)


Progress = Callable[[str, int, int], None]
"""Called with the entity's name, how many are done, and how many there are."""
