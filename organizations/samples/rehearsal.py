"""Making a Dynamics twin of any organization's metadata, with generated records and no data."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.errors import InvalidRequest
from organizations.members import check_login
from organizations.models import Organization
from organizations.query.nodes import Query
from organizations.samples.generator import Progress
from organizations.samples.generator.loading import told
from organizations.samples.rehearsal_rows import PARTY, tables
from organizations.samples.twins import Twin, admit
from organizations.schema import ENGLISH, Entity
from organizations.store import Store


def make_rehearsal(
    name: str,
    entities: Iterable[Entity],
    *,
    records: int,
    seed: int,
    email: str,
    password: str,
    languages: Iterable[int] = (ENGLISH,),
    progress: Progress | None = None,
) -> Twin:
    """Make a twin with these entities, at most `records` of each; all of it, or nothing.

    The same seed makes the same records. Raises InvalidRequest, AlreadyExists, SchemaConflict.
    """
    if records < 0:
        raise InvalidRequest(f"The number of records must be 0 or more, not {records}.", "records")
    check_login(email, password)
    organization = create_organization(
        name,
        Organization.Kind.DYNAMICS_TWIN,
        display_name=name.replace("-", " ").title(),
        languages=languages,
    )
    with ExitStack() as undo:
        undo.callback(delete_organization, organization)
        chosen = list(entities)
        define(organization, chosen)
        enable(organization, (entity.name for entity in chosen))
        counts = fill(organization, chosen, records=records, seed=seed, progress=progress)
        twin = admit(organization, email, password, counts)
        undo.pop_all()
    return twin


def fill(
    organization: Organization,
    entities: Iterable[Entity],
    *,
    records: int,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Load generated records into the entities of an empty organization; return how many."""
    store = Store(organization)
    counts: dict[str, int] = {}
    for table in tables(entities, records=records, seed=seed):
        rows = told(table, progress) if progress else table.rows
        counts[table.entity.name] = store.load(table.entity.name, table.columns, rows)
    if store.catalog.enabled(PARTY):
        counts[PARTY] = store.count(Query(entity=PARTY))
    return counts
