"""The set-up that all cells share: made once, committed for real, removed at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pytest
from celery import current_app
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from connections.models import Connection, Endpoint
from organizations.catalog import delete_organization
from organizations.models import Organization
from organizations.samples.twins import make_twin
from tests.acceptance.cells import ALL_CIRCUMSTANCES, ENTITIES, Circumstances
from tests.acceptance.place import Place, WebApi
from tests.acceptance.story import DataStory, DeletionStory

PASSWORD = "correct horse 9"
CLIENTS, TWINS = ("field", "travel"), ("contoso", "fabrikam", "northwind")
Story = TypeVar("Story", DataStory, DeletionStory)


@pytest.fixture(scope="package")
def served(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """This installation over HTTP; rows are committed, nobody takes a call."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "RESCO_SYNC_EGRESS_ALLOW", ["127.0.0.1"])
        patch.setattr(settings, "RESCO_SYNC_REGISTRATION", "open")
        patch.setattr(settings, "ALLOWED_HOSTS", ["127.0.0.1", "testserver"])
        patch.setattr(current_app, "send_task", lambda *args, **options: None)
        server = LiveServer("127.0.0.1")
        yield server.url
        server.stop()
        _clean_up()


def _clean_up() -> None:
    Connection.objects.filter(name__in=CLIENTS).delete()
    Endpoint.objects.filter(server_connection=None, clients=None).delete()
    for organization in Organization.objects.filter(name__in=(*CLIENTS, *TWINS)):
        delete_organization(organization)


def make_place(base: str, name: str, *, twin: str) -> Place:
    made = make_twin(twin, records=40, seed=11, email=f"a@{twin}.example", password=PASSWORD)
    url = f"{base}{made.path}"
    return Place(
        base=base,
        twin=made.organization,
        api=WebApi(url, made),
        url=url,
        login=(made.client_id, made.secret),
        name=name,
    )


@pytest.fixture(scope="package")
def place(served: str) -> Place:
    """Case 1a of connecting: the client is made by it."""
    made = make_place(served, "field", twin="contoso")
    made.connect(ENTITIES)
    # That many deletions wait for a person is tried elsewhere: here filters come and go.
    Connection.objects.filter(name=made.name).update(delete_limit=10**6, delete_floor=10**6)
    made.sync_all()
    return made


@pytest.fixture(scope="package")
def data(place: Place) -> Mapping[Circumstances, DataStory]:
    """The authors' steps, carried out under all circumstances before any test looks."""
    return _told(place, {where: DataStory(place, where) for where in ALL_CIRCUMSTANCES})


@pytest.fixture(scope="package")
def deletions(place: Place) -> Mapping[Circumstances, DeletionStory]:
    """The authors' steps, carried out under all circumstances before any test looks."""
    return _told(place, {where: DeletionStory(place, where) for where in ALL_CIRCUMSTANCES})


def _told(place: Place, stories: dict[Circumstances, Story]) -> dict[Circumstances, Story]:
    place.under(ALL_CIRCUMSTANCES[0], {})
    for story in stories.values():
        story.prepare()
    place.sync_all()
    for story in stories.values():
        story.tell()
    return stories
