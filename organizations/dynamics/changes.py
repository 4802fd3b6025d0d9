"""Change tracking: `Prefer: odata.track-changes`, delta links, deleted records (dataverse.md 3.4).

The version a delta link will start from is taken before the first page is read and travels in
the cookies, so that a long reading misses nothing; what changed meanwhile comes twice.
A delta reading is bounded the same way: versions above the token's, up to that of its first page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpResponse

from organizations.dynamics import links, reading, selection
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import EXPIRED, NOT_TRACKED, bad_request
from organizations.dynamics.links import Position
from organizations.dynamics.names import Shape
from organizations.dynamics.rows import Document
from organizations.dynamics.selection import Selection
from organizations.models import EntityDefinition, Organization

_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_VERSION = "version"


def is_tracked(call: Call, position: Position) -> bool:
    """Return whether a request is about changes."""
    return call.preferences.track_changes or "$deltatoken" in call.options or position.tracking


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with a page of all records, or of those changed since a delta token."""
    _check(call, shape)
    position = links.position(call)
    if "$deltatoken" in call.options or "since" in position.values:
        return _delta(call, shape, position)
    return _first_reading(call, shape, position)


def _check(call: Call, shape: Shape) -> None:
    for option in _REFUSED:
        if option in call.options:
            raise bad_request(
                f'The "${{{option[1:]}}}" query parameter isn\'t supported when Change Tracking '
                "is enabled."
            )
    if not shape.entity.tracks_changes:
        raise bad_request(
            f"Entity {shape.entity.name} isn't enabled for change tracking.", NOT_TRACKED
        )


def _first_reading(call: Call, shape: Shape, position: Position) -> HttpResponse:
    chosen = selection.read(call, shape)
    version = position.values.get(_VERSION) or str(call.store.row_version())
    limit = chosen.page_size
    rows = call.store.page(
        shape.entity.name,
        chosen.writer.columns,
        after=links.last_id(position.cookie),
        limit=limit + 1,
    )
    shown = rows[:limit]
    document: dict[str, Any] = {
        "@odata.context": selection.context(call, shape.entity.set_name),
        "value": chosen.writer.write(call.store, shown),
    }
    if len(rows) > limit:
        first, last = str(shown[0][0]), str(shown[-1][0])
        key = shape.entity.primary_id
        cookie = links.id_cookie(position.page, key, first, last, **{_VERSION: version})
        document["@odata.nextLink"] = links.next_link(
            call, cookie, position.page + 1, tracking=True
        )
    else:
        document["@odata.deltaLink"] = links.delta_link(call, int(version))
    return answer(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far a delta reading has come.

    It tells what changed after version `since` up to `until`. Changed records are told up to
    version `read`; `gone` deletions are told already (they come last).
    """

    since: int
    until: int
    read: int
    gone: int = 0


def _delta(call: Call, shape: Shape, position: Position) -> HttpResponse:
    start = _progress(position) if position.values else _beginning(call, shape)
    chosen = selection.read(call, shape)
    entries, following = _entries(call, chosen, start)
    set_name = shape.entity.set_name
    document: dict[str, Any] = {
        "@odata.context": selection.context(call, set_name, suffix="/$delta"),
        "value": entries,
    }
    if following is None:
        document["@odata.deltaLink"] = links.delta_link(call, start.until)
    else:
        values = {name: str(getattr(following, name)) for name in following.__slots__}
        cookie = links.value_cookie(position.page, **values)
        document["@odata.nextLink"] = links.next_link(
            call, cookie, position.page + 1, tracking=True
        )
    return answer(document)


def _progress(position: Position) -> _Progress:
    try:
        return _Progress(**{name: int(position.values[name]) for name in _Progress.__slots__})
    except (KeyError, ValueError) as error:
        raise bad_request("Malformed XML in the Paging Cookie", "0x8004e00a") from error


def _beginning(call: Call, shape: Shape) -> _Progress:
    version, moment = links.delta_token(call.options["$deltatoken"])
    until = call.store.row_version()
    if version > until or is_expired(call.organization, shape, version, moment):
        raise bad_request(
            "Version stamp associated with the client has expired. Please perform a full sync.",
            EXPIRED,
        )
    return _Progress(since=version, until=until, read=version)


def is_expired(organization: Organization, shape: Shape, version: int, moment: datetime) -> bool:
    """Return whether a token is too old, or from before changes of the entity were kept."""
    if datetime.now(UTC) - moment > timedelta(days=organization.change_tracking_days):
        return True
    rows = EntityDefinition.objects.filter(organization=organization, name=shape.entity.name)
    since = rows.values_list("tracks_since", flat=True).first()
    return since is None or version < since


def expire(organization: Organization) -> None:
    """Let every delta token given out so far be expired, as after a long time without a sync."""
    with transaction.atomic():
        own = Organization.objects.select_for_update().filter(pk=organization.pk)
        own.update(row_version=F("row_version") + 1)
        version = own.values_list("row_version", flat=True).get()
        tracked = EntityDefinition.objects.filter(organization=organization)
        tracked.filter(tracks_since__isnull=False).update(tracks_since=version)


def _entries(
    call: Call, chosen: Selection, start: _Progress
) -> tuple[list[Document], _Progress | None]:
    """Return one page of changed, then deleted records, and what is left to tell."""
    limit, name = chosen.page_size, chosen.shape.entity.name
    rows = call.store.page(
        name, chosen.writer.columns, since=start.read, until=start.until, limit=limit + 1
    )
    shown = rows[:limit]
    entries = chosen.writer.write(call.store, shown)
    if len(rows) > limit:
        return entries, replace(start, read=int(str(shown[-1][-1])))
    gone = sorted(call.store.deleted(name, since=start.since, until=start.until))
    told = start.gone + limit - len(shown)
    context = f"{call.api}$metadata#{chosen.shape.entity.set_name}/$deletedEntity"
    entries += [
        {"@odata.context": context, "id": key, "reason": "deleted"}
        for key in gone[start.gone : told]
    ]
    following = replace(start, read=start.until, gone=told) if told < len(gone) else None
    return entries, following


def count(call: Call, shape: Shape) -> HttpResponse:
    """Answer `/$count?$deltatoken=…`: the number of changes."""
    _check(call, shape)
    start = _beginning(call, shape)
    name, key = shape.entity.name, shape.entity.primary_id
    most = reading.MOST_COUNTED
    rows = call.store.page(name, [key], since=start.since, until=start.until, limit=most)
    gone = call.store.deleted(name, since=start.since, until=start.until)
    return reading.counted(len(rows) + len(gone))
