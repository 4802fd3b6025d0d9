"""An administrator, a connection, and deliveries that nobody carries out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import Connection
from syncjobs import instant
from tests.syncjobs.api.queue import (
    signed_in,
)
from tests.syncjobs.making import make_connection


@pytest.fixture
def connection() -> Connection:
    """A connection of two rows."""
    return make_connection(entities=("account", "contact"))


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections whose delivery was woken."""
    found: list[Any] = []
    monkeypatch.setattr(instant, "wake", found.append)
    return found


@pytest.fixture
def admin() -> Client:
    """May do everything."""
    return signed_in(User.objects.create_superuser("ann"))
