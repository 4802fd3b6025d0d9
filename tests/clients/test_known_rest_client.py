"""A client in the style of the known ones, over plain HTTP (resco.md §1.4 to §1.9).

It reads what they read and no more: names without namespaces, `Metadata/Attributes` without a
check, pages by number without a cookie, the first child of each `Response`.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import requests
from lxml import etree

from tests.clients.cloud import Cloud

EXECUTE = "http://schemas.resco.net/XRM/Execute"
Row = dict[str, Any]


class KnownClient:
    """Sends and reads as the TypeScript clients of 2018 do."""

    def __init__(self, cloud: Cloud) -> None:
        self._url, self._login = cloud.rest, cloud.login

    def post(self, suffix: str, body: str = "") -> etree._Element:
        headers = {"Content-Type": "application/xml; charset=utf-8"}
        answer = requests.post(
            f"{self._url}{suffix}",
            data=body.encode(),
            headers=headers,
            auth=self._login,
            timeout=30,
        )
        assert 200 <= answer.status_code < 300, answer.text
        return etree.fromstring(answer.content)

    def fetch_all(self, inner: str, count: int) -> list[Row]:
        found: list[Row] = []
        page = 1
        while True:
            body = (
                f"<fetch version='1.0' distinct='0' page='{page}' count='{count}'>{inner}</fetch>"
            )
            root = self.post("", body)
            kinds = self._kinds(root)
            found += [self._row(item, kinds) for item in child(root, "Entities")]
            if (child(root, "MoreRecords").text or "").lower() not in ("true", "1"):
                return found
            page += 1

    @staticmethod
    def _kinds(root: etree._Element) -> dict[str, str]:
        listed = child(child(root, "Metadata"), "Attributes")
        return {str(item.get("Name")): str(item.get("Type")) for item in listed}

    @staticmethod
    def _row(item: etree._Element, kinds: dict[str, str]) -> Row:
        assert item.get("EntityName") == "account"
        return {local(one): converted(one.text or "", kinds[local(one)]) for one in item}

    def execute_multiple(self, *entities: str) -> list[tuple[str, str]]:
        body = "".join(entities)
        root = self.post(
            "/ExecuteMultiple",
            f'<ExecuteMultiple xmlns="{EXECUTE}" ContinueOnError="true">{body}</ExecuteMultiple>',
        )
        return [first_of(response) for response in root]


def local(item: etree._Element) -> str:
    return etree.QName(item).localname


def child(parent: etree._Element, name: str) -> etree._Element:
    return next(item for item in parent if local(item) == name)


def first_of(response: etree._Element) -> tuple[str, str]:
    """Return what the first child node says; text before it would be that node."""
    assert local(response) == "Response"
    assert not response.text
    first = response[0]
    if local(first) == "Fault":
        return "Fault", child(first, "Reason").text or ""
    return str(first.get("Type")), first.text or ""


def converted(text: str, kind: str) -> object:
    if kind in ("Integer", "Picklist"):
        return int(text)
    if kind == "Lookup":
        entity, record, *label = text.split(":", 2)
        return (entity, record, label[0] if label else "")
    return text


def entity(action: str, inner: str) -> str:
    return f'<Entity xmlns="{EXECUTE}" EntityName="account" Action="{action}">{inner}</Entity>'


def test_a_known_client_works(cloud: Cloud) -> None:
    client = KnownClient(cloud)
    who = client.post("/WhoAmI")
    assert who.get("OrganizationName") == "clients"
    assert len(child(who, "UserId").text or "") == 36
    parent, children = str(uuid4()), [str(uuid4()) for _ in range(5)]
    done = client.execute_multiple(
        entity("Create", f"<id>{parent}</id><name>Parent &amp; Sons: &lt;1&gt;</name>"),
        entity("Create", "<nothing>1</nothing>"),
        *(
            entity(
                "Create",
                f"<id>{one}</id><name>Child {number}</name><employees>{number}</employees>"
                f"<parentaccountid>account:{parent}</parentaccountid>",
            )
            for number, one in enumerate(children)
        ),
    )
    assert done[0] == ("guid", parent)
    assert done[1][0] == "Fault"
    assert [kind for kind, _ in done[2:]] == ["guid"] * 5
    inner = (
        "<entity name='account'><attribute name='accountid'/><attribute name='name'/>"
        "<attribute name='employees'/><attribute name='parentaccountid'/>"
        "<attribute name='statuscode'/><order attribute='name'/>"
        "<filter><condition attribute='parentaccountid' operator='not-null'/></filter></entity>"
    )
    rows = client.fetch_all(inner, 2)
    assert [row["accountid"] for row in rows] == children
    assert [row["employees"] for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0]["parentaccountid"] == ("account", parent, "Parent & Sons: <1>")
    assert rows[0]["statuscode"] == 1
    changed = client.execute_multiple(
        entity("Update", f"<id>{children[0]}</id><employees /><statuscode>2</statuscode>"),
        entity("Delete", f"<id>{children[1]}</id>"),
    )
    assert changed == [("bool", "True")] * 2
    rows = client.fetch_all(inner, 500)
    assert len(rows) == 4
    assert ("employees" in rows[0], rows[0]["statuscode"]) == (False, 2)
    number = client.post("/GetMaxRowVersion")
    assert int(number.text or "") == cloud.store.row_version()
