"""Service protection limits: what is counted, what is refused, and when it is let through."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.core.cache import caches
from django.http import HttpResponse

from organizations.dynamics import protection
from organizations.dynamics.protection import LimitExceeded
from organizations.models import Organization, TwinLimits
from tests.organizations.dynamics.library import Api, make

pytestmark = pytest.mark.django_db
BURST, TIME = protection.BURST_REMAINING, protection.TIME_REMAINING


def make_limits(twin: Organization, **numbers: Any) -> TwinLimits:
    return TwinLimits.objects.create(organization=twin, **numbers)


def who(api: Api) -> HttpResponse:
    return api.send("GET", "WhoAmI")


def error_of(response: HttpResponse) -> tuple[str, str]:
    error = json.loads(response.content)["error"]
    return error["code"], error["message"]


def refusal(limits: TwinLimits, user: str = "anna") -> LimitExceeded:
    with pytest.raises(LimitExceeded) as caught:
        protection.admit(limits, user)
    return caught.value


def admit(limits: TwinLimits, user: str = "anna") -> protection.Admission:
    admission = protection.admit(limits, user)
    assert admission is not None
    return admission


def test_every_answer_tells_what_is_left(api: Api) -> None:
    first, second = who(api), api.send("GET", "books?$select=nonsense")
    assert (first[BURST], second[BURST]) == ("5999", "5998")
    assert first[TIME].startswith("1,19")
    assert second.status_code == 400
    assert api.send("GET", "books")[TIME] < second[TIME]


def test_a_request_too_many_is_refused_with_the_twins_own_numbers(api: Api) -> None:
    make_limits(api.twin, requests=2, window_seconds=7)
    assert [who(api).status_code for _ in range(2)] == [200, 200]
    refused = who(api)
    assert refused.status_code == 429
    assert error_of(refused) == (
        "0x80072322",
        "Number of requests exceeded the limit of 2 over time window of 7 seconds.",
    )
    assert refused["Retry-After"] in ("6", "7")
    assert refused[BURST] == "0"


def test_retry_after_grows_for_those_who_do_not_wait(library: Organization) -> None:
    limits = TwinLimits(organization=library, requests=10, window_seconds=20)
    for _ in range(10):
        admit(limits)
    time.sleep(1.1)
    waits = [refusal(limits).after for _ in range(40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (19, 20)


def test_who_waits_as_told_is_let_through(library: Organization) -> None:
    limits = TwinLimits(organization=library, requests=3, window_seconds=1)
    for _ in range(3):
        admit(limits)
    wait = refusal(limits).after
    assert wait == 1
    time.sleep(wait)
    admit(limits)


def test_the_window_slides(library: Organization) -> None:
    limits = TwinLimits(organization=library, requests=2, window_seconds=1)
    admit(limits)
    time.sleep(0.6)
    admit(limits)
    refusal(limits)
    time.sleep(0.5)
    admit(limits)
    refusal(limits)


def test_it_waits_until_there_is_room_for_all_that_were_turned_away(
    library: Organization,
) -> None:
    limits = TwinLimits(organization=library, requests=2, window_seconds=2)
    admit(limits)
    time.sleep(1.1)
    admit(limits)
    assert [refusal(limits).after, refusal(limits).after] == [1, 2]


def test_execution_time_is_limited_too(library: Organization) -> None:
    limits = TwinLimits(organization=library, execution_seconds=3, window_seconds=30)
    left = admit(limits).finish(2.5)
    assert left is not None
    assert left.headers()[TIME] == "0.50"
    admit(limits).finish(1)
    error = refusal(limits)
    assert error.code == "0x80072321"
    assert error.message == (
        "Combined execution time of incoming requests exceeded limit of 3,000 milliseconds over "
        "time window of 30 seconds. Decrease number of concurrent requests or reduce the duration "
        "of requests and try again later."
    )
    assert error.after in (29, 30)


def test_requests_at_once_are_limited(library: Organization) -> None:
    limits = TwinLimits(organization=library, concurrent=2)
    first, _ = admit(limits), admit(limits)
    error = refusal(limits)
    assert (error.code, error.message) == (
        "0x80072326",
        "Number of concurrent requests exceeded the limit of 2.",
    )
    first.finish(0)
    admit(limits)


def test_each_user_has_limits_of_their_own(library: Organization) -> None:
    limits = TwinLimits(organization=library, requests=1)
    admit(limits, "anna")
    admit(limits, "bert")
    refusal(limits, "anna")


def test_what_nobody_sent_is_not_counted(api: Api) -> None:
    make_limits(api.twin, requests=1)
    token, api.token = api.token, "forged"
    assert [who(api).status_code for _ in range(3)] == [401] * 3
    api.token = token
    assert who(api).status_code == 200


def test_limits_can_be_switched_off(api: Api) -> None:
    make_limits(api.twin, requests=1, is_on=False)
    answers = [who(api) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert BURST not in answers[0]


def test_a_batch_is_one_request(api: Api) -> None:
    make_limits(api.twin, requests=2)
    part = "--b\r\nContent-Type: application/http\r\n\r\nGET books HTTP/1.1\r\n\r\n\r\n"
    answer = api.client.generic(
        "POST",
        f"{api.root}$batch",
        part * 5 + "--b--\r\n",
        content_type="multipart/mixed; boundary=b",
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert answer.status_code == 200
    assert answer[BURST] == "1"


def test_it_recommends_how_many_at_once(api: Api) -> None:
    assert who(api)[protection.DOP_HINT] == "4"
    make_limits(api.twin, dop_hint=8)
    assert who(api)[protection.DOP_HINT] == "8"
    assert protection.DOP_HINT not in api.send("GET", "books")


def test_without_redis_there_are_no_limits(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_limits(api.twin, requests=1)
    monkeypatch.setitem(caches.settings["default"], "LOCATION", "unix:///nowhere/redis.sock")
    answers = [who(api) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert BURST not in answers[0]
    assert "answers without limits" in caplog.text


def test_pages_are_no_larger_than_the_twin_gives_them(api: Api) -> None:
    make_limits(api.twin, page_size=2)
    for name in "ABC":
        make(api.twin, "book", name=name)
    assert len(api.rows("books")) == 2
    response = api.send("GET", "books", headers={"Prefer": "odata.maxpagesize=5000"})
    assert response["Preference-Applied"] == "odata.maxpagesize=2"
    assert len(json.loads(response.content)["value"]) == 2
    fetch = "<fetch count='50'><entity name='book'><attribute name='name'/></entity></fetch>"
    assert len(api.rows(f"books?fetchXml={fetch}")) == 2
