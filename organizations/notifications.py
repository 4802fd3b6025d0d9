"""Telling whoever listens that records of an organization changed, after the commit.

`organizations` knows no consumer; `syncjobs` connects to the signal. A lost notification loses
nothing: the change log is what counts (design decision 4).
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.dispatch import Signal

from organizations.models import Organization

changed = Signal()
"""Sent with `organization_id` (UUID), `origin` (the connection's that wrote, else empty) and
`versions` (those it wrote) once per transaction part that wrote records."""


def announce(organization: Organization, *, origin: str, versions: range) -> None:
    """Send `changed` when the transaction has committed; a faulty listener is only logged.

    A twin stands for a foreign organization: what happens in it is for its own services to tell.
    """
    if organization.kind != Organization.Kind.CLIENT:
        return
    sending = partial(
        changed.send_robust,
        sender=None,
        organization_id=organization.pk,
        origin=origin,
        versions=versions,
    )
    transaction.on_commit(sending)
