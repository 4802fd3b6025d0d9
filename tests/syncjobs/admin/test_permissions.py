"""Who may see and do what: superuser, staff who may only look, and others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from connections.models import Connection
from syncjobs.models import Run
from tests.syncjobs.making import make_job, make_run

Address = Callable[[Connection, Run, int], str]
PAGE = "/admin/connections/connection/{connection}"
SEEN = (
    "/admin/",
    "/admin/connections/connection/",
    PAGE + "/change/",
    PAGE + "/filter/account/",
    "/admin/syncjobs/run/",
    "/admin/syncjobs/run/{run}/change/",
    "/admin/syncjobs/syncjob/",
    "/admin/syncjobs/syncjob/{job}/change/",
)
DONE = (
    "/admin/connections/connection/add/",
    PAGE + "/change/",
    PAGE + "/filter/account/",
    PAGE + "/sync-all/",
    PAGE + "/update-server/",
    PAGE + "/disconnect/",
    "/admin/syncjobs/run/{run}/cancel/",
    "/admin/syncjobs/syncjob/add/",
    "/admin/syncjobs/syncjob/{job}/change/",
    "/admin/syncjobs/syncjob/{job}/run-now/",
)
FOR_SUPERUSERS = ("/admin/auth/user/", "/admin/auth/user/add/")


@pytest.fixture
def places(connection: Connection) -> dict[str, object]:
    """What the addresses name."""
    run = make_run(connection)
    return {"connection": connection.pk, "run": run.pk, "job": make_job(connection).pk}


@pytest.mark.parametrize("address", SEEN)
def test_it_shows_pages_to_those_who_may_look(
    superuser: Client, viewer: Client, places: dict[str, object], address: str
) -> None:
    assert superuser.get(address.format(**places)).status_code == 200
    assert viewer.get(address.format(**places)).status_code == 200


@pytest.mark.parametrize("address", [*SEEN, *DONE, *FOR_SUPERUSERS])
def test_it_sends_others_to_sign_in(
    outsider: Client, places: dict[str, object], address: str
) -> None:
    for answer in (outsider.get(address.format(**places)), Client().get(address.format(**places))):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", DONE)
def test_it_does_nothing_for_those_who_may_only_look(
    viewer: Client, places: dict[str, object], address: str
) -> None:
    assert viewer.post(address.format(**places)).status_code == 403
    assert Run.objects.get().state == Run.State.QUEUED
    assert Connection.objects.get().entities.filter(enabled=True).count() == 2


@pytest.mark.parametrize("address", FOR_SUPERUSERS)
def test_it_keeps_administrators_to_superusers(
    superuser: Client, viewer: Client, address: str
) -> None:
    assert superuser.get(address).status_code == 200
    assert viewer.get(address).status_code == 403


def test_it_disables_what_a_viewer_may_not_press(viewer: Client, connection: Connection) -> None:
    text = viewer.get(f"/admin/connections/connection/{connection.pk}/change/").content.decode()
    for name in ("enabled", "deletion"):
        boxes = [part.split(">")[0] for part in text.split(f'type="checkbox" name="{name}"')[1:]]
        assert len(boxes) == 2
        assert all("disabled" in box for box in boxes)
    assert "Disconnect" not in text
    assert "Sync All of" not in viewer.get("/admin/").content.decode()
