"""Keeping the refresh token of a saved endpoint: sealed anew whenever the authority renews it.

Microsoft's authorities leave the older tokens valid (documented: "refresh tokens aren't revoked
when used"), so a token that cannot be saved, in a forked reading process, is no loss.
"""

from __future__ import annotations

import os
import threading

from django.db import connection

from connections import secrets
from connections.models import Connection, Endpoint


class EndpointKeeper:
    """Saves what is renewed, unless somebody has entered another secret meanwhile."""

    def __init__(self, endpoint: Endpoint) -> None:
        """`endpoint` is as it was read when its secret was opened."""
        self._pk, self._sealed = endpoint.pk, endpoint.sealed_secret
        self._process, self._thread = os.getpid(), threading.get_ident()

    def renewed(self, refresh_token: str) -> None:
        """Seal the new token where the old one is; another process leaves the database alone."""
        if os.getpid() != self._process:
            return
        sealed = secrets.seal(refresh_token, self._pk)
        row = Endpoint.objects.filter(pk=self._pk, sealed_secret=self._sealed)
        if row.update(sealed_secret=sealed):
            self._sealed = sealed
        self._leave()

    def lost(self, reason: str) -> None:
        """Say on the endpoint's connections why nothing can go on, unless it was mended already."""
        if os.getpid() != self._process:
            return
        row = Endpoint.objects.filter(pk=self._pk, sealed_secret=self._sealed)
        Connection.objects.filter(server__in=row).update(problem=reason)
        self._leave()

    def _leave(self) -> None:
        # Nobody else would close what a helping thread opened.
        if threading.get_ident() != self._thread:
            connection.close()
