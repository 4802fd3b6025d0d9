"""Whether the two sides of a connection hold the same records: both are read, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connections import registry
from connections.connectors.base import Connector, ReadRequest
from connections.models import Connection
from organizations.records import Row
from syncjobs import entity_tasks
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import EntityTask
from syncjobs.models import Run
from syncjobs.state import DatabaseState

Fingerprints = Counter[tuple[str, str]]
"""(id, digest of the values); of an N:N pair only the digest, since each side has its own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The records of one entity inside its filter on the server, all of it on the client.

    `equal` are those that stand on both sides with the same values.
    """

    entity: str
    server: int
    client: int
    equal: int

    @property
    def is_equal(self) -> bool:
        """Return whether every record of either side stands on the other, unchanged."""
        return self.server == self.client == self.equal


def compare(run: Run) -> Iterator[Compared]:
    """Yield how each entity of the run's connection compares, by name; writes nothing.

    Raises connector errors.
    """
    connection: Connection = run.connection
    translations = DatabaseState(run).translations(MATCH_KEYS)
    rows = connection.entities.filter(enabled=True).order_by("name")
    with (
        registry.connector(connection.server) as server,
        registry.connector(connection.client) as client,
    ):
        for task in entity_tasks.build(rows, client):
            if isinstance(task, EntityTask):
                yield compare_entity(task, server, client, translations)


def compare_entity(
    task: EntityTask, server: Connector, client: Connector, translations: Translations
) -> Compared:
    """Read one entity on both sides, in the client's terms, and count what is equal."""
    layout = Layout(task)
    translator = Translator(task, layout, translations)
    theirs = ReadRequest(entity=task.server, attributes=layout.attributes, query=task.query)
    ours = ReadRequest(entity=task.client, attributes=layout.client_attributes)
    there: Fingerprints = Counter()
    for page in server.read(theirs):
        rows = translator.rows(layout.align(page))
        ids = [translations.get((task.name, str(row[0])), str(row[0])) for row in rows]
        there.update(_fingerprints(task, layout, ids, rows))
    here: Fingerprints = Counter()
    for page in client.read(ours):
        rows = layout.align(page)
        here.update(_fingerprints(task, layout, [str(row[0]) for row in rows], rows))
    return Compared(
        entity=task.name,
        server=there.total(),
        client=here.total(),
        equal=(there & here).total(),
    )


def _fingerprints(
    task: EntityTask, layout: Layout, ids: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[str, str]]:
    known = ("" for _ in ids) if task.server.is_intersect else ids
    return zip(known, layout.digests(rows), strict=True)
