"""`POST /rest/v1/sync/{client}/SyncAsync`: start Sync All from outside.

The body is optional: a `SyncRequest` with `Entities` (the forms of ConnectRequest) and `DryRun`,
or with `Plan` (the id of a dry run, whose plan is carried out), in XML, or with the same names in
JSON. The original's page names only the path; the request is ours (assumed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from lxml import etree

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.doors import body
from syncjobs.doors.answers import JSON
from syncjobs.doors.basic import administrator
from syncjobs.doors.door import door
from syncjobs.doors.fault import Fault
from syncjobs.doors.jobs import accepted
from syncjobs.models import Run

_SWITCHES = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Which entities to carry (none named: all that are enabled), and whether only to plan.

    With `plan`, the id of a dry run, its plan is carried out and nothing else.
    """

    entities: tuple[str, ...] = ()
    dry_run: bool = False
    plan: str = ""


@door("POST")
def sync_async(request: HttpRequest, client: str) -> HttpResponse:
    """Start Sync All of the client and answer where its job is; 404 if it is not connected."""
    caller = administrator(request, client)
    wanted = read(body.read(request), is_json=request.content_type == JSON)
    connection = Connection.objects.filter(name=client).first()
    if connection is None:
        raise Fault(
            f"'{client}' is not connected to a server. Connect it first (ConnectAsync).",
            status=404,
            code="NotConnected",
            detail="client",
        )
    return accepted(request, _start(connection, wanted, caller))


def _start(connection: Connection, wanted: SyncRequest, actor: str) -> Run:
    if wanted.plan:
        return dispatch.start_apply(connection, wanted.plan, reason="web service", actor=actor)
    return dispatch.start_sync(
        connection,
        entities=wanted.entities,
        dry_run=wanted.dry_run,
        reason="web service",
        actor=actor,
    )


def read(raw: bytes, *, is_json: bool) -> SyncRequest:
    """Return the request; an empty body asks for everything.

    Raises Fault or InvalidRequest naming the element.
    """
    if not raw.strip():
        return SyncRequest()
    if is_json:
        document = body.parse_json(raw)
        return _request(document.get("SyncRequest", document))
    root = body.parse_xml(raw)
    if etree.QName(root).localname != "SyncRequest":
        raise InvalidRequest(
            f"The document element is '{etree.QName(root).localname}'; it must be 'SyncRequest'.",
            element="SyncRequest",
        )
    return _request(_document(root))


def _document(root: etree._Element) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for child in root:
        name = etree.QName(child).localname
        if name not in ("Entities", "DryRun", "Plan"):
            continue
        if name in document:
            raise InvalidRequest(f"'{name}' is given more than once.", element=name)
        document[name] = _items(child) if len(child) else child.text or ""
    return document


def _items(parent: etree._Element) -> list[str]:
    return [child.get("Name") or child.text or "" for child in parent]


def _request(document: Any) -> SyncRequest:
    if not isinstance(document, dict):
        raise InvalidRequest("'SyncRequest' must be an object.", element="SyncRequest")
    wanted = SyncRequest(
        _entities(document.get("Entities", ())),
        _switch(document.get("DryRun")),
        _plan(document.get("Plan")),
    )
    if wanted.plan and (wanted.entities or wanted.dry_run):
        raise InvalidRequest(
            "A plan is carried out as it was made: leave out 'Entities' and 'DryRun', or 'Plan'.",
            element="Plan",
        )
    return wanted


def _plan(value: Any) -> str:
    if value is None or isinstance(value, str):
        return (value or "").strip()
    raise InvalidRequest("'Plan' must be the id of a dry run.", element="Plan")


def _entities(value: Any) -> tuple[str, ...]:
    items = value.split(";") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise _wrong_entities()
    return tuple(sorted(set(_names(items))))


def _names(items: Iterable[Any]) -> Iterable[str]:
    for item in items:
        name = item.get("Name") if isinstance(item, dict) else item
        if not isinstance(name, str):
            raise _wrong_entities()
        if name.strip():
            yield name.strip()


def _switch(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if not isinstance(value, str) or value.strip().lower() not in _SWITCHES:
        raise InvalidRequest("'DryRun' must be true or false.", element="DryRun")
    return _SWITCHES[value.strip().lower()]


def _wrong_entities() -> InvalidRequest:
    return InvalidRequest(
        "'Entities' must hold logical names: Entity elements with a Name, string elements, or "
        "text such as 'account;contact'.",
        element="Entities",
    )
