"""Making a rehearsal of a connection: a twin of its server's metadata, and a copy that uses it.

Only metadata are read from the server. The twin gets generated records; the copy of the
connection has the same entities, filters and settings, and a client organization of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from connections import registry
from connections.connect import service
from connections.connect.proof import Proof
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.base import EntitySummary, Identity
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import delete_organization
from organizations.errors import AlreadyExists, InvalidRequest
from organizations.members import check_login
from organizations.models import Organization
from organizations.models.organization import validate_name
from organizations.samples.generator import Progress
from organizations.samples.rehearsal import make_rehearsal
from organizations.samples.twins import Twin
from organizations.schema import ENGLISH, Entity

CLIENT_SUFFIX = "-client"
AT_ONCE = 2000
"""Records that are made while somebody waits for a page; more are made by the command."""
FOUNDATION = ("businessunit", "systemuser", "transactioncurrency")
"""Entities that every record points to; they come along where the server has them."""
PARTIES = "activityparty"
_LINK = re.compile(r"""<link-entity\b[^>]*\bname=["'](\w+)["']""")
_OWN_FIELDS = frozenset({"id", "connection", "name", "label", "is_intersect", "problem", "note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make: the twin is called `name`, its client `name` with "-client" behind.

    `records` is how many of each entity at most; `most` limits all of them together, None not.
    `base_url` is where this installation answers. `is_whole`: all entities of the server, not
    only the enabled ones.
    """

    name: str
    email: str
    password: str = field(repr=False)
    records: int
    base_url: str
    seed: int = 1
    is_whole: bool = False
    most: int | None = None

    @property
    def client(self) -> str:
        """Name of the client organization."""
        return f"{self.name}{CLIENT_SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What was made; the connection waits for its first Update Server."""

    twin: Twin
    connection: Connection


def rehearse(
    connection: Connection, wanted: Wanted, *, progress: Progress | None = None
) -> Rehearsal:
    """Make a rehearsal of a connection; all of it, or nothing.

    Raises InvalidRequest, AlreadyExists, connector errors.
    """
    _check(wanted)
    with registry.connector(connection.server) as server:
        identity = server.identify()
        listed = tuple(server.entities())
        names = _names(connection, listed, is_whole=wanted.is_whole)
        _check_number(len(names), connection, wanted)
        entities = list(server.describe(names))
    with ExitStack() as undo:
        twin = make_rehearsal(
            wanted.name,
            entities,
            records=wanted.records,
            seed=wanted.seed,
            email=wanted.email,
            password=wanted.password,
            languages=identity.languages or (ENGLISH,),
            progress=progress,
        )
        undo.callback(delete_organization, twin.organization)
        copy = _copy(connection, wanted, twin, entities)
        undo.pop_all()
    return Rehearsal(twin=twin, connection=copy)


def _check(wanted: Wanted) -> None:
    for name in (wanted.name, wanted.client):
        try:
            validate_name(name)
        except ValidationError as error:
            raise InvalidRequest(
                f"{error.messages[0]} The client is called '{wanted.client}'.", "name"
            ) from error
        if Organization.objects.filter(name=name).exists():
            raise AlreadyExists("organization", name)
    if wanted.records < 0:
        raise InvalidRequest(
            f"The number of records must be 0 or more, not {wanted.records}.", "records"
        )
    check_login(wanted.email, wanted.password)


def _check_number(entities: int, connection: Connection, wanted: Wanted) -> None:
    if not entities:
        raise InvalidRequest(
            f"No entity of '{connection.name}' is enabled. Enable some, or take all of them.",
            "is_whole",
        )
    if wanted.most is not None and entities * wanted.records > wanted.most:
        raise InvalidRequest(
            f"{entities:,} entities with {wanted.records:,} records each are more than the "
            f"{wanted.most:,} records that can be made while you wait. Ask for at most "
            f"{wanted.most // entities:,} of each, or use the command "
            f"'manage.py rehearse {connection.name} --records {wanted.records}'.",
            "records",
        )


def _names(connection: Connection, listed: Sequence[EntitySummary], *, is_whole: bool) -> list[str]:
    enabled = set(connection.entities.filter(enabled=True).values_list("name", flat=True))
    summaries = {item.name: item for item in listed if not item.problem}
    chosen = set(summaries) if is_whole else enabled & set(summaries)
    if not chosen:
        return []
    chosen |= (set(FOUNDATION) | _linked(connection)) & set(summaries)
    if any(summaries[name].is_activity for name in chosen):
        chosen |= {PARTIES} & {item.name for item in listed}
    return sorted(chosen)


def _linked(connection: Connection) -> set[str]:
    """Return the entities that sync filters look at besides their own."""
    texts = connection.entities.filter(enabled=True).values_list("filter_xml", flat=True)
    return {name for text in texts for name in _LINK.findall(text)}


def _request(wanted: Wanted, twin: Twin) -> ConnectRequest:
    return ConnectRequest(
        backend=Endpoint.Backend.DYNAMICS,
        url=f"{wanted.base_url.rstrip('/')}{twin.path.rstrip('/')}",
        user_name=twin.client_id,
        password=twin.secret,
    )


def _copy(
    connection: Connection, wanted: Wanted, twin: Twin, entities: Iterable[Entity]
) -> Connection:
    listed = tuple(_summary(entity) for entity in entities)
    rows = {row.name: row for row in connection.entities.all()}
    chosen = [item.name for item in listed if item.name in rows and rows[item.name].enabled]
    organization = twin.organization
    proven = Proof(
        request=_request(wanted, twin),
        identity=Identity(
            organization_id=str(organization.pk),
            organization_name=organization.name,
            user_id=twin.client_id,
        ),
        listed=listed,
        entities=tuple(EntityChoice(name=name) for name in chosen),
        filters={name: rows[name].filter_xml for name in chosen if rows[name].filter_xml},
    )
    person = {"company": wanted.client.replace("-", " ").title()}
    client = service.NewClient(
        name=wanted.client, email=wanted.email, password=wanted.password, person=person
    )
    with transaction.atomic():
        copy = service.connect(proven, client)
        _copy_settings(connection, copy, rows)
    return copy


def _copy_settings(connection: Connection, copy: Connection, rows: dict[str, SyncedEntity]) -> None:
    copy.write_mode = connection.write_mode
    copy.save(update_fields=["write_mode"])
    names = [
        item.name for item in SyncedEntity._meta.concrete_fields if item.name not in _OWN_FIELDS
    ]
    for row in copy.entities.filter(name__in=rows):
        for name in names:
            setattr(row, name, getattr(rows[row.name], name))
        row.save(update_fields=names)


def _summary(entity: Entity) -> EntitySummary:
    return EntitySummary(
        name=entity.name,
        label=entity.label,
        is_intersect=entity.is_intersect,
        is_activity=entity.is_activity,
        is_custom=entity.is_custom,
        tracks_changes=entity.tracks_changes,
    )
