"""Telling people of an alert: by e-mail and by webhook, each alert once, where configured.

What could not be sent is tried again with the next looks, a few times.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from smtplib import SMTPException

import orjson
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F

from connections import egress
from connections.errors import ConnectorError, Refused
from syncjobs.models import Alert

ATTEMPTS = 5
SECONDS = 20.0
"""How long a webhook may take."""

logger = logging.getLogger(__name__)


def tell(at: datetime) -> None:
    """Send the open alerts nobody was told of; what fails is tried again by a later call."""
    if settings.RESCO_SYNC_ALERT_EMAIL:
        _each("mailed", _mail, at)
    if settings.RESCO_SYNC_ALERT_WEBHOOK:
        _each("posted", _post, at)


def _each(field: str, send: Callable[[Alert], None], at: datetime) -> None:
    untold: dict[str, None] = {field: None}
    waiting = Alert.objects.filter(closed=None, attempts__lt=ATTEMPTS, **untold)
    for alert in waiting.select_related("connection"):
        # Taken first, so that two processes do not tell twice.
        if not Alert.objects.filter(pk=alert.pk, **untold).update(**{field: at}):
            continue
        try:
            send(alert)
        except (ConnectorError, SMTPException, OSError) as error:
            logger.warning("The alert '%s' could not be sent: %s", alert, error)
            Alert.objects.filter(pk=alert.pk).update(attempts=F("attempts") + 1, **untold)


def _mail(alert: Alert) -> None:
    send_mail(str(alert), _text(alert), None, settings.RESCO_SYNC_ALERT_EMAIL)


def _post(alert: Alert) -> None:
    body = orjson.dumps({"text": _text(alert), "alert": document(alert)})
    with egress.session() as session:
        session.hurry(SECONDS)
        reply = session.request(
            "POST",
            settings.RESCO_SYNC_ALERT_WEBHOOK,
            headers={"Content-Type": "application/json"},
            body=body,
        )
    if not 200 <= reply.status < 300:
        raise Refused(f"The webhook answered {reply.status}.")


def document(alert: Alert) -> dict[str, object]:
    """Return an alert as JSON has it; times RFC 3339."""
    return {
        "id": alert.pk,
        "connection": alert.connection.name,
        "kind": alert.kind,
        "subject": alert.subject,
        "message": alert.message,
        "opened": alert.opened.isoformat(),
        "closed": alert.closed and alert.closed.isoformat(),
    }


def _text(alert: Alert) -> str:
    return f"{alert}\n\n{alert.message}\n\nSince {alert.opened:%Y-%m-%d %H:%M} UTC."
