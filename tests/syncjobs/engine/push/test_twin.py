"""Client changes reach a Dynamics twin over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from uuid import uuid4

import pytest

from connections.connectors.http import Patience
from connections.errors import Retryable
from organizations.records import RecordValue
from syncjobs.models import Image, Link
from tests.connections.connect.live import Live, live
from tests.syncjobs.engine.push.field import Field, making, to

__all__ = ["live"]
ENTITIES = ("account", "lead", "competitor", "leadcompetitors", "appointment")
PAIRS = "leadcompetitors_association"


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connectors try four times without waiting."""
    patience = partial(Patience, sleep=lambda _: None, attempts=4)
    monkeypatch.setattr("connections.connectors.dynamics.client.Patience", patience)


@pytest.fixture
def field(live: Live) -> Iterator[Field]:
    with making(live, "account") as made:
        yield made


@pytest.fixture
def wide(live: Live) -> Iterator[Field]:
    with making(live, *ENTITIES) as made:
        yield made


def make_accounts(field: Field, count: int = 1, **values: RecordValue) -> list[str]:
    """Make accounts on the server and carry them."""
    given = {"name": "Both", "telephone1": "1", **values}
    made = [field.server.create("account", given).id for _ in range(count)]
    field.sync()
    return made


def test_it_makes_parent_child_pair_and_activity(wide: Field) -> None:
    child = wide.client.create("account", {"name": "Child"}).id
    parent = wide.client.create("account", {"name": "Parent"}).id
    wide.client.update("account", child, {"parentaccountid": to("account", parent)})
    lead = wide.client.create("lead", {"lastname": "Lead"}).id
    rival = wide.client.create("competitor", {"name": "Rival"}).id
    wide.client.associate(PAIRS, lead, rival)
    parties = f'[[5,"account","{child}"]]'
    meeting = wide.client.create(
        "appointment",
        {
            "subject": "Meet",
            "scheduledstart": "2024-05-01T10:00:00Z",
            "scheduledend": "2024-05-01T11:00:00Z",
            "requiredattendees": parties,
        },
    ).id
    assert "6 pushed" in wide.deliver()
    assert wide.values("server", "account", child, "name", "parentaccountid") == [
        "Child",
        to("account", parent),
    ]
    assert wide.values("server", "appointment", meeting, "requiredattendees") == [parties]
    assert pairs(wide) == [{lead, rival}]
    assert {item.status for item in wide.transactions()} == {"processed"}
    wide.client.disassociate(PAIRS, lead, rival)
    wide.client.update("appointment", meeting, {"requiredattendees": None})
    assert "2 pushed" in wide.deliver()
    assert pairs(wide) == []
    assert wide.values("server", "appointment", meeting, "requiredattendees") == [None]


def pairs(field: Field) -> list[set[object]]:
    definition = field.server.catalog.entity("leadcompetitors")
    rows = field.server.page(definition, ["leadid", "competitorid"])
    return [{value for value in row[:-1] if value != row[0] or len(row) == 3} for row in rows]


def test_it_creates_in_bulk_and_changes_and_deletes_by_version(field: Field) -> None:
    ids = [field.client.create("account", {"name": str(number)}).id for number in range(25)]
    assert "25 pushed" in field.deliver()
    writes = [request.path for request in field.proxy.sent if b'"name"' in request.body]
    assert [path.rpartition("/")[2] for path in writes] == ["Microsoft.Dynamics.CRM.CreateMultiple"]
    assert all(field.has("server", "account", item) for item in ids)
    for number, item in enumerate(ids[:5]):
        field.client.update("account", item, {"name": f"new {number}"})
    field.deliver()
    sent = field.proxy.written()
    assert len(re.findall(r"PATCH \S*/accounts\(", sent)) == 5
    assert len(set(re.findall(r'If-Match: W/"(\d+)"', sent))) == 5
    assert len(re.findall(r'\{"name":"new \d"\}', sent)) == 5
    assert f"tag={field.connection.pk}" in sent
    assert Image.objects.filter(side="server", action="update").count() == 1
    field.client.delete("account", ids[5])
    assert "1 pushed" in field.deliver()
    assert not field.has("server", "account", ids[5])
    assert Link.objects.count() == 24
    field.sync()
    assert "pushed" not in field.sync()
    assert field.writes(ids[0]) == ["create", "update"]


def test_an_inactive_record_is_opened_for_it_and_closed_again(field: Field) -> None:
    (account,) = make_accounts(field, statecode=1, statuscode=2)
    field.client.update("account", account, {"telephone1": "2"})
    field.deliver()
    names = ("telephone1", "statecode", "statuscode")
    assert field.values("server", "account", account, *names) == ["2", 1, 2]
    (patch, *_) = (request for request in field.proxy.sent if request.method == "PATCH")
    assert patch.headers["if-match"].startswith('W/"')


def test_a_record_of_a_loop_is_closed_last(field: Field) -> None:
    closed = {"statecode": 1, "statuscode": 2}
    first = field.client.create("account", {"name": "a", **closed}).id
    second = field.client.create("account", {"name": "b"}).id
    field.client.update("account", first, {"parentaccountid": to("account", second)})
    field.client.update("account", second, {"parentaccountid": to("account", first)})
    field.deliver()
    assert field.values("server", "account", first, "parentaccountid", "statecode") == [
        to("account", second),
        1,
    ]
    assert field.values("server", "account", second, "parentaccountid") == [to("account", first)]
    assert {item.status for item in field.transactions()} == {"processed"}


RULES: dict[str, tuple[str, str, list[str]]] = {
    "server": ("theirs", "1", ["archived"]),
    "client": ("mine", "2", ["archived", "processed"]),
    "newest": ("theirs", "1", ["archived"]),
    "merge": ("theirs", "2", ["error"]),
    "ask": ("theirs", "1", ["error"]),
}
"""Rule → name and telephone on the server afterwards, statuses of the transactions."""


def test_each_rule_decides_conflicts(field: Field) -> None:
    accounts = dict(zip(RULES, make_accounts(field, len(RULES)), strict=True))
    for rule, account in accounts.items():
        field.rule(rule)
        field.client.update("account", account, {"name": "mine", "telephone1": "2"})
        field.server.update("account", account, {"name": "theirs"})
        assert "1 conflicts" in field.deliver()
        name, phone, statuses = RULES[rule]
        assert field.values("server", "account", account, "name", "telephone1") == [name, phone]
        found = field.connection.transactions.filter(client_id=account)
        assert sorted(item.status for item in found) == statuses
    field.sync()
    for rule, account in accounts.items():
        name, _, statuses = RULES[rule]
        kept = ["mine"] if statuses == ["error"] else [name]
        assert field.values("client", "account", account, "name") == kept


def test_a_rejected_record_blocks_only_what_depends_on_it(field: Field) -> None:
    nowhere = str(uuid4())
    bad = field.client.create("account", {"name": "bad"}).id
    field.client.update("account", bad, {"parentaccountid": to("account", nowhere)})
    child = field.client.create("account", {"name": "child"}).id
    field.client.update("account", child, {"parentaccountid": to("account", bad)})
    good = field.client.create("account", {"name": "good"}).id
    assert "1 pushed, 1 rejected" in field.deliver()
    assert field.has("server", "account", good)
    found = {str(item.client_id): item for item in field.transactions()}
    assert (found[bad].status, found[bad].code) == ("error", "0x80040217")
    assert "Does Not Exist" in found[bad].message
    assert found[child].status == "pending"
    assert f"account {bad}, which was not accepted" in found[child].message
    field.client.update("account", bad, {"parentaccountid": None})
    assert "2 pushed" in field.deliver()
    assert field.values("server", "account", child, "parentaccountid") == [to("account", bad)]


def test_lost_answers_write_nothing_twice(field: Field) -> None:
    gone, account = make_accounts(field, 2)
    made = field.client.create("account", {"name": "made"}).id
    field.client.update("account", account, {"telephone1": "2"})
    field.client.delete("account", gone)
    field.proxy.strike("lost response", "truncated body", every=2)
    for _ in range(4):
        with suppress(Retryable):
            field.deliver()
        field.due()
    assert len(field.proxy.struck) > 3
    field.proxy.strike()
    field.deliver()
    assert field.writes(made) == ["create"]
    assert field.writes(account) == ["create", "update"]
    assert field.writes(gone) == ["create", "delete"]
    assert {item.status for item in field.transactions()} == {"processed"}


def test_a_server_that_is_down_leaves_it_pending(field: Field) -> None:
    (account,) = make_accounts(field)
    field.client.update("account", account, {"telephone1": "2"})
    field.proxy.strike("unavailable", only="PATCH")
    told = field.deliver()
    assert told.startswith("1 of 1 entities failed: account: ")
    (waiting,) = field.transactions()
    assert (waiting.status, waiting.attempts, waiting.code) == ("pending", 1, "503")
    assert waiting.next_attempt is not None
    field.proxy.strike()
    assert "0 pushed" in field.deliver()
    field.due()
    assert "1 pushed" in field.deliver()
    assert field.writes(account) == ["create", "update"]
