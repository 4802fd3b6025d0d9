"""Instant mode: a change of a hosted client wakes its delivery, once however many there are.

A wish is one flag per connection in the cache. Who finds it set sends no second call: the
delivery that was called has not begun to look yet. It is taken down before the delivery looks
whether anything is left (`deliver`), so no change falls between the two. A flag or a call that
is lost loses nothing: the tick looks into the database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from celery import current_app
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from connections.models import Connection, SyncedEntity
from organizations.notifications import changed

TASK = "syncjobs.tasks.deliver"
EXPIRES = 30
"""Seconds after which a flag, and a call that no worker has taken, is worthless."""

logger = logging.getLogger(__name__)

Written = dict[UUID, list[int]]
"""Connection → versions that this request wrote to its client."""

_written: ContextVar[Written | None] = ContextVar("written", default=None)
_INSTANT = Connection.WriteMode.INSTANT
_ENTITY_IS_INSTANT = Q(entities__enabled=True) & (
    Q(entities__write_mode=_INSTANT) | Q(entities__write_mode="", write_mode=_INSTANT)
)


def delivering() -> QuerySet[Connection]:
    """Return the connections that deliver any entity's changes at once."""
    ready = Connection.objects.filter(state=Connection.State.READY)
    return ready.filter(_ENTITY_IS_INSTANT).distinct()


def entities(connection: Connection) -> QuerySet[SyncedEntity]:
    """Return the enabled entities whose changes are delivered at once."""
    own = Q(write_mode=_INSTANT)
    if connection.write_mode == _INSTANT:
        own |= Q(write_mode="")
    return connection.entities.filter(own, enabled=True)


@receiver(changed, dispatch_uid="syncjobs.instant")
def on_changed(*, organization_id: UUID, origin: str, versions: range, **kwargs: Any) -> None:
    """Wake the delivery of each connection whose client this is; not for what it wrote itself."""
    written = _written.get()
    for connection in delivering().filter(client__organization=organization_id):
        if str(connection.pk) == origin:
            continue
        if written is not None and connection.reply == Connection.Reply.BEFORE:
            written.setdefault(connection.pk, []).extend(versions)
        else:
            wake(connection.pk)


@contextmanager
def noting() -> Iterator[Written]:
    """Note what the block writes to clients whose callers wait, instead of waking a delivery."""
    written: Written = {}
    token = _written.set(written)
    try:
        yield written
    finally:
        _written.reset(token)


def wake(connection_id: UUID) -> None:
    """Call a worker to deliver, unless one was called that has not begun to look."""
    try:
        if not cache.add(_flag(connection_id), 1, EXPIRES):
            return
        current_app.send_task(
            TASK, (str(connection_id),), expires=EXPIRES, ignore_result=True, retry=False
        )
    except (OperationalError, RedisError):
        logger.warning(
            "No worker could be called to deliver; %s waits for the tick.", connection_id
        )


def looked(connection_id: UUID) -> None:
    """Take the wish down: whoever writes from now on calls again."""
    try:
        cache.delete(_flag(connection_id))
    except RedisError:
        logger.warning("A wish to deliver could not be taken down; it ends by itself.")


def _flag(connection_id: UUID) -> str:
    return f"deliver:{connection_id}"
