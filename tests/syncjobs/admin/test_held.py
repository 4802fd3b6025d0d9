"""The page of held deletions: what waits, and the decision with a second look."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from syncjobs.models import HeldDeletions, Run

pytestmark = pytest.mark.django_db
SAMPLE = [{"id": str(UUID(int=1)), "name": "Adventure Works", "why": "deleted on the server"}]


def make_held(connection: Connection, **more: object) -> HeldDeletions:
    values: dict[str, object] = {
        "entity": connection.entities.get(name="account"),
        "reason": "600 of 700 records of 'account' are to be deleted.",
        "server_ids": [UUID(int=1)],
        "count": 600,
        "linked": 700,
        "sample": SAMPLE,
    }
    return HeldDeletions.objects.create(**values | more)


def page(connection: Connection) -> str:
    return reverse("admin:connections_connection_held", args=[connection.pk])


def decide(client: Client, row: HeldDeletions, **values: str) -> str:
    """Post a decision; return where it leads, or the page that asks again."""
    address = reverse(
        "admin:connections_connection_held_decide", args=[row.entity.connection_id, row.pk]
    )
    answer = client.post(address, {"count": "600", **values})
    return answer.headers.get("Location", "") or answer.content.decode()


def test_it_stands_on_the_page_of_the_connection(superuser: Client, connection: Connection) -> None:
    address = reverse("admin:connections_connection_change", args=[connection.pk])
    assert "wait for your decision" not in superuser.get(address).content.decode()
    make_held(connection)
    shown = superuser.get(address).content.decode()
    assert "600 deletions of account wait for your decision" in shown
    assert page(connection) in shown


def test_it_shows_what_waits_and_what_was_decided(
    superuser: Client, connection: Connection
) -> None:
    assert "No deletion waits for you" in superuser.get(page(connection)).content.decode()
    make_held(connection)
    make_held(connection, state="declined", decided_by="bob", count=7)
    shown = superuser.get(page(connection)).content.decode()
    for text in ("600 deletions of account wait for you", "Adventure Works", "bob", "Approve"):
        assert text in shown


def test_it_asks_before_it_approves_and_starts_a_run(
    superuser: Client, connection: Connection, calls: list[str]
) -> None:
    row = make_held(connection)
    assert "Delete 600 records of account on the client?" in decide(
        superuser, row, decision="approve"
    )
    row.refresh_from_db()
    assert (row.state, Run.objects.count()) == ("waiting", 0)
    where = decide(superuser, row, decision="approve", sure="1")
    run = Run.objects.get()
    assert where == reverse("admin:syncjobs_run_change", args=[run.pk])
    assert (run.options["entities"], run.reason) == (["account"], "approved deletions")
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("approved", "root")


def test_it_declines(superuser: Client, connection: Connection) -> None:
    row = make_held(connection)
    assert "Keep 600 records" in decide(superuser, row, decision="decline")
    assert decide(superuser, row, decision="decline", sure="1") == page(connection)
    row.refresh_from_db()
    assert (row.state, Run.objects.count()) == ("declined", 0)


def test_it_refuses_what_was_not_shown(superuser: Client, connection: Connection) -> None:
    row = make_held(connection)
    decide(superuser, row, decision="approve", sure="1", count="5")
    assert "Look at them again" in superuser.get(page(connection)).content.decode()
    decide(superuser, row, decision="maybe", sure="1")
    row.refresh_from_db()
    assert row.state == "waiting"


def test_a_viewer_looks_and_does_not_decide(viewer: Client, connection: Connection) -> None:
    row = make_held(connection)
    shown = viewer.get(page(connection)).content.decode()
    assert "Adventure Works" in shown
    assert "no permission to decide" in shown
    address = reverse("admin:connections_connection_held_decide", args=[connection.pk, row.pk])
    answer = viewer.post(address, {"decision": "approve", "sure": "1", "count": "600"})
    assert answer.status_code == 403
    row.refresh_from_db()
    assert row.state == "waiting"
