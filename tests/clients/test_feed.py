"""A spreadsheet's OData feed: the service document, then every set to its end by nextLink."""

from __future__ import annotations

from typing import Any

import requests

from tests.clients.cloud import Cloud
from tests.organizations.making import make_id

ACCEPT = (
    "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,"
    "application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7"
)
"""What the feed of a well-known spreadsheet sends."""


class Feed:
    """Reads as a feed does."""

    def __init__(self, cloud: Cloud) -> None:
        self._root = cloud.odata
        self._session = requests.Session()
        self._session.auth = cloud.login
        headers = {
            "Accept": ACCEPT,
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
            "Prefer": 'odata.include-annotations="*"',
        }
        self._session.headers.update(headers)

    def get(self, url: str) -> Any:
        answer = self._session.get(url, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.headers["OData-Version"] == "4.0"
        return answer.json()

    def sets(self) -> dict[str, str]:
        document = self.get(f"{self._root}?$format=json")
        return {item["name"]: self._root + item["url"] for item in document["value"]}

    def rows(self, url: str) -> tuple[list[dict[str, Any]], int]:
        """Return all rows and the number of pages."""
        found: list[dict[str, Any]] = []
        pages = 0
        while url:
            document = self.get(url)
            found += document["value"]
            url = document.get("@odata.nextLink", "")
            pages += 1
        return found, pages


def fill(cloud: Cloud, number: int) -> None:
    names = ("accountid", "name", "employees", "revenue")
    rows = [(make_id(), f"Account {n:04}", n % 10, "1234.50") for n in range(number)]
    assert cloud.store.load("account", names, rows) == number


def test_a_feed_reads_everything(cloud: Cloud) -> None:
    made = [cloud.store.create("account", {"name": f"A{n}"}).id for n in range(3)]
    fill(cloud, 2100)
    feed = Feed(cloud)
    sets = feed.sets()
    assert set(sets) == {"account", "accountrivals", "sampler"}
    rows, pages = feed.rows(f"{sets['account']}?$format=json")
    assert (len(rows), pages) == (2103, 3)
    assert len({row["accountid"] for row in rows}) == 2103
    assert {row["accountid"] for row in rows} >= set(made)
    chosen, pages = feed.rows(
        f"{sets['account']}?$select=name,revenue&$top=1500&$format=json&$filter=employees eq 3"
    )
    assert (len(chosen), pages) == (210, 1)
    plain = {name for name in chosen[0] if "@" not in name}
    assert plain == {"accountid", "name", "revenue"}
    assert chosen[0]["revenue@RescoCloud.FormattedValue"] == "1,234.50"
    few, pages = feed.rows(f"{sets['account']}?$top=1500&$orderby=name desc&$format=json")
    assert (len(few), pages) == (1500, 2)
    assert [row["name"] for row in few] == sorted((row["name"] for row in few), reverse=True)
