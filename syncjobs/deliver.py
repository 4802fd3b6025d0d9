"""Delivering the changes of instant entities at once, under the lane, without a run.

1. Whoever changed something called us (`instant`), or the tick did, or he waits himself.
2. In the lane: collect what is new in the client's log, push what is due.
3. Outside of it: look whether the client was written meanwhile, and begin again. Whoever found
   the lane taken has committed before, so whoever had it sees what he wrote.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.core.cache import cache
from django.db.models import Min, Q
from django.utils import timezone

from connections import registry
from connections.connectors.base import Connector
from connections.errors import ConnectorError
from connections.models import Connection
from connections.naming.choosing import server_of
from organizations.errors import OrganizationError
from organizations.models import ChangeLog, Organization
from syncjobs import entity_tasks, instant, lane
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.push.delivery import Delivery
from syncjobs.engine.push.pushing import push
from syncjobs.engine.values import Counts, Images, Options, Problem
from syncjobs.errors import LaneBusy
from syncjobs.images import keep
from syncjobs.models import ClientCheckpoint, OfflineTransaction, Run
from syncjobs.state import DatabaseState
from syncjobs.transactions import DatabaseQueue

POLL = 60
"""Seconds after which a client elsewhere is asked for changes of which no web hook told."""

LONGEST = 20.0
"""Seconds after which a delivery that always finds more calls another worker and ends."""

CALM = 5
"""Seconds between two looks of the tick at one connection."""

AGAIN = timedelta(seconds=30)
"""When a delivery is tried again that could not even begin: the server is down, or refuses us."""

WAITS = "waits"
"""Code of a Pending one that waits for another, and for no time."""

logger = logging.getLogger(__name__)


def deliver(connection_id: UUID, *, seconds: float | None = None) -> None:
    """Deliver what the client's instant entities have, until nothing is new.

    With `seconds` somebody waits: so long at most, for the lane and for the server together.
    What cannot be delivered stays Pending, with the time of its next attempt.
    """
    end = None if seconds is None else time.monotonic() + seconds
    last = time.monotonic() + LONGEST
    seen = -1
    while True:
        instant.looked(connection_id)
        connection = instant.delivering().filter(pk=connection_id).first()
        if connection is None or (version := _version(connection)) == seen:
            return
        seen = version
        if time.monotonic() > last:
            instant.wake(connection_id)
            return
        if not _pass(connection, end):
            return


def wake_due() -> None:
    """Call workers where something should be delivered and nobody was called lately."""
    for connection in instant.delivering():
        if cache.add(f"deliver-calm:{connection.pk}", 1, CALM) and is_due(connection):
            instant.wake(connection.pk)


def is_due(connection: Connection) -> bool:
    """Return whether the tick should call a worker: something is new, or its time has come."""
    keys = list(instant.entities(connection).values_list("pk", flat=True))
    pending = OfflineTransaction.objects.filter(
        Q(next_attempt=None) & ~Q(code=WAITS) | Q(next_attempt__lte=timezone.now()),
        connection=connection,
        entity__in=keys,
        status=OfflineTransaction.Status.PENDING,
    )
    return pending.exists() or _has_news(connection, keys)


def _has_news(connection: Connection, keys: Sequence[int]) -> bool:
    """Return whether the client's log has something that was not collected."""
    positions = ClientCheckpoint.objects.filter(entity__in=keys)
    if positions.count() < len(keys):
        return True
    if connection.client.organization_id is None:
        return bool(cache.add(f"deliver-poll:{connection.pk}", 1, POLL))
    since = positions.aggregate(least=Min("version"))["least"]
    names = list(instant.entities(connection).values_list("name", flat=True))
    log = ChangeLog.objects.filter(
        organization=connection.client.organization, version__gt=since, entity__in=names
    )
    return log.exclude(origin=str(connection.pk)).exists()


def _version(connection: Connection) -> int:
    """Return the last version of the client that was committed; of one elsewhere, its calls."""
    if connection.client.organization_id is None:
        calls = Connection.objects.filter(pk=connection.pk).values_list("client_calls", flat=True)
        return calls.first() or 0
    found = Organization.objects.filter(endpoints__server_connection=connection)
    return found.values_list("row_version", flat=True).first() or 0


def _pass(connection: Connection, end: float | None) -> bool:
    """Collect and push once; return whether it makes sense to look again."""
    left = 0.0 if end is None else end - time.monotonic()
    try:
        with lane.lane(connection.pk, wait=max(left, 0.0)):
            _carry(connection, end)
    except LaneBusy:
        return False
    except (ConnectorError, OrganizationError) as error:
        logger.warning("The changes of '%s' could not be delivered: %s", connection.name, error)
        _postpone(connection, error)
        return False
    return True


def _postpone(connection: Connection, error: Exception) -> None:
    """Let what is due wait a little, and say why."""
    now = timezone.now()
    due = OfflineTransaction.objects.filter(
        Q(next_attempt=None) | Q(next_attempt__lte=now),
        entity__in=instant.entities(connection),
        status=OfflineTransaction.Status.PENDING,
    )
    code = getattr(error, "code", "") or type(error).__name__
    due.update(next_attempt=now + AGAIN, code=code[:60], message=str(error))


def _carry(connection: Connection, end: float | None) -> None:
    origin = str(connection.pk)
    with (
        server_of(connection, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        if end is not None:
            server.hurry(max(end - time.monotonic(), 0.1))
        if _is_quiet(connection, client):
            return
        reporter, options = Quiet(connection.name), Options(attempts=1)
        state, queue = LaneState(connection), DatabaseQueue(connection)
        tasks = entity_tasks.told(
            list(instant.entities(connection)), client, reporter, "NotCarried"
        )
        source = Source(client=client, state=state, queue=queue, reporter=reporter, options=options)
        failed = collect(source, tasks)
        delivery = Delivery(
            server=server,
            client=client,
            state=state,
            queue=queue,
            reporter=reporter,
            translations=dict(state.translations(MATCH_KEYS)),
            options=options,
        )
        push(delivery, [task for task in tasks if task.name not in failed])


def _is_quiet(connection: Connection, client: Connector) -> bool:
    """Ask a client elsewhere by one request whether anything is new, where nothing is waiting."""
    if connection.client.organization_id is not None:
        return False
    rows = instant.entities(connection)
    pending = OfflineTransaction.objects.filter(
        entity__in=rows, status=OfflineTransaction.Status.PENDING
    )
    positions = set(
        ClientCheckpoint.objects.filter(entity__in=rows).values_list("version", flat=True)
    )
    if len(positions) != 1 or pending.exists():
        return False
    (position,) = positions
    return client.edits((), position).until == position


class LaneState(DatabaseState):
    """Links, writable while this database connection has the lane."""

    def __init__(self, connection: Connection) -> None:
        """`connection` is the one whose lane was taken."""
        super().__init__(Run(connection=connection))
        self._connection = connection

    def hold(self) -> None:
        """Prove inside the page's transaction that the lane is ours."""
        lane.check(self._connection.pk)

    def remember(self, entity: int, images: Images) -> None:
        """Keep what was written; it belongs to no run."""
        keep(entity, images, None)


class Quiet(Reporter):
    """Reports to the log: what a person must know stands on the transactions."""

    def __init__(self, name: str) -> None:
        """`name` is the client's."""
        self._name = name

    def run_started(self, entities: Sequence[str]) -> None:
        """Not told."""

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """Not told."""

    def progress(self, entity: str, counts: Counts) -> None:
        """Not told."""

    def problem(self, problem: Problem) -> None:
        """Write what concerns no single record; a record's problem stands on its transaction."""
        if not problem.record:
            logger.warning("%s of '%s': %s", problem.entity, self._name, problem.message)

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """Not told."""

    def checkpoint(self) -> None:
        """Nobody stops a delivery."""
