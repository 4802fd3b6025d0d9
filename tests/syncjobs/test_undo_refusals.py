"""What undo says of what would break, and why it takes something not back."""

from __future__ import annotations

from typing import Any

import pytest

from connections.models import SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs import undo
from syncjobs.engine import breaking
from syncjobs.models import Run
from tests.syncjobs.making import client_store, server_store
from tests.syncjobs.test_undo import make_both, preview, sync

pytestmark = pytest.mark.django_db


def test_it_says_what_would_break() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    parent = server.create("account", {"name": "Parent"}).id
    child = server.create("account", {"name": "Child"}).id
    run = sync(connection)
    client.update("account", child, {"parentaccountid": parent})
    assert preview(run)["breaks"] == [
        "1 'account' refer by 'parentaccountid' to 'account' that would be deleted on the client, "
        f"such as {child}."
    ]


def test_it_says_which_target_is_gone() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    target, account = (server.create("account", {"name": name}).id for name in "TA")
    server.update("account", account, {"parentaccountid": target})
    sync(connection)
    server.update("account", account, {"parentaccountid": None})
    run = sync(connection)
    assert preview(run)["breaks"] == []
    client.delete("account", target)
    assert preview(run)["breaks"] == [
        f"account {account} would refer by 'parentaccountid' to account {target}, which is not on "
        "the client."
    ]


def test_it_says_where_it_stopped_looking_for_what_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaking, "LOOKED_AT", 1)
    connection = make_both()
    server = server_store(connection)
    for name in "AB":
        server.create("account", {"name": name})
    server.create("tag", {"name": "VIP"})
    assert preview(sync(connection))["breaks"] == [
        "More than 1 records are taken back on the client; what the rest would break was not "
        "looked for."
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": "Verify"}, "A run of Verify writes no records that could be taken back."),
        ({"state": "running"}, "The run has not ended. Wait for it, or cancel it."),
        ({"options": {"dry_run": True}}, "The run wrote nothing, because it only looked."),
        ({}, "the run wrote no record, or it is longer ago than the 30 days"),
    ],
)
def test_it_says_why_a_run_cannot_be_taken_back(changes: dict[str, Any], text: str) -> None:
    values = {"kind": "Sync", "state": "succeeded", "reason": "test", **changes}
    run = Run.objects.create(connection=make_both(), **values)
    with pytest.raises(InvalidRequest) as caught:
        undo.start_preview(run, reason="test", inline=True)
    assert text in str(caught.value)
    assert caught.value.element == "run"


def test_it_takes_only_the_digest_of_a_preview() -> None:
    connection = make_both()
    server_store(connection).create("account", {"name": "A"})
    run = sync(connection)
    with pytest.raises(InvalidRequest, match="There is no plan 'abc' for taking back this run."):
        undo.start(run, "abc", reason="test", inline=True)
    digest = preview(run)["digest"]
    started = undo.start(run, digest, reason="test", inline=True)
    assert started.options == {"run": str(run.pk), "digest": digest}


def test_an_entity_that_is_no_longer_carried_is_skipped() -> None:
    connection = make_both()
    server_store(connection).create("account", {"name": "A"})
    run = sync(connection)
    SyncedEntity.objects.filter(name="account").update(enabled=False)
    told = preview(run)
    assert (told["counts"], told["skips"]) == ([], 1)
    assert told["skipped"][0]["reason"].startswith("The entity is no longer carried")
