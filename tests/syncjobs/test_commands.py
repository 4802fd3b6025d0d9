"""manage.py sync: arguments, progress, answers, exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections.models import Connection, SyncedEntity
from syncjobs import dispatch, follow, runner
from syncjobs.models import Run
from tests.syncjobs.making import (
    client_store,
    fill,
    make_pair,
    make_run,
    names,
)
from tests.syncjobs.test_lease import claimed, let_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]


def sync(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error (with the reason of a failure)."""
    out, err = StringIO(), StringIO()
    try:
        call_command("sync", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_it_carries_records_in_this_process(calls: list[str]) -> None:
    connection = make_pair()
    fill(connection, 4)
    code, out, err = sync("field")
    assert code == 0
    assert out.startswith("1 entities: 4 read, 4 created")
    assert "account: done, 4 of 4 read, 4 created" in err
    assert "Succeeded." in err
    assert len(names(client_store(connection))) == 4
    run = Run.objects.get()
    assert (run.reason, run.worker) == ("command", runner.worker_name())
    assert calls == []


def test_it_prints_the_job_as_json() -> None:
    connection = make_pair()
    fill(connection, 4)
    code, out, _ = sync("field", "--json", "--dry-run")
    document = json.loads(out)
    assert code == 0
    assert (document["status"], document["dry_run"]) == ("Succeeded", True)
    assert document["entities"][0]["created"] == 4
    assert names(client_store(connection)) == {}


def test_it_carries_some_entities_in_full() -> None:
    connection = make_pair(entities=("account", "lead", "contact"))
    for entity in ("account", "lead", "contact"):
        fill(connection, 2, entity=entity)
    sync("field")
    code, _, _ = sync("field", "--entity", "lead", "--entity", "contact", "--full")
    assert code == 0
    run = Run.objects.latest("created")
    assert run.options == {"entities": ["contact", "lead"], "dry_run": False, "full": True}
    assert [row.full for row in run.entities.all()] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nowhere",), "No connection has the client 'nowhere'. Known: field."),
        (("field", "--entity", "nothing"), "Not enabled for 'field': nothing."),
    ],
)
def test_it_refuses_wrong_arguments(arguments: tuple[str, ...], text: str) -> None:
    make_pair()
    code, out, err = sync(*arguments)
    assert (code, out) == (2, "")
    assert text in err
    assert not Run.objects.exists()


def test_it_exits_with_1_when_the_run_failed() -> None:
    make_pair()
    Connection.objects.update(state="failed", problem="The password is wrong.")
    code, out, err = sync("field")
    assert (code, out) == (1, "")
    assert "The password is wrong." in err


def test_it_exits_with_3_when_an_entity_failed() -> None:
    fill(make_pair(entities=("account", "lead")), 2)
    SyncedEntity.objects.filter(name="lead").update(problem="Cannot be carried.")
    code, out, err = sync("field", "--json")
    assert code == 3
    assert json.loads(out)["status"] == "Partly"
    assert "lead: failed, 0 read, Cannot be carried." in err


def test_it_cancels_on_control_c(monkeypatch: pytest.MonkeyPatch) -> None:
    make_pair()
    real = runner.work

    def interrupted(run_id: Any) -> None:
        monkeypatch.setattr(runner, "work", real)
        claimed(Run.objects.get(pk=run_id))
        let_end(Run.objects.get(pk=run_id))
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "work", interrupted)
    code, _, err = sync("field")
    assert code == 4
    assert "cancelled" in err
    assert Run.objects.get().state == "cancelled"


def test_it_carries_out_what_waits_longer_first() -> None:
    connection = make_pair()
    earlier = make_run(connection, options={"entities": ["account"]})
    run = dispatch.start_sync(connection, reason="command", inline=True)
    follow.carry_out(run, lambda line: None)
    states = list(Run.objects.order_by("created").values_list("pk", "state"))
    assert states == [(earlier.pk, "succeeded"), (run.pk, "succeeded")]


def test_it_waits_for_the_worker_that_has_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_pair()
    other = claimed(make_run(connection), "elsewhere")
    run = dispatch.start_sync(connection, reason="command", inline=True)
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        let_end(other)

    monkeypatch.setattr("syncjobs.follow.time.sleep", sleep)
    follow.carry_out(run, lambda line: None)
    assert waited == [follow.SECONDS]
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
