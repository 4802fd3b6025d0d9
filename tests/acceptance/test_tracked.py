"""Advanced deletions: the set-up steps D22 and D23 in a browser, then the deletion test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from organizations.dynamics.tracking import ENTITY
from syncjobs.models import RunEntity
from tests.acceptance.cells import Circumstances
from tests.acceptance.place import Place
from tests.acceptance.recipes import recipe

pytestmark = pytest.mark.django_db
TABS = {
    "relationships": ["leadcompetitors_association"],
    "deletes": ["account", "lead"],
    "owners": ["account"],
}


@dataclass
class AdvancedStory:
    """What was said on the way, and what the client has at its end."""

    said: list[str] = field(default_factory=list)
    gone: dict[str, str | None] = field(default_factory=dict)
    kept: dict[str, str | None] = field(default_factory=dict)
    modes: Mapping[str, bool] = field(default_factory=dict)
    tracked: RunEntity | None = None
    owner: str = ""


@pytest.fixture(scope="package")
def advanced(place: Place) -> AdvancedStory:
    """Walk D22 and D23, then delete, unlink and give away on the server, and press Sync All."""
    story = AdvancedStory()
    place.under(Circumstances("unfiltered", "offline"), {})
    accounts, pairs = recipe(place, "account"), recipe(place, "leadcompetitors")
    deleted, given, kept = (accounts.on_server(f"Advanced {what}") for what in "abc")
    pair = pairs.on_server("In advanced pair")
    place.sync_all()
    browser = _browser()
    _step_on_the_server(place, browser, story)
    place.update_server()
    _step_on_the_connection(place, browser, story)
    place.sync_all()
    accounts.delete_on_server(deleted)
    pairs.delete_on_server(pair)
    user = place.api.rows("systemusers", "isdisabled eq false")[-1]["systemuserid"]
    bind = {"ownerid@odata.bind": f"systemusers({user})"}
    place.api.send("PATCH", f"accounts({given})", bind)
    run = place.sync_all()
    story.tracked = run.entities.get(name=ENTITY)
    story.gone = {
        "deletion": accounts.text_on_client(deleted),
        "n2n-removal": pairs.text_on_client(pair),
    }
    story.kept = {"other": accounts.text_on_client(kept), "given": accounts.text_on_client(given)}
    owner = place.client.get("account", given).values["ownerid"]
    story.owner = "is new" if getattr(owner, "id", "") == user else f"{owner}"
    User.objects.filter(username="walker").delete()
    return story


def _browser() -> Client:
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(User.objects.create_superuser("walker", "walker@example.com", "x"))
    return browser


def _step_on_the_server(place: Place, browser: Client, story: AdvancedStory) -> None:
    """D22: the Plugins page of the source organization, tab by tab, Save."""
    page = reverse("admin:organizations_organization_plugins", args=[place.twin.pk])
    for part, chosen in TABS.items():
        answer = browser.post(f"{page}?part={part}", {"chosen": chosen}, follow=True)
        story.said += [str(message) for message in answer.context["messages"]]


def _step_on_the_connection(place: Place, browser: Client, story: AdvancedStory) -> None:
    """D23: clear Sync Deletion of the entities, and enable Mobile Tracking in the grid."""
    connection = place.connection
    page = reverse("admin:connections_connection_change", args=[connection.pk])
    names = list(connection.entities.filter(problem="").values_list("name", flat=True))
    enabled = list(connection.entities.filter(enabled=True).values_list("name", flat=True))
    browser.post(page, {"shown": names, "enabled": [*enabled, ENTITY], "deletion": []})
    rows = Connection.objects.get(pk=connection.pk).entities.filter(enabled=True)
    story.modes = dict(rows.values_list("name", "sync_deletion"))


def test_the_set_up_can_be_walked(advanced: AdvancedStory) -> None:
    assert len(advanced.said) == len(TABS)
    assert all("the next Sync All compares once all ids" in text for text in advanced.said)
    assert advanced.modes[ENTITY] is False
    assert not any(advanced.modes.values())


@pytest.mark.parametrize("what", ["deletion", "n2n-removal", "owner-change"])
def test_advanced_deletions(what: str, advanced: AdvancedStory) -> None:
    assert advanced.tracked is not None
    assert (advanced.tracked.state, advanced.tracked.read) == ("done", 3)
    assert advanced.kept["other"] is not None
    if what == "owner-change":
        assert advanced.kept["given"] is not None
        assert advanced.owner == "is new"
    else:
        assert advanced.gone[what] is None
