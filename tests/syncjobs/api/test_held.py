"""Held deletions and the recycle bin by API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from connections.models import Connection
from syncjobs import recycle_bin
from syncjobs.models import HeldDeletions, Run
from tests.syncjobs.admin.test_held import make_held
from tests.syncjobs.admin.test_recycle import ONE, TWO, make_deleted, row_of
from tests.syncjobs.api.test_openapi import check, make_document
from tests.syncjobs.making import client_store, make_pair, names

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]
BASE = "/api/connections/field/"
PATH = "/api/connections/{name}/"


@pytest.fixture
def connection(transactional_db: None) -> Connection:
    return make_pair(entities=("account", "contact"))


@pytest.fixture
def admin(transactional_db: None) -> Client:
    return signed_in(User.objects.create_superuser("ann"))


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept": "application/json"})
    client.force_login(user)
    return client


def post(client: Client, path: str, content: object) -> Any:
    return client.post(BASE + path, content, content_type="application/json")


def test_it_lists_what_waits(admin: Client, connection: Connection) -> None:
    make_held(connection, state="over")
    row = make_held(connection)
    answer = admin.get(f"{BASE}held/?state=waiting")
    check(make_document(), f"{PATH}held/", answer)
    (found,) = answer.json()["results"]
    assert (found["id"], found["entity"], found["count"]) == (row.pk, "account", 600)
    assert found["sample"][0]["name"] == "Adventure Works"
    assert admin.get(f"{BASE}held/").json()["count"] == 2
    assert admin.get("/api/connections/nobody/held/").status_code == 404


def test_it_decides(admin: Client, connection: Connection) -> None:
    row = make_held(connection)
    answer = post(admin, f"held/{row.pk}/", {"decision": "approve", "count": 600})
    check(make_document(), f"{PATH}held/{{id}}/", answer, "post")
    assert answer.json()["run"] == str(Run.objects.get().pk)
    assert answer.json()["held"]["state"] == "approved"
    HeldDeletions.objects.all().delete()
    row = make_held(connection)
    answer = post(admin, f"held/{row.pk}/", {"decision": "decline", "count": 600})
    assert (answer.json()["run"], answer.json()["held"]["decided_by"]) == (None, "ann")


def test_it_says_what_is_wrong_with_a_decision(admin: Client, connection: Connection) -> None:
    row = make_held(connection)
    assert "decision" in post(admin, f"held/{row.pk}/", {"count": 600}).json()
    answer = post(admin, f"held/{row.pk}/", {"decision": "approve", "count": 5})
    assert answer.status_code == 409
    assert "By now 600 deletions wait instead of 5" in answer.json()["detail"]


def test_it_lists_and_restores_deleted_records(admin: Client, connection: Connection) -> None:
    make_deleted(connection)
    answer = admin.get(f"{BASE}recycle-bin/?entity=account&search=blue")
    check(make_document(), f"{PATH}recycle-bin/", answer)
    (found,) = answer.json()["results"]
    assert (found["record"], found["values"]["name"]) == (TWO, "Blue Yonder")
    ids = [int(row_of("Adventure Works")), int(row_of("Blue Yonder"))]
    answer = post(admin, "recycle-bin/", {"ids": ids})
    check(make_document(), f"{PATH}recycle-bin/", answer, "post")
    assert answer.json() == {"restored": 2, "failed": []}
    assert names(client_store(connection)) == {ONE: "Adventure Works", TWO: "Blue Yonder"}
    for choice, record in (("keep", ONE), ("follow", TWO)):
        wanted = {"entity": "account", "records": [record], "choice": choice}
        answer = post(admin, "recycle-bin/choose/", wanted)
        check(make_document(), f"{PATH}recycle-bin/choose/", answer, "post")
        assert answer.json() == {"chosen": 1}
    assert not recycle_bin.undecided(connection)
    assert HeldDeletions.objects.get(decided_by="ann").server_ids == [UUID(ONE)]


WANTED = {"entity": "account", "records": [ONE], "choice": "keep"}


@pytest.mark.parametrize(
    ("path", "content", "field"),
    [
        ("recycle-bin/", {"ids": []}, "ids"),
        ("recycle-bin/", {"ids": ["x"]}, "ids"),
        ("recycle-bin/choose/", WANTED | {"entity": ""}, "entity"),
        (
            "recycle-bin/choose/",
            {"entity": "account", "records": ["x"], "choice": "keep"},
            "records",
        ),
        ("recycle-bin/choose/", WANTED | {"choice": "?"}, "choice"),
    ],
)
@pytest.mark.usefixtures("connection")
def test_it_names_the_faulty_field(admin: Client, path: str, content: object, field: str) -> None:
    answer = post(admin, path, content)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_looking_and_deciding_need_permissions(connection: Connection) -> None:
    row = make_held(connection)
    user = User.objects.create_user("viewer", is_staff=True)
    client = signed_in(user)
    wanted = {"decision": "decline", "count": 600}
    assert client.get(f"{BASE}held/").status_code == 403
    assert client.get(f"{BASE}recycle-bin/").status_code == 403
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_helddeletions", "view_connection"))
    )
    assert client.get(f"{BASE}held/").status_code == 200
    assert client.get(f"{BASE}recycle-bin/").status_code == 200
    assert post(client, f"held/{row.pk}/", wanted).status_code == 403
    assert post(client, "recycle-bin/", {"ids": [1]}).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_helddeletions"))
    assert post(client, f"held/{row.pk}/", wanted).status_code == 200
