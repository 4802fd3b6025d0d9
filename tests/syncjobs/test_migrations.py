"""Migrations that change rows which are there already."""

from __future__ import annotations

import uuid
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection as database

from syncjobs.models import OfflineTransaction
from tests.syncjobs.making import make_connection


@pytest.mark.django_db
def test_whose_values_a_transaction_holds_was_told_by_its_code() -> None:
    connection = make_connection()
    for code in ("Lost", ""):
        OfflineTransaction.objects.create(
            connection=connection,
            entity=connection.entities.get(name="account"),
            client_id=uuid.uuid4(),
            action="update",
            version=9,
            first_version=9,
            code=code,
        )
    migration = import_module("syncjobs.migrations.0002_transaction_side")
    with database.schema_editor() as editor:
        migration.tell(apps, editor)
    sides = OfflineTransaction.objects.order_by("pk").values_list("code", "side")
    assert list(sides) == [("Lost", "server"), ("", "client")]
