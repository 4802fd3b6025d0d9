"""Change tracking and delta links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import pytest

from organizations.dynamics import changes
from organizations.dynamics.links import delta_token
from organizations.models import EntityDefinition, Organization
from organizations.store import Store
from tests.organizations.dynamics.library import HOST, Api, make

pytestmark = pytest.mark.django_db
TRACK = "odata.track-changes"


def first_link(api: Api) -> str:
    link: str = api.get("books?$select=name", TRACK)["@odata.deltaLink"]
    return link


def test_only_the_last_page_has_a_delta_link(api: Api) -> None:
    for name in "ABC":
        make(api.twin, "book", name=name)
    prefer = f"{TRACK},odata.maxpagesize=2"
    first = api.get("books?$select=name", prefer)
    assert "@odata.deltaLink" not in first
    assert "istracking=%22True%22" in first["@odata.nextLink"]
    last = api.get(first["@odata.nextLink"], prefer)
    assert "@odata.nextLink" not in last
    assert len(first["value"] + last["value"]) == 3
    start = f"{HOST}{api.root}books?$select=name&$deltatoken="
    assert last["@odata.deltaLink"].startswith(start)
    version, moment = delta_token(unquote(last["@odata.deltaLink"].removeprefix(start)))
    assert version == Store(api.twin).row_version()
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_tracking_is_acknowledged(api: Api) -> None:
    response = api.send("GET", "books", headers={"Prefer": f"{TRACK}, odata.maxpagesize=5"})
    assert response["Preference-Applied"] == "odata.maxpagesize=5,odata.track-changes"


def test_a_delta_tells_what_changed_and_what_was_deleted(api: Api) -> None:
    kept, changed, gone = (make(api.twin, "book", name=name) for name in "ABC")
    link = first_link(api)
    store = Store(api.twin)
    store.update("book", changed, {"name": "B2"})
    made = make(api.twin, "book", name="D")
    store.delete("book", gone)
    brief = make(api.twin, "book", name="E")
    store.delete("book", brief)
    document = api.get(link)
    assert document["@odata.context"] == f"{HOST}{api.root}$metadata#books(name)/$delta"
    shown, deleted = document["value"][:2], document["value"][2:]
    assert [(row["bookid"], row["name"]) for row in shown] == [(changed, "B2"), (made, "D")]
    context = f"{HOST}{api.root}$metadata#books/$deletedEntity"
    assert sorted(deleted, key=lambda item: str(item["id"])) == [
        {"@odata.context": context, "id": key, "reason": "deleted"} for key in sorted((gone, brief))
    ]
    assert api.rows(document["@odata.deltaLink"]) == []
    assert kept not in str(document)


def test_a_deleted_record_that_came_back_is_a_change(api: Api) -> None:
    book = make(api.twin, "book", name="A")
    link = first_link(api)
    store = Store(api.twin)
    store.delete("book", book)
    store.create("book", {"name": "again"}, id=book)
    assert [row.get("name") for row in api.rows(link)] == ["again"]


def test_a_long_first_reading_misses_nothing(api: Api) -> None:
    ids = sorted(make(api.twin, "book", name=name) for name in "ABC")
    prefer = f"{TRACK},odata.maxpagesize=2"
    first = api.get("books?$select=name", prefer)
    Store(api.twin).update("book", ids[0], {"name": "late"})
    last = api.get(first["@odata.nextLink"], prefer)
    assert [row["name"] for row in api.rows(last["@odata.deltaLink"])] == ["late"]


def test_a_delta_pages_changes_then_deletions(api: Api) -> None:
    gone = [make(api.twin, "book", name=f"gone {n}") for n in range(3)]
    link = first_link(api)
    store = Store(api.twin)
    for key in gone:
        store.delete("book", key)
    for number in range(3):
        make(api.twin, "book", name=str(number))
    pages = []
    while True:
        document = api.get(link, "odata.maxpagesize=2")
        pages.append([row.get("name") or row["id"] for row in document["value"]])
        if "@odata.deltaLink" in document:
            break
        link = document["@odata.nextLink"]
        if len(pages) == 1:
            make(api.twin, "book", name="late")
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [name for page in pages for name in page] == ["0", "1", "2", *sorted(gone)]
    assert [row["name"] for row in api.rows(document["@odata.deltaLink"])] == ["late"]


def test_it_counts_changes(api: Api) -> None:
    book = make(api.twin, "book", name="A")
    token = first_link(api).partition("$deltatoken=")[2]
    Store(api.twin).delete("book", book)
    make(api.twin, "book", name="B")
    response = api.send("GET", f"{HOST}{api.root}books/$count?$deltatoken={token}")
    assert response.content.decode("utf-8-sig") == "2"


@pytest.mark.parametrize("option", ["filter", "orderby", "expand", "top"])
def test_some_options_are_refused(api: Api, option: str) -> None:
    status, _, message = api.fails(f"books?${option}=name", Prefer=TRACK)
    assert status == 400
    assert message == (
        f'The "${{{option}}}" query parameter isn\'t supported when Change Tracking is enabled.'
    )


def test_an_entity_must_be_tracked(api: Api) -> None:
    assert api.fails("authors", Prefer=TRACK) == (
        400,
        "0x80072491",
        "Entity author isn't enabled for change tracking.",
    )


def expired(api: Api, link: str) -> None:
    assert api.fails(link) == (
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )


def test_a_token_expires_with_the_organizations_days(api: Api) -> None:
    version = Store(api.twin).row_version()
    for days, is_expired in ((6, False), (8, True)):
        moment = (datetime.now(UTC) - timedelta(days=days)).strftime("%m/%d/%Y %H:%M:%S")
        link = f"{HOST}{api.root}books?$deltatoken={quote(f'{version}!{moment}')}"
        if is_expired:
            expired(api, link)
        else:
            assert api.rows(link) == []


def test_tokens_can_be_expired_at_once(api: Api) -> None:
    link = first_link(api)
    changes.expire(api.twin)
    expired(api, link)
    assert api.rows(first_link(api)) == []


def test_a_token_from_the_future_or_of_untracked_times_is_expired(api: Api) -> None:
    moment = quote(datetime.now(UTC).strftime("%m/%d/%Y %H:%M:%S"))
    expired(api, f"{HOST}{api.root}books?$deltatoken={10**15}!{moment}")
    link = first_link(api)
    EntityDefinition.objects.filter(organization=api.twin).update(tracks_since=None)
    expired(api, link)


@pytest.mark.parametrize("token", ["x", "12!today", "12!99/99/2024 00:00:00", "!"])
def test_a_broken_token_is_refused(api: Api, token: str) -> None:
    status, code, message = api.fails(f"books?$deltatoken={token}")
    assert (status, code, message) == (400, "0x80044351", "The delta token is not valid.")


@pytest.mark.parametrize(
    "cookie", ["<cookie since='x'/>", "<cookie since='1'/>", "<other/>", "<cookie"]
)
def test_a_broken_cookie_is_refused(api: Api, cookie: str) -> None:
    token = f'<cookie pagenumber="2" pagingcookie="{quote(cookie)}" istracking="True" />'
    path = f"{HOST}{api.root}books?$skiptoken={quote(token)}"
    assert api.fails(path)[:2] == (400, "0x8004e00a")


def test_expiring_moves_the_row_version_once(api: Api) -> None:
    before = Store(api.twin).row_version()
    changes.expire(api.twin)
    assert Organization.objects.get(pk=api.twin.pk).row_version == before + 1
