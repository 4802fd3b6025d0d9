"""WhoAmI, GetMaxRowVersion, Fetch, Select and GetRecordCount."""

from __future__ import annotations

import pytest

from tests.organizations.making import make_id
from tests.organizations.rest.office import EMAIL, Rest, rows

FETCH = '<fetch version="1.0"{more}><entity name="account">{inner}</entity></fetch>'


def make_fetch(inner: str = '<attribute name="name" />', more: str = "") -> str:
    return FETCH.format(inner=inner, more=more)


def test_it_says_who_calls(rest: Rest) -> None:
    root = rest.read("/WhoAmI")
    member = rest.organization.members.get(email=EMAIL)
    assert root.get("OrganizationName") == rest.organization.name
    assert root.findtext("OrganizationId") == str(rest.organization.pk)
    assert root.findtext("UserId") == str(member.pk)
    assert root.findtext("OrganizationVersion", "").isdigit()
    assert root.findtext("Languages") == "1033;1031"


def test_it_tells_the_version_that_grows_with_every_write(rest: Rest) -> None:
    before = int(rest.read("/GetMaxRowVersion").text or "")
    rest.store.create("account", {"name": "Alpha"})
    assert int(rest.read("/GetMaxRowVersion").text or "") > before


def test_it_fetches_with_the_metadata_of_its_columns(rest: Rest) -> None:
    account = rest.store.create("account", {"name": "Alpha & Söhne", "revenue": "12.5"}).id
    inner = '<attribute name="accountid"/><attribute name="name"/><attribute name="revenue"/>'
    root = rest.read("", make_fetch(inner + '<attribute name="statuscode"/>'))
    metadata = root.find("Metadata")
    assert metadata is not None
    assert metadata.get("PrimaryEntity") == "account"
    assert [tuple(item.attrib.values()) for item in metadata.iter("Attribute")] == [
        ("accountid", "PrimaryKey", "account"),
        ("name", "String", "account"),
        ("revenue", "Money", "account"),
        ("statuscode", "Picklist", "account"),
    ]
    assert rows(root) == [
        {"accountid": account, "name": "Alpha & Söhne", "revenue": "12.50", "statuscode": "1"}
    ]
    assert root.findtext("MoreRecords") == "False"


def test_it_tells_versions_of_an_entity_that_does_not_list_them(rest: Rest) -> None:
    assert rest.store.catalog.entity("account").attribute("versionnumber") is None
    record = rest.store.create("account", {"name": "Alpha"})
    (row,) = rows(rest.read("", make_fetch('<attribute name="versionnumber"/>')))
    assert row == {"versionnumber": str(record.version)}


def test_it_keeps_line_ends_as_they_are(rest: Rest) -> None:
    rest.store.create("account", {"name": "one\r\ntwo\rthree\nfour"})
    (row,) = rows(rest.read("", make_fetch('<attribute name="name"/>')))
    assert row == {"name": "one\r\ntwo\rthree\nfour"}


def test_it_writes_lookups_with_their_labels(rest: Rest) -> None:
    parent = rest.store.create("account", {"name": "Parent: Ltd"}).id
    rest.store.create("account", {"name": "Child", "parentaccountid": parent})
    condition = '<filter><condition attribute="name" operator="eq" value="Child"/></filter>'
    root = rest.read("", make_fetch('<attribute name="parentaccountid"/>' + condition))
    assert rows(root) == [{"parentaccountid": f"account:{parent}:Parent: Ltd"}]


def test_it_pages_by_number_alone(rest: Rest) -> None:
    for number in range(5):
        rest.store.create("account", {"name": f"Number {number}"})
    inner = '<attribute name="name"/><order attribute="name"/>'
    seen, more = [], []
    for page in (1, 2, 3):
        root = rest.read("", make_fetch(inner, f' page="{page}" count="2"'))
        seen += [row["name"] for row in rows(root)]
        more.append(root.findtext("MoreRecords"))
    assert seen == [f"Number {number}" for number in range(5)]
    assert more == ["True", "True", "False"]


def test_it_gives_the_version_to_poll_with(rest: Rest) -> None:
    first = rest.read("", make_fetch(more=' min-active-row-version="1"'))
    version = first.findtext("MinActiveRowVersion")
    rest.store.create("account", {"name": "Later"})
    condition = f'<condition attribute="versionnumber" operator="gt" value="{version}"/>'
    later = rest.read("", make_fetch(f'<attribute name="name"/><filter>{condition}</filter>'))
    assert rows(later) == [{"name": "Later"}]


def test_it_names_linked_attributes_plainly_or_by_alias(rest: Rest) -> None:
    parent = rest.store.create("account", {"name": "Parent", "employees": 7}).id
    rest.store.create("account", {"name": "Child", "parentaccountid": parent})
    inner = (
        '<attribute name="name"/>'
        '<link-entity name="account" from="accountid" to="parentaccountid" alias="P">'
        '<attribute name="name" alias="parentname"/><attribute name="employees"/></link-entity>'
    )
    assert rows(rest.read("", make_fetch(inner))) == [
        {"name": "Child", "parentname": "Parent", "employees": "7"}
    ]


@pytest.mark.parametrize("place", ["fetch", "entity"])
def test_it_aggregates_wherever_that_is_said(rest: Rest, place: str) -> None:
    for city in ("A", "A", "B"):
        rest.store.create("account", {"name": city})
    on_fetch, on_entity = (' aggregate="true"', "") if place == "fetch" else ("", ' aggregate="1"')
    body = (
        f'<fetch{on_fetch}><entity name="account"{on_entity}>'
        '<attribute name="name" groupby="true" alias="city"/>'
        '<attribute name="accountid" aggregate="count" alias="how many"/>'
        '<order alias="city"/></entity></fetch>'
    )
    root = rest.read("", body)
    assert rows(root) == [{"city": "A", "how_many": "2"}, {"city": "B", "how_many": "1"}]


def test_it_writes_every_type_as_documented(rest: Rest) -> None:
    other = make_id()
    rest.store.create(
        "sampler",
        {
            "text": "a <b>",
            "whole": -5,
            "decimal": "1.2345",
            "real": 0.5,
            "money": "9.9",
            "flag": True,
            "moment": "2024-05-01T12:00:00Z",
            "day": "2024-05-01",
            "choice": 2,
            "choices": "2,1",
            "other": other,
            "parties": f'[[5,"account","{other}"],[5,"","x@example.com"]]',
        },
    )
    root = rest.read("", '<fetch><entity name="sampler"><all-attributes/></entity></fetch>')
    (row,) = rows(root)
    parties = row.pop("parties")
    row.pop("samplerid")
    assert parties == ""
    assert row == {
        "text": "a <b>",
        "whole": "-5",
        "decimal": "1.2345",
        "real": "0.5",
        "money": "9.90",
        "flag": "True",
        "moment": "2024-05-01T12:00:00Z",
        "day": "2024-05-01",
        "choice": "2",
        "choices": "1,2",
        "other": other,
    }
    party = [(item.text, item.get("addressused")) for item in root.iter("party")]
    assert party == [(None, "x%40example.com"), (f"account:{other}", None)]


def test_it_selects_by_an_sql_like_condition(rest: Rest) -> None:
    for name in ("Cat", "Cow", "Dog"):
        rest.store.create("account", {"name": name})
    found = rest.read(
        "/account?$select=name&$filter=name LIKE 'C%25'&$orderby=name DESC&$top=1&$skip=1",
        method="GET",
    )
    assert rows(found) == [{"name": "Cat"}]


def test_it_counts(rest: Rest) -> None:
    rest.store.create("account", {"name": "One"})
    assert rest.read("/GetRecordCount", make_fetch()).text == "1"


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ("", 400, "The body is empty"),
        ("<fetch>", 400, "not well-formed"),
        ("<x/>", 400, "Expected a fetch element"),
        ('<fetch><entity name="nothing"/></fetch>', 400, "There is no entity 'nothing'"),
        (make_fetch('<attribute name="wrong"/>'), 400, "wrong"),
        (make_fetch(more=' page="x"'), 400, "page of fetch is a whole number"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><fetch>&b;</fetch>', 400, "document type"),
        ("<a>" * 90 + "</a>" * 90, 400, "nested more than"),
        ("<fetch>" + "x" * 1_100_000 + "</fetch>", 413, "longer than"),
    ],
)
def test_it_refuses_what_cannot_be_meant(rest: Rest, body: str, status: int, part: str) -> None:
    fault = rest.fault("", body, status=status)
    assert part in fault["Reason"]
    assert fault["Code"].isdigit()


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("$select=wrong", "no attribute 'wrong'"),
        ("$top=0", "$top is a whole number from 1 to 5000"),
        ("$skip=-1", "$skip is a whole number"),
        ("$filter=name eq 'x'", "Syntax error"),
        ("$filter=name = 'a'; DROP TABLE x", "Exactly one SELECT"),
        ("$expand=x", "Select knows no option '$expand'"),
    ],
)
def test_it_refuses_a_select_that_cannot_be_meant(rest: Rest, query: str, part: str) -> None:
    assert part in rest.fault(f"/account?{query}", method="GET", status=400)["Reason"]
