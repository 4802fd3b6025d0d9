"""Update Server from the ribbon and by the API: what the run is told to read."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from connections.models import Connection
from syncjobs.models import Run
from tests.syncjobs.making import make_run


def started(connection: Connection) -> Run:
    return connection.runs.latest("created")


def test_reading_all_again_is_kept_from_preview_to_apply(
    superuser: Client, connection: Connection
) -> None:
    url = reverse("admin:connections_connection_update_server", args=[connection.pk])
    superuser.post(url)
    assert started(connection).options == {"preview": True}
    superuser.post(url, {"full": "1"})
    assert started(connection).options == {"preview": True, "full": True}
    plan = {"digest": "", "unchanged": 0, "counts": {}, "entities": []}
    shown = make_run(
        connection,
        kind=Run.Kind.UPDATE_SERVER,
        state=Run.State.SUCCEEDED,
        options={"preview": True, "full": True},
        result=plan,
    )
    superuser.post(url, {"preview": str(shown.pk)})
    assert started(connection).options == {"plan": plan, "full": True}


def test_the_api_can_ask_for_all(superuser: Client, connection: Connection) -> None:
    url = reverse("api-connection-update-server", args=[connection.name])
    for body, options in (({}, {}), ({"full": True}, {"full": True})):
        answer = superuser.post(url, body, content_type="application/json")
        assert (answer.status_code, answer.json()["options"]) == (202, options)
    wrong = superuser.post(url, {"full": "perhaps"}, content_type="application/json")
    assert (wrong.status_code, list(wrong.json())) == (400, ["full"])
