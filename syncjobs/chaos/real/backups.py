"""Backups of a twin: its records and its last version, as an administrator restores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from psycopg import sql

from organizations.models import ChangeLog, EntityDefinition, Organization
from organizations.tables import names as sql_names
from organizations.tables.database import fetch, run
from syncjobs.chaos.real.entities import NAMES

_COPY = sql.SQL("SELECT to_jsonb(t)::text FROM {} t")
_EMPTY = sql.SQL("DELETE FROM {}")
_FILL = sql.SQL("INSERT INTO {0} SELECT (jsonb_populate_record(NULL::{0}, %s::jsonb)).*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Rows as JSON by entity, and the last version then."""

    tables: Mapping[str, list[str]]
    version: int


def take(organization: Organization) -> Backup:
    """Copy all records."""
    return Backup(
        tables={
            name: [text for (text,) in fetch(_COPY.format(_table(organization, name)))]
            for name in NAMES
        },
        version=last(organization),
    )


def restore(organization: Organization, backup: Backup) -> None:
    """Let the twin become what it was, version and all, but for its definitions."""
    with transaction.atomic():
        for name, rows in backup.tables.items():
            table = _table(organization, name)
            run(_EMPTY.format(table))
            for text in rows:
                run(_FILL.format(table), [text])
        log = ChangeLog.objects.filter(organization=organization)
        log.filter(version__gt=backup.version).delete()
        tracked = EntityDefinition.objects.filter(organization=organization)
        tracked.update(tracks_since=Least(F("tracks_since"), backup.version))
        move(organization, backup.version)


def move(organization: Organization, version: int) -> None:
    """Let this be the last version that was given."""
    Organization.objects.filter(pk=organization.pk).update(row_version=version)


def last(organization: Organization) -> int:
    """Return the last version that was given."""
    return Organization.objects.values_list("row_version", flat=True).get(pk=organization.pk)


def _table(organization: Organization, name: str) -> sql.Identifier:
    return sql_names.table(organization.schema, name)
