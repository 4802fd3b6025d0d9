"""Export: metadata, localizations and records in one document."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from lxml import etree

from organizations import deletions
from organizations.rest import exporting
from tests.organizations.making import make_id
from tests.organizations.rest.office import Rest

COLLECTION = "<fetchcollection>{}</fetchcollection>"
NAMED = (
    '<fetch version="1.0"><entity name="account"><filter>'
    '<condition attribute="name" operator="like" value="{}" /></filter></entity></fetch>'
)


def exported(rest: Rest, body: str = "") -> etree._Element:
    answer = rest.send("/Export", body)
    assert answer.status_code == 200, answer.content.decode()
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    return etree.fromstring(b"".join(answer.streaming_content))  # type: ignore[attr-defined]


def records(root: etree._Element) -> Mapping[str, list[dict[str, str]]]:
    return {
        part.get("EntityName", ""): [
            {str(child.tag): child.text or "" for child in item} for item in part
        ]
        for part in root.iterfind("Entities")
    }


def entities(root: etree._Element) -> list[str]:
    return [item.get("Name", "") for item in root.iterfind("{*}Metadata/{*}Entities/{*}Entity")]


def test_it_exports_metadata_labels_and_records(rest: Rest) -> None:
    parent = rest.store.create("account", {"name": "A & B", "revenue": "12.5"}).id
    child = rest.store.create("account", {"name": "C", "parentaccountid": parent}).id
    rest.store.associate("account_rivals", parent, child)
    root = exported(rest)
    version = rest.store.row_version()
    assert root.get("OrganizationName") == rest.organization.name
    assert root.findtext("MaxRowVersion") == str(version)
    assert entities(root) == ["account", "accountrivals", "sampler"]
    assert [item.get("LCID") for item in root.iterfind("Language")] == ["1033", "1031"]
    assert root.find("Language/DisplayName[@Name='account']") is not None
    found = records(root)
    accounts = {row["name"]: row for row in found["account"]}
    assert accounts["A & B"]["revenue"] == "12.50"
    assert accounts["A & B"]["accountid"] == parent
    assert accounts["C"]["parentaccountid"] == f"account:{parent}:A & B"
    assert int(accounts["C"]["versionnumber"]) <= version
    assert len(found["accountrivals"]) == 1
    assert found["sampler"] == []


def test_what_is_exported_can_be_defined_elsewhere(rest: Rest) -> None:
    """Metadata and languages have the forms of `$entities` and `$localizations`."""
    listed = exported(rest).find("{*}Metadata/{*}Entities")
    told = rest.read("/$entities", method="GET", service="metadata")
    assert listed is not None
    assert etree.tostring(listed, with_tail=False) == etree.tostring(told)


def test_it_exports_every_page(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    ids = {make_id() for _ in range(4)}
    for record_id in ids:
        rest.store.create("account", {"name": "One of many"}, id=record_id)
    rows = records(exported(rest, COLLECTION.format(NAMED.format("One of many"))))["account"]
    assert len(rows) == 4
    assert {row["accountid"] for row in rows} == ids


def test_a_sync_filter_says_what_is_exported(rest: Rest) -> None:
    for name in ("Cat", "Cow", "Dog"):
        rest.store.create("account", {"name": name})
    root = exported(rest, COLLECTION.format(NAMED.format("C%")))
    assert entities(root) == ["account"]
    assert sorted(row["name"] for row in records(root)["account"]) == ["Cat", "Cow"]


def test_a_view_is_exported_only_if_it_is_named(rest: Rest) -> None:
    deletions.define(rest.organization)
    gone = rest.store.create("account", {"name": "Gone"}).id
    rest.store.delete("account", gone)
    assert deletions.NAME not in entities(exported(rest))
    one = f'<fetch><entity name="{deletions.NAME}" /></fetch>'
    (row,) = records(exported(rest, COLLECTION.format(one)))[deletions.NAME]
    assert row["objectid"] == gone


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("<fetch />", "Expected a fetchcollection element, found 'fetch'"),
        (COLLECTION.format("<x />"), "Expected a fetch element"),
        (COLLECTION.format('<fetch><entity name="nothing" /></fetch>'), "no entity 'nothing'"),
        (
            COLLECTION.format(2 * '<fetch><entity name="account" /></fetch>'),
            "two fetch elements of entity",
        ),
        (
            COLLECTION.format('<fetch top="1"><entity name="account" /></fetch>'),
            "conditions and links only",
        ),
        (
            COLLECTION.format('<fetch><entity name="account"><all-attributes /></entity></fetch>'),
            "conditions and links only",
        ),
        ("<fetchcollection>", "not well-formed"),
    ],
)
def test_it_refuses_a_body_that_cannot_be_meant(rest: Rest, body: str, part: str) -> None:
    assert part in rest.fault("/Export", body, status=400)["Reason"]


def test_it_exports_to_members_only_and_by_post(rest: Rest) -> None:
    assert rest.send("/Export", headers={"Authorization": ""}).status_code == 401
    assert "takes POST" in rest.fault("/Export", method="PUT", status=405)["Reason"]
