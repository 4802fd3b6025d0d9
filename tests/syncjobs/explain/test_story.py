"""The story of a record, told of what really happened to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from connections.connectors.hosted import HostedConnector
from connections.errors import Unreachable
from connections.models import Connection, SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs.explain.document import document
from syncjobs.explain.explaining import explain
from syncjobs.explain.story import Story
from syncjobs.models import (
    HeldDeletions,
    LeftBehind,
    Link,
    OfflineTransaction,
    Run,
    RunError,
    TransactionEvent,
)
from tests.syncjobs.making import client_store, server_store
from tests.syncjobs.test_undo import make_both, sync, take_back

pytestmark = pytest.mark.django_db
FILTER = """
<fetch><entity name="account"><filter>
  <condition attribute="city" operator="eq" value="Brno"/>
  <condition attribute="name" operator="ne" value="Secret"/>
</filter></entity></fetch>
"""
LINKED = """
<fetch><entity name="account">
  <link-entity name="account" from="accountid" to="parentaccountid" alias="p">
    <filter><condition attribute="city" operator="eq" value="Brno"/></filter>
  </link-entity></entity></fetch>
"""
MINE = """
<fetch><entity name="account"><filter>
  <condition attribute="ownerid" operator="eq-userid"/>
</filter></entity></fetch>
"""


def make_account(connection: Connection, **values: Any) -> str:
    return server_store(connection).create("account", {"name": "A", **values}).id


def filtered(connection: Connection, xml: str) -> None:
    SyncedEntity.objects.filter(connection=connection, name="account").update(filter_xml=xml)


def told(story: Story) -> list[str]:
    return [event.what for event in story.events]


def test_it_tells_of_each_write_with_its_run_and_values() -> None:
    connection = make_both()
    id_ = make_account(connection, city="Brno", revenue="1.50")
    first = sync(connection)
    server_store(connection).update("account", id_, {"city": "Praha", "revenue": None})
    second = sync(connection)
    client_store(connection).update("account", id_, {"name": "Mine"}, actor="anna@example.org")
    story = explain(connection, id_)
    assert (story.entity, story.server_id, story.client_id) == ("account", id_, id_)
    assert story.summary == "It was changed on the client since it was last carried."
    assert [one.name for one in story.fields if not one.is_equal] == ["name"]
    writes = [event for event in story.events if event.kind == "write"]
    assert [(event.what, event.run) for event in writes] == [
        ("Changed on the client by Sync All (test).", str(second.pk)),
        ("Created on the client by Sync All (test).", str(first.pk)),
    ]
    assert {(c.name, c.old, c.new) for c in writes[0].changes} >= {
        ("city", "Brno", "Praha"),
        ("revenue", "1.50", None),
    }
    (mine,) = [event for event in story.events if event.actor == "anna@example.org"]
    assert mine.what.startswith("Changed on the client by anna@example.org (version ")
    assert [(c.name, c.old, c.new) for c in mine.changes] == [("name", "A", "Mine")]
    assert story.link is not None
    assert story.link.state == "on both sides"


def test_it_tells_that_both_sides_are_equal() -> None:
    connection = make_both()
    id_ = make_account(connection)
    sync(connection)
    story = explain(connection, f"account {id_}")
    assert story.summary == "Both sides have it, and are equal."
    assert story.verdict == "included: the entity has no sync filter"


@pytest.mark.parametrize(
    ("values", "verdict", "says"),
    [
        ({"city": "Praha"}, "excluded: city eq Brno is false, it is Praha", False),
        (
            {"city": "Brno", "name": "Secret"},
            "excluded: name ne Secret is false, it is Secret",
            False,
        ),
        ({"city": "Brno"}, "included: every condition is met", True),
    ],
)
def test_it_tells_the_filters_verdict(values: dict[str, Any], verdict: str, *, says: bool) -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, **values)
    sync(connection)
    story = explain(connection, id_)
    assert (story.verdict, story.server_says) == (verdict, says)
    if not says:
        assert story.summary == "Only the server has it: it is outside the sync filter."


def test_it_tells_what_a_linked_record_has() -> None:
    connection = make_both()
    filtered(connection, LINKED)
    parent = make_account(connection, city="Praha")
    child = make_account(connection, parentaccountid=parent)
    alone = make_account(connection)
    assert explain(connection, child).verdict == "excluded: city eq Brno is false, it is Praha"
    assert explain(connection, alone).verdict == (
        "excluded: a linked account (accountid = parentaccountid) is not there, because "
        "parentaccountid is empty"
    )
    server_store(connection).update("account", parent, {"city": "Brno"})
    story = explain(connection, child)
    assert (story.verdict, story.server_says) == ("included: every condition is met", True)


def test_it_says_what_only_the_server_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_both()
    filtered(connection, MINE)
    id_ = make_account(connection)
    monkeypatch.setattr(HostedConnector, "matching", lambda self, entity, query, ids: {id_})
    story = explain(connection, id_)
    assert story.verdict == (
        "not known here: ownerid eq-userid: only the server can tell, because it means the user "
        "that signs in"
    )
    assert story.server_says is True


def test_it_says_when_the_server_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, city="Brno")
    monkeypatch.setattr(HostedConnector, "matching", lambda self, entity, query, ids: set())
    (note,) = explain(connection, id_).notes
    assert note.startswith("The server decides otherwise.")


def test_it_tells_what_waits() -> None:
    connection = make_both()
    id_ = make_account(connection)
    run = sync(connection)
    entity = SyncedEntity.objects.get(name="account")
    LeftBehind.objects.create(entity=entity, server_id=id_)
    RunError.objects.create(
        run=run, entity="account", record=id_, code="conflict", message="Both changed it."
    )
    transaction = OfflineTransaction.objects.create(
        connection=connection,
        entity=entity,
        client_id=id_,
        action="update",
        changes={"name": ["A", "B"]},
        version=9,
        first_version=9,
        status="error",
        attempts=2,
        message="The owner is missing.",
    )
    TransactionEvent.objects.create(transaction=transaction, status="error", why="no", run=run)
    HeldDeletions.objects.create(
        entity=entity, reason="too many", server_ids=[UUID(id_)], count=1, linked=1
    )
    story = explain(connection, id_)
    assert story.waits == [
        "A run could not carry it. The next run reads it again.",
        "Update was not accepted by the server (attempts: 2): The owner is missing.",
        "Its deletion waits for a decision: too many",
    ]
    assert "conflict by Sync All (test): Both changed it." in told(story)
    assert f"Transaction {transaction.pk}: Error: no" in told(story)
    assert f"Transaction {transaction.pk}: update on the client was collected." in told(story)


def test_it_tells_of_a_record_that_is_gone() -> None:
    connection = make_both()
    id_ = make_account(connection)
    sync(connection)
    server_store(connection).delete("account", id_)
    client_store(connection).delete("account", id_, actor="anna@example.org")
    story = explain(connection, id_)
    assert story.summary == "Neither side has it."
    assert story.verdict == "The server does not have it, or does not show it to our user."
    assert "Lies in the recycle bin of the client since then." in told(story)
    assert any(what.startswith("Deleted on the client by anna@example.org") for what in told(story))


def test_it_tells_that_an_undo_took_it_back() -> None:
    connection = make_both()
    id_ = make_account(connection)
    run = sync(connection)
    undone = take_back(run)
    story = explain(connection, id_)
    assert story.summary == f"Taken back by undo of run {run.pk}."
    assert ("Deleted on the client by Undo (test).", str(undone.pk)) in [
        (event.what, event.run) for event in story.events
    ]
    assert sum(what.startswith("Deleted on the client") for what in told(story)) == 1
    assert story.link is not None
    assert story.link.client_version == 0


def test_it_tells_what_it_can_of_a_server_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make_both()
    id_ = make_account(connection)
    sync(connection)
    fetch = HostedConnector.fetch

    def failing(self: HostedConnector, *args: Any) -> Any:
        if self.organization.name == "field-server":
            raise Unreachable("It is down.")
        return fetch(self, *args)

    monkeypatch.setattr(HostedConnector, "fetch", failing)
    story = explain(connection, id_)
    assert story.server.problem == "It is down."
    assert story.summary == "The server could not be asked, so nothing is compared."
    assert "Created on the client by Sync All (test)." in told(story)


def test_it_finds_a_record_that_nothing_is_known_of() -> None:
    connection = make_both()
    on_server = make_account(connection)
    on_client = client_store(connection).create("tag", {"name": "VIP"}).id
    assert explain(connection, on_server).summary == (
        "It was not carried yet. Sync All carries it."
    )
    assert explain(connection, on_client).entity == "tag"
    with pytest.raises(InvalidRequest, match="No enabled entity of 'field' has a record") as caught:
        explain(connection, str(UUID(int=5)))
    assert caught.value.element == "record"


def test_it_says_that_an_entity_is_not_enabled() -> None:
    connection = make_both()
    id_ = make_account(connection)
    SyncedEntity.objects.filter(name="account").update(enabled=False)
    story = explain(connection, f"account {id_}")
    assert story.notes == ["The entity is not enabled, so no run carries it."]


def test_it_tells_both_ids_where_they_differ() -> None:
    connection = make_both()
    values = {"domainname": "anna", "fullname": "Anna"}
    there = server_store(connection).create("systemuser", values).id
    here = client_store(connection).create("systemuser", values).id
    sync(connection)
    assert Link.objects.filter(server_id=there, client_id=here).exists()
    for id_ in (there, here):
        story = explain(connection, id_)
        assert (story.server_id, story.client_id) == (there, here)
        assert story.summary == "Both sides have it, and are equal."


def test_the_document_holds_all_of_it() -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, city="Praha")
    found = document(explain(connection, id_))
    assert found["filter"] == {
        "verdict": "excluded: city eq Brno is false, it is Praha",
        "server_says": False,
        "conditions": {
            "text": "account is inside the filter",
            "is_true": False,
            "children": [
                {
                    "text": "all of these",
                    "is_true": False,
                    "children": [
                        {
                            "text": "city eq Brno is false, it is Praha",
                            "is_true": False,
                            "children": [],
                        },
                        {
                            "text": "name ne Secret is true, it is A",
                            "is_true": True,
                            "children": [],
                        },
                    ],
                }
            ],
        },
    }
    assert Run.objects.count() == 0
