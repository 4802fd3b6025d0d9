"""Three users of the admin, a connection, and the calls that workers would have got."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.test import Client

from connections.models import Connection
from tests.syncjobs.making import make_pair

VIEW = ("view_connection", "view_run", "view_syncjob", "view_organization")


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to; nobody comes."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made


@pytest.fixture
def connection(db: None) -> Connection:
    """Two hosted organizations in step."""
    return make_pair(entities=("account", "contact"))


@pytest.fixture
def superuser(db: None) -> Client:
    """May do everything."""
    return signed_in(User.objects.create_superuser("root", "root@example.com", "x"))


@pytest.fixture
def viewer(db: None) -> Client:
    """May look, and nothing else."""
    user = User.objects.create_user("viewer", "viewer@example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=VIEW))
    return signed_in(user)


@pytest.fixture
def outsider(db: None) -> Client:
    """Has an account, but no place in the admin."""
    return signed_in(User.objects.create_user("outsider", "outsider@example.com", "x"))


def signed_in(user: User) -> Client:
    """Return a browser of that user."""
    client = Client()
    client.force_login(user)
    return client
