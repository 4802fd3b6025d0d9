"""Addresses, people and rows for the tests of offline transactions by API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from connections.models import Connection
from syncjobs.models import OfflineTransaction
from tests.syncjobs.making import make_transaction

BASE = "/api/connections/field/"
LIST = f"{BASE}transactions/"
CAUSES = f"{LIST}causes/"
PATH = "/api/connections/{name}/transactions/"
CONFLICT = {
    "base": {"name": "Old"},
    "server": {"name": "Theirs", "phone": "1"},
    "client": {"name": "Ours", "phone": "2"},
    "server_version": 7,
}
SEEN = {"version": 3, "server_version": 7}


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept": "application/json"})
    client.force_login(user)
    return client


def make_staff(*permissions: str) -> Client:
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return signed_in(user)


def make_conflict(connection: Connection, **more: Any) -> OfflineTransaction:
    values = {"code": "Conflict", "message": "Both sides changed it.", "version": 3}
    return make_transaction(connection, conflict=CONFLICT, **values | more)


def post(client: Client, path: str, content: object = None) -> Any:
    return client.post(path, content or {}, content_type="application/json")


def status(*rows: OfflineTransaction) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]
