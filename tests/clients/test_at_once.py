"""Many writers and readers at once, over real HTTP and in real transactions.

RESCO_SYNC_TEST_WRITERS, RESCO_SYNC_TEST_WRITES and RESCO_SYNC_TEST_BURST ask for more of them.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid5
from xml.sax.saxutils import quoteattr

import pytest
import requests
from lxml import etree

from tests.clients.cloud import Cloud

WRITERS = int(os.environ.get("RESCO_SYNC_TEST_WRITERS", "64"))
WRITES = int(os.environ.get("RESCO_SYNC_TEST_WRITES", "4"))
BURST = int(os.environ.get("RESCO_SYNC_TEST_BURST", "150"))
EXECUTE = "http://schemas.resco.net/XRM/Execute"
SPACE = UUID("8f6b7c52-2f6e-4c5b-9b43-3d6f4b8c1a11")
pytestmark = pytest.mark.timeout(280)


class Client:
    """One client with a connection of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.session = cloud, requests.Session()
        self.session.auth = cloud.login

    def post(self, suffix: str, body: str = "") -> etree._Element:
        answer = self.session.post(
            f"{self.cloud.rest}{suffix}",
            data=body.encode(),
            headers={"Content-Type": "application/xml"},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)

    def write(self, action: str, inner: str) -> None:
        body = f'<Entity xmlns="{EXECUTE}" EntityName="account" Action="{action}">{inner}</Entity>'
        root = self.post("/Execute", body)
        assert root.find("Fault") is None, etree.tostring(root)

    def version(self) -> int:
        return int(self.post("/GetMaxRowVersion").text or "")

    def changed_since(self, version: int, *, by_cookie: bool) -> tuple[list[dict[str, str]], int]:
        """Return what has a higher version, and the version from before the reading.

        Pages go on by the cookie of the one before, or from its last version; by number alone
        they would miss what moves from one page to another while they are read.
        """
        found: list[dict[str, str]] = []
        page, until, cookie, since = 1, 0, "", version
        while True:
            root = self._page(since, page, cookie)
            until = until or int(root.findtext("MinActiveRowVersion") or "")
            found += [{str(one.tag): one.text or "" for one in row} for row in root[1]]
            if root.findtext("MoreRecords") != "True":
                return found, until
            if by_cookie:
                page, cookie = page + 1, root.findtext("PagingCookie") or ""
            else:
                since = int(found[-1]["versionnumber"])

    def _page(self, since: int, page: int, cookie: str) -> etree._Element:
        condition = f'<condition attribute="versionnumber" operator="gt" value="{since}"/>'
        return self.post(
            "",
            f'<fetch page="{page}" count="7" min-active-row-version="1" '
            f'paging-cookie={quoteattr(cookie)}><entity name="account">'
            '<attribute name="accountid"/><attribute name="name"/>'
            '<attribute name="versionnumber"/><order attribute="versionnumber"/>'
            f"<filter>{condition}</filter></entity></fetch>",
        )


def record_id(writer: int, number: int) -> str:
    return str(uuid5(SPACE, f"{writer}/{number}"))


def work(cloud: Cloud, writer: int) -> None:
    """Make records, and give each of them its last name with the second write."""
    client = Client(cloud)
    for number in range(WRITES // 2):
        head = f"<id>{record_id(writer, number)}</id>"
        client.write("Create", f"{head}<name>new</name>")
        client.write("Update", f"{head}<name>{writer}/{number}</name>")


def poll(cloud: Cloud, done: threading.Event, *, by_cookie: bool) -> dict[str, str]:
    """Read what changed again and again; returns the last name seen of each record."""
    client, since = Client(cloud), 0
    seen: dict[str, str] = {}
    while True:
        was_done = done.is_set()
        # The gate is asked before the reading: what comes later is read the next time.
        if client.version() > since:
            rows, since = client.changed_since(since, by_cookie=by_cookie)
            seen |= {row["accountid"]: row["name"] for row in rows}
        elif was_done:
            return seen


def test_no_write_is_lost_and_no_reader_misses_one(cloud: Cloud) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(poll, cloud, done, by_cookie=item) for item in (True, False)]
        writers = [pool.submit(work, cloud, number) for number in range(WRITERS)]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        seen = [reader.result() for reader in readers]
    expected = {
        record_id(writer, number): f"{writer}/{number}"
        for writer in range(WRITERS)
        for number in range(WRITES // 2)
    }
    assert seen == [expected, expected]
    assert cloud.store.count_records("account") == len(expected)
    assert cloud.store.row_version() == 2 * len(expected)


def test_no_change_of_the_same_record_is_lost(cloud: Cloud) -> None:
    shared = cloud.store.create("account", {"name": "Shared", "employees": 0}).id
    address = f"{cloud.odata}account('{shared}')"

    def add(times: int) -> None:
        session = requests.Session()
        session.auth = cloud.login
        while times:
            record = session.get(address, timeout=120)
            answer = session.patch(
                address,
                json={"employees": record.json()["employees"] + 1},
                headers={"If-Match": record.headers["ETag"]},
                timeout=120,
            )
            assert answer.status_code in (200, 412), answer.text
            times -= answer.status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [5] * 4))
    assert cloud.store.get("account", shared).values["employees"] == 20


def test_a_burst_is_answered(cloud: Cloud) -> None:
    cloud.store.create("account", {"name": "A"})
    requests_ = [
        ("GET", f"{cloud.odata}account", None),
        ("GET", f"{cloud.odata}account?$filter=name eq 'A'&$count=true", None),
        ("POST", f"{cloud.odata}account", {"name": "B"}),
        ("POST", f"{cloud.rest}/WhoAmI", None),
        ("GET", f"{cloud.rest}/account?$filter=name='A'", None),
        ("GET", f"{cloud.odata}nothing", None),
    ]

    def ask(number: int) -> tuple[int, bool]:
        method, url, body = requests_[number % len(requests_)]
        answer: Any = requests.request(method, url, json=body, auth=cloud.login, timeout=240)
        return answer.status_code, "Retry-After" in answer.headers

    with ThreadPoolExecutor(24) as pool:
        answers = Counter(pool.map(ask, range(BURST)))
    statuses = {status for status, _ in answers}
    assert statuses <= {200, 201, 404, 429}, answers
    assert all(told for status, told in answers if status == 429)
    made = sum(count for (status, _), count in answers.items() if status == 201)
    assert cloud.store.count_records("account") == made + 1
