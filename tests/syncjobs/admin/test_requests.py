"""The page of requests: the ledger and the cap; and the same by JSON API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from connections import ledger
from connections.connectors.limits import Usage
from connections.models import Connection, RequestCap

CAP: dict[str, Any] = {
    "percent": "30",
    "days": ["0", "1", "2", "3", "4"],
    "from_hour": "8",
    "until_hour": "18",
    "zone": "Europe/Bratislava",
}


def at(connection: Connection) -> str:
    return f"/admin/connections/connection/{connection.pk}/requests/"


def use(connection: Connection) -> None:
    used = Usage(requests=1234, throttled=5, waited=61.25, received=3 << 20)
    ledger.book(connection.server.pk, used)


def test_it_shows_the_hours(superuser: Client, connection: Connection) -> None:
    use(connection)
    text = superuser.get(at(connection)).content.decode()
    assert f"{timezone.now():%Y-%m-%d %H:00}" in text
    assert "1,234" in text
    assert "61.3" in text


def test_it_saves_a_cap_and_takes_it_away(superuser: Client, connection: Connection) -> None:
    answer: Any = superuser.post(at(connection), CAP)
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said == ["At most 30 % from 8 to 18 (Europe/Bratislava)."]
    cap = RequestCap.objects.get(endpoint=connection.server)
    assert (cap.percent, cap.days, cap.zone) == (30, "01234", "Europe/Bratislava")
    superuser.post(at(connection), CAP | {"percent": ""})
    assert not RequestCap.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("percent", "101", "less than or equal to 100"),
        ("percent", "0", "greater than or equal to 1"),
        ("days", [], "Choose at least one day"),
        ("until_hour", "8", "must be after that of the beginning"),
        ("zone", "Middle Earth", "is not a time zone"),
    ],
)
def test_it_says_what_is_wrong_with_a_cap(
    superuser: Client, connection: Connection, field: str, value: Any, text: str
) -> None:
    answer = superuser.post(at(connection), CAP | {field: value})
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert not RequestCap.objects.exists()


def test_who_may_only_look_saves_no_cap(viewer: Client, connection: Connection) -> None:
    assert viewer.get(at(connection)).status_code == 200
    assert viewer.post(at(connection), CAP).status_code == 403


def test_the_api_gives_the_hours(superuser: Client, connection: Connection) -> None:
    use(connection)
    found = superuser.get(f"/api/connections/{connection.name}/requests/").json()
    assert found["count"] == 1
    row = found["results"][0]
    assert (row["requests"], row["throttled"], row["received"]) == (1234, 5, 3 << 20)
    assert superuser.get("/api/connections/nobody/requests/").status_code == 404
