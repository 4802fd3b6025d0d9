"""Calling the web hooks of hosted organizations (resco.md §3.4): at least once, in order.

A hook has read the change log up to a version; what comes after is told one by one, and the
version follows each answer. Who works on a hook holds it for a while by a conditional update;
who dies leaves it to the next. A hook that fails is tried again later and later.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from celery import current_app
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.dispatch import receiver
from django.utils import timezone
from kombu.exceptions import OperationalError

from connections import egress
from connections.errors import ConnectorError, Refused
from organizations.models import ChangeLog, WebHook
from organizations.notifications import changed

TASK = "syncjobs.tasks.call_hooks"
EXPIRES = 30
HELD = timedelta(minutes=5)
"""How long a hook is worked on at most before somebody else may."""

_LIMITS = egress.Limits(connect=5, silence=10, total=15, received=1 << 16, decompressed=1 << 16)
_AT_ONCE = 200
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)

logger = logging.getLogger(__name__)


def due() -> QuerySet[WebHook]:
    """Return the hooks whose organization changed since, and that need not wait."""
    behind = WebHook.objects.filter(version__lt=F("organization__row_version"))
    return behind.filter(Q(next_attempt=None) | Q(next_attempt__lte=Now()))


@receiver(changed, dispatch_uid="syncjobs.hooks")
def on_changed(*, organization_id: UUID, **kwargs: Any) -> None:
    """Call a worker to the hooks of an organization that changed."""
    if due().filter(organization=organization_id).exists():
        wake(organization_id)


def wake(organization_id: UUID) -> None:
    """Call a worker; a call that is lost is made again by the tick."""
    try:
        current_app.send_task(
            TASK, (str(organization_id),), expires=EXPIRES, ignore_result=True, retry=False
        )
    except OperationalError:
        logger.warning("No worker could be called to the hooks of %s.", organization_id)


def wake_due() -> None:
    """Call workers to all hooks that are behind."""
    for organization_id in set(due().values_list("organization", flat=True)):
        wake(organization_id)


def call(organization_id: UUID) -> None:
    """Tell the hooks of an organization what happened since."""
    for hook in due().filter(organization=organization_id).select_related("organization"):
        if _hold(hook):
            _tell_all(hook)


def _hold(hook: WebHook) -> bool:
    """Take the hook; False if somebody else has it."""
    until = timezone.now() + HELD
    return bool(due().filter(pk=hook.pk, version=hook.version).update(next_attempt=until))


def _tell_all(hook: WebHook) -> None:
    until = hook.organization.row_version
    session = egress.session(limits=_LIMITS)
    try:
        while changes := list(_changes(hook, until)[:_AT_ONCE]):
            for change in changes:
                _tell(session, hook, str(change.record))
                _told(hook, change.version)
        _told(hook, until)
    except ConnectorError as error:
        _failed(hook, str(error))
    else:
        WebHook.objects.filter(pk=hook.pk).update(next_attempt=None, failures=0, problem="")


def _changes(hook: WebHook, until: int) -> QuerySet[ChangeLog]:
    rows = ChangeLog.objects.filter(organization=hook.organization, entity=hook.entity)
    rows = rows.filter(action=hook.action, version__gt=hook.version, version__lte=until)
    return rows.order_by("version").only("version", "record")


def _tell(session: egress.Session, hook: WebHook, record_id: str) -> None:
    reply = session.request(
        "POST",
        hook.url,
        headers={"Content-Type": "application/json"},
        body=orjson.dumps({"id": record_id}),
    )
    if not 200 <= reply.status < 300:
        raise Refused(f"The address answered with status {reply.status}.")


def _told(hook: WebHook, version: int) -> None:
    hook.version = version
    WebHook.objects.filter(pk=hook.pk).update(version=version)


def _failed(hook: WebHook, problem: str) -> None:
    wait = min(_FIRST_WAIT * 2 ** min(hook.failures, 12), _LONGEST_WAIT)
    WebHook.objects.filter(pk=hook.pk).update(
        failures=F("failures") + 1, problem=problem[:500], next_attempt=timezone.now() + wait
    )
