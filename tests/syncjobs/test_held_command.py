"""`manage.py held CLIENT`."""

from __future__ import annotations

from io import StringIO

import orjson
import pytest
from django.core.management import CommandError, call_command

from syncjobs.models import HeldDeletions
from tests.syncjobs.making import client_store, names
from tests.syncjobs.test_held import delete, make_guarded, work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]


def held(*arguments: str) -> str:
    out = StringIO()
    call_command("held", "field", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def make_waiting() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)


def client_names() -> int:
    connection = HeldDeletions.objects.get().entity.connection
    return len(names(client_store(connection)))


def test_it_lists_what_waits() -> None:
    make_waiting()
    text = held()
    assert text.startswith("account: 4 wait. 4 of 12 records of 'account'")
    assert "account 1 (deleted on the server)" in text
    (found,) = orjson.loads(held("--json"))
    assert (found["entity"], found["count"], found["state"]) == ("account", 4, "waiting")


def test_it_approves_and_deletes_at_once() -> None:
    make_waiting()
    assert "4 deleted" in held("--approve", "account")
    assert client_names() == 8
    assert HeldDeletions.objects.get().state == "done"
    connection = HeldDeletions.objects.get().entity.connection
    assert held() == "No deletion waits for a decision.\n"
    assert work(connection).state == "succeeded"


def test_it_declines() -> None:
    make_waiting()
    assert held("--decline", "account").startswith("account: 4 kept.")
    row = HeldDeletions.objects.get()
    assert (row.state, row.decided_by) == ("declined", "command")
    assert client_names() == 12


def test_it_says_what_is_wrong() -> None:
    make_waiting()
    with pytest.raises(CommandError, match="No deletion of 'contact' waits. Waiting: account."):
        held("--approve", "contact")
    with pytest.raises(CommandError, match="not allowed with argument"):
        held("--approve", "account", "--decline", "account")
