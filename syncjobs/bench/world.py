"""The two organizations that are measured: a twin with plain records, and its client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection as database

from connections.connect import proof, service
from connections.connect.request import from_document
from connections.models import Connection
from organizations import catalog
from organizations.models import Application, Organization
from organizations.records import Row
from organizations.schema import Attribute, AttributeType, Entity, Label, columns
from organizations.store import Store

SERVER, CLIENT, ENTITY = "bench-server", "bench-client", "bench_record"
PROVIDER = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
SECRET = "bench-secret-of-no-value"  # noqa: S105 - of an organization that lives for minutes
_NO_LIMIT = 1_000_000
_NAMESPACE = uuid.UUID("6f1d0c5e-9a5b-4b5e-8f43-5b8b7f0b7f11")
_TEXTS = ("accountnumber", "emailaddress1", "telephone1", "websiteurl", "address1_city", "country")


@dataclass(frozen=True, slots=True)
class Login:
    """An application user of the twin."""

    client_id: str
    secret: str


def entity(*, tracked: bool = True) -> Entity:
    """Return an entity of twenty attributes of every common type."""
    kinds = AttributeType
    attributes = (
        _attribute("bench_recordid", kinds.UNIQUEIDENTIFIER, is_primary_id=True),
        _attribute("name", kinds.STRING, max_length=160, is_primary_name=True),
        *(_attribute(name, kinds.STRING, max_length=200) for name in _TEXTS),
        _attribute("description", kinds.MEMO, max_length=2000),
        _attribute("numberofemployees", kinds.INTEGER),
        _attribute("industrycode", kinds.INTEGER),
        _attribute("ranking", kinds.INTEGER),
        _attribute("revenue", kinds.MONEY, precision=4),
        _attribute("creditlimit", kinds.DECIMAL, precision=2),
        _attribute("latitude", kinds.DOUBLE, precision=5),
        _attribute("donotemail", kinds.BOOLEAN),
        _attribute("createdon", kinds.DATETIME),
        _attribute("modifiedon", kinds.DATETIME),
        _attribute("parentid", kinds.LOOKUP, targets=(ENTITY,)),
        _attribute("customerid", kinds.CUSTOMER, targets=("account", "contact")),
        _attribute("versionnumber", kinds.BIGINT, is_creatable=False, is_updatable=False),
    )
    return Entity(
        name=ENTITY,
        primary_id="bench_recordid",
        primary_name="name",
        label=Label.of({1033: "Record"}),
        schema_name="Bench_Record",
        set_name="bench_records",
        is_custom=True,
        tracks_changes=tracked,
        attributes=attributes,
    )


def _attribute(name: str, kind: AttributeType, **rest: object) -> Attribute:
    label = Label.of({1033: name.title()})
    return Attribute(name=name, type=kind, label=label, schema_name=name, **rest)  # type: ignore[arg-type]


def rows(count: int) -> Iterator[Row]:
    """Yield flat rows, the same ones at every call."""
    for number in range(count):
        key = record_id(number)
        parent = record_id(number // 7)
        hour = f"2024-05-{number % 28 + 1:02d}T{number % 24:02d}:00:00Z"
        yield (
            key,
            f"Fabrikam {number} Gesellschaft für Möbel",
            f"AC-{number:08d}",
            f"info{number}@fabrikam.example",
            f"+421 2 {number:08d}",
            f"https://fabrikam{number}.example/",
            ("Žilina", "München", "Brno", "Wien")[number % 4],
            "SK",
            None if number % 5 else f"Note {number}. " * 8,
            number % 5000,
            number % 40,
            number % 7,
            Decimal(number) * Decimal("10.2500"),
            Decimal(number % 1000).quantize(Decimal("0.01")),
            round(number % 180 - 90 + 0.12345, 5),
            bool(number % 2),
            hour,
            hour,
            parent,
            parent,
            ("account", "contact")[number % 2],
        )


def record_id(number: int) -> str:
    """Return the id of the n-th record."""
    return str(uuid.uuid5(_NAMESPACE, str(number)))


def make_server(records: int, *, tracked: bool = True) -> Login:
    """Make the twin with its records, with or without change tracking, and an application user."""
    twin = catalog.create_organization(SERVER, Organization.Kind.DYNAMICS_TWIN)
    definition = entity(tracked=tracked)
    catalog.define(twin, [definition])
    catalog.enable(twin, [ENTITY])
    names = [column.name for column in columns(definition)]
    Store(twin).load(ENTITY, names, rows(records))
    application = Application(organization=twin, name="bench")
    application.set_secret(SECRET)
    application.save()
    return Login(str(application.id), SECRET)


def connect(url: str, login: Login) -> Connection:
    """Connect a new client to the twin and take over its metadata."""
    setup = {
        "ProviderID": PROVIDER,
        "Url": url,
        "UserName": login.client_id,
        "Password": login.secret,
    }
    proven = proof.prove(from_document({"SyncSetup": setup, "Entities": [ENTITY]}))
    client = service.NewClient(
        name=CLIENT, email="bench@example.com", password=uuid.uuid4().hex, person={}
    )
    connection = service.connect(proven, client)
    service.carry_out(connection)
    # One percent of half a million is more than may be deleted without asking a person.
    connection.delete_limit = _NO_LIMIT
    connection.save(update_fields=["delete_limit"])
    set_deleting(connection, True)
    return connection


def set_deleting(connection: Connection, deleting: bool) -> None:
    """Switch Sync Deletion on or off."""
    connection.entities.update(sync_deletion=deleting)


def reset(connection: Connection) -> None:
    """Empty the client: records, links, change log, checkpoints; settle the database."""
    client = connection.client.organization
    assert client is not None  # noqa: S101 - connect() made it
    with database.cursor() as cursor:
        cursor.execute(
            f'TRUNCATE "{client.schema}"."{ENTITY}", syncjobs_link, syncjobs_checkpoint,'
            " syncjobs_clientcheckpoint, syncjobs_image, organizations_changelog,"
            " organizations_deletedrecord"
        )
        cursor.execute(
            "UPDATE organizations_organization SET row_version = 0 WHERE id = %s", [client.pk]
        )
        cursor.execute("CHECKPOINT")
