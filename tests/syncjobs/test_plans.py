"""Plans of records: made by a dry run, shown, applied once, and every reason why one is not."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from lxml import etree

from connections.models import Connection
from organizations.errors import InvalidRequest
from organizations.models import ChangeLog
from syncjobs import dispatch, plans, runner
from syncjobs.models import (
    Checkpoint,
    Link,
    OfflineTransaction,
    PlanPage,
    Run,
    RunError,
)
from syncjobs.plan_document import document
from tests.syncjobs.making import (
    basic,
    client_store,
    fill,
    make_member,
    make_pair,
    make_run,
    names,
    server_store,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("calls")]


@pytest.fixture
def connection(no_organizations_left: None) -> Connection:
    """Two hosted organizations, three accounts on the server and none on the client."""
    made = make_pair()
    fill(made, 3)
    return made


def plan(connection: Connection, **how: Any) -> Run:
    return work(dispatch.start_sync(connection, dry_run=True, reason="test", **how))


def apply(connection: Connection, made: Run) -> Run:
    return work(dispatch.start_apply(connection, made.pk, reason="test"))


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def first_id(connection: Connection) -> str:
    return sorted(names(server_store(connection)))[0]


def test_it_makes_shows_and_applies_a_plan(connection: Connection) -> None:
    made = plan(connection)
    shown = document(made)
    assert made.state == Run.State.SUCCEEDED
    assert (shown["can_be_applied"], shown["pages"], len(shown["digest"])) == (True, 1, 32)
    (entity,) = shown["entities"]
    assert (entity["name"], entity["created"]) == ("account", 3)
    assert [change["name"] for change in entity["changes"]] == [f"account {n}" for n in (1, 2, 3)]
    assert names(client_store(connection)) == {}
    run = apply(connection, made)
    assert (run.state, run.options["plan"]) == (Run.State.SUCCEEDED, str(made.pk))
    assert names(client_store(connection)) == names(server_store(connection))
    assert PlanPage.objects.filter(run=made, came=True).count() == 1


def test_a_dry_run_writes_nothing_but_its_plan(connection: Connection) -> None:
    apply(connection, plan(connection))
    account = first_id(connection)
    server_store(connection).update("account", account, {"name": "Theirs"})
    client_store(connection).create("account", {"name": "Mine"})
    server = connection.server.organization
    client = connection.client.organization
    assert server is not None
    assert client is not None

    def everything() -> list[Any]:
        return [
            names(server_store(connection)),
            names(client_store(connection)),
            sorted(Link.objects.values_list()),
            list(Checkpoint.objects.order_by("pk").values_list()),
            OfflineTransaction.objects.count(),
            ChangeLog.objects.count(),
            server.__class__.objects.order_by("pk").values_list("pk", "row_version")[0],
        ]

    before = everything()
    made = plan(connection)
    assert everything() == before
    predicted = made.entities.get()
    real = work(dispatch.start_sync(connection, reason="test")).entities.get()
    counts = ("read", "created", "updated", "deleted", "unchanged", "pushed", "conflicts", "kept")
    assert [getattr(predicted, name) for name in counts] == [getattr(real, n) for n in counts]
    assert (real.pushed, real.updated) == (1, 1)


def test_it_predicts_what_the_client_refuses(connection: Connection) -> None:
    server_store(connection).create("account", {"name": "a name that is too long"})
    schema = client_store(connection).organization.schema
    with database.cursor() as cursor:
        cursor.execute(
            f'ALTER TABLE "{schema}".account ADD CONSTRAINT short CHECK (length(name) < 11)'
        )
    made = plan(connection)
    (sample,) = made.plan_changes.filter(kind="rejected")
    assert (made.state, sample.name) == (Run.State.PARTLY, "a name that is too long")
    predicted = made.entities.get()
    real = apply(connection, made).entities.get()
    assert (predicted.created, predicted.rejected) == (real.created, real.rejected) == (3, 1)


def test_a_changed_record_stops_the_run_before_it_writes(connection: Connection) -> None:
    made = plan(connection)
    server_store(connection).create("account", {"name": "One more"})
    run = apply(connection, made)
    assert run.state == Run.State.FAILED
    assert "Something has changed since the plan was made. Entity 'account'" in run.message
    assert "3 records of 'account' were to be created on the client, now it would be 4" in (
        run.message
    )
    assert RunError.objects.filter(run=run, code="PlanChanged").exists()
    assert names(client_store(connection)) == {}
    assert Link.objects.count() == 0


def test_a_plan_is_applied_once(connection: Connection) -> None:
    made = plan(connection)
    run = apply(connection, made)
    with pytest.raises(InvalidRequest, match=f"applied already, by run {run.pk}"):
        dispatch.start_apply(connection, made.pk, reason="test")


def test_a_plan_that_waits_is_not_used(connection: Connection) -> None:
    made = plan(connection)
    waiting = dispatch.start_apply(connection, made.pk, reason="test")
    assert dispatch.start_apply(connection, made.pk, reason="test") == waiting
    dispatch.cancel(waiting)
    assert dispatch.start_apply(connection, made.pk, reason="test") != waiting


def test_a_plan_ends_after_a_day(connection: Connection) -> None:
    made = plan(connection)
    Run.objects.filter(pk=made.pk).update(finished=timezone.now() - timedelta(hours=25))
    with pytest.raises(InvalidRequest, match="could be applied for 24 hours. Make a new plan."):
        dispatch.start_apply(connection, made.pk, reason="test")


def test_a_plan_of_somebody_else_is_unknown(connection: Connection) -> None:
    other = make_pair("other")
    made = plan(other)
    for key in (made.pk, uuid4(), "nonsense"):
        with pytest.raises(InvalidRequest, match=f"'field' has no plan '{key}'") as raised:
            dispatch.start_apply(connection, key, reason="test")
        assert raised.value.element == "Plan"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"options": {}}, "is no dry run of Sync All, so it has no plan"),
        ({"kind": Run.Kind.VERIFY}, "is no dry run of Sync All"),
        ({"state": Run.State.RUNNING}, "The dry run is still going on"),
        ({"state": Run.State.FAILED}, "The dry run failed, so its plan is not whole"),
        ({"state": Run.State.CANCELLED}, "The dry run cancelled, so its plan is not whole"),
        ({"result": {}}, "so its plan is not whole"),
        ({"result": {"digest": "", "pages": 0}}, "The plan has nothing to do"),
    ],
)
def test_it_says_why_a_plan_cannot_be_applied(
    connection: Connection, more: dict[str, Any], why: str
) -> None:
    values: dict[str, Any] = {
        "state": Run.State.SUCCEEDED,
        "options": {"dry_run": True},
        "result": {"digest": "x", "pages": 1},
        "finished": timezone.now(),
    }
    run = make_run(connection, **values | more)
    assert why in plans.why_not(run)
    with pytest.raises(InvalidRequest, match=why):
        dispatch.start_apply(connection, run.pk, reason="test")


def test_an_entity_that_was_disabled_is_named(connection: Connection) -> None:
    made = plan(connection, entities=["account"])
    connection.entities.update(enabled=False)
    with pytest.raises(InvalidRequest, match="Not enabled for 'field': account"):
        dispatch.start_apply(connection, made.pk, reason="test")


def test_a_dry_run_that_begins_again_writes_one_plan(connection: Connection) -> None:
    run = make_run(connection, options={"dry_run": True})
    book = plans.DatabaseBook(run)
    assert book is not None
    PlanPage.objects.create(
        run=run, position=0, entity="account", side="client", action="create", count=1
    )
    work(run)
    assert [page.count for page in run.plan_pages.all()] == [3]


# Doors


def test_the_command_prints_the_plan_and_applies_it(connection: Connection) -> None:
    out = StringIO()
    call_command("sync", "field", "--dry-run", stdout=out, stderr=StringIO())
    made = Run.objects.get()
    text = out.getvalue()
    assert f"Plan {made.pk}, digest {made.result['digest']}" in text
    assert "account create 00000000-0000-0000-0000-000000000001 'account 1'" in text
    assert "Requests: 0 to read, as in this dry run, and about 0 to write." in text
    call_command("sync", "field", "--apply", str(made.pk), stdout=out, stderr=StringIO())
    assert len(names(client_store(connection))) == 3
    out = StringIO()
    call_command("sync", "field", "--dry-run", stdout=out, stderr=StringIO())
    assert "Nothing to do: both sides are as they should be." in out.getvalue()


def test_the_command_gives_the_plan_as_json(connection: Connection) -> None:
    out = StringIO()
    call_command("sync", "field", "--dry-run", "--json", stdout=out, stderr=StringIO())
    answer = orjson.loads(out.getvalue())
    assert answer["dry_run"] is True
    assert answer["plan"]["digest"] == Run.objects.get().result["digest"]


def test_the_command_says_what_does_not_go_together(connection: Connection) -> None:
    with pytest.raises(CommandError, match="leave out --entity, --dry-run") as raised:
        call_command("sync", "field", "--apply", "x", "--dry-run", "--entity", "account")
    assert raised.value.returncode == 2
    with pytest.raises(CommandError, match="'field' has no plan 'x'") as raised:
        call_command("sync", "field", "--apply", "x")
    assert raised.value.returncode == 2


def test_the_command_fails_when_something_changed(connection: Connection) -> None:
    made = plan(connection)
    server_store(connection).create("account", {"name": "One more"})
    with pytest.raises(CommandError, match="Something has changed since") as raised:
        call_command("sync", "field", "--apply", str(made.pk), stderr=StringIO())
    assert raised.value.returncode == 1


def test_sync_async_applies_a_plan(connection: Connection, client: Client) -> None:
    assert connection.client.organization is not None
    make_member(connection.client.organization, "admin@field.example")
    made = plan(connection)
    headers = basic("admin@field.example")

    def post(body: str, kind: str = "application/xml") -> Any:
        return client.post(
            "/rest/v1/sync/field/SyncAsync", body, content_type=kind, headers=headers
        )

    wrong = post("<SyncRequest><Plan>x</Plan></SyncRequest>")
    assert wrong.status_code == 400
    assert "has no plan" in wrong.content.decode()
    both = post(f"<SyncRequest><Plan>{made.pk}</Plan><DryRun>true</DryRun></SyncRequest>")
    assert both.status_code == 400
    assert "A plan is carried out as it was made" in both.content.decode()
    number = post('{"Plan": 7}', "application/json")
    assert (number.status_code, "must be the id of a dry run" in number.content.decode()) == (
        400,
        True,
    )
    good = post(f"<SyncRequest><Plan>{made.pk}</Plan></SyncRequest>")
    assert good.status_code == 202
    key = etree.fromstring(good.content).findtext("JobID") or ""
    assert Run.objects.get(pk=key).options["plan"] == str(made.pk)
