"""Collections and records: what is selected, filtered, sorted, counted, paged and annotated."""

from __future__ import annotations

import pytest

from organizations.odata import reading
from organizations.records import RecordValue
from tests.organizations.making import make_id
from tests.organizations.odata.reader import OData


def names(document: dict[str, list[dict[str, object]]]) -> list[object]:
    return [item["name"] for item in document["value"]]


def test_it_reads_a_collection(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha", "revenue": "1.5", "employees": 3})
    document = odata.get("account?$select=name,revenue,employees")
    context = f"http://testserver{odata.root}$metadata#account(accountid,name,revenue,employees)"
    assert document["@odata.context"] == context
    assert document["value"] == [
        {
            "@odata.etag": f'W/"{account.version:032x}"',
            "accountid": account.id,
            "name": "Alpha",
            "revenue": 1.5,
            "employees": 3,
        }
    ]


def test_it_keeps_all_digits_of_money(odata: OData) -> None:
    odata.store.create("account", {"name": "Alpha", "revenue": "12345678901234.56"})
    assert b'"revenue":12345678901234.56' in odata.send("account?$select=revenue").content


def test_lookups_have_two_underscores_and_id(odata: OData) -> None:
    parent = odata.store.create("account", {"name": "Parent"}).id
    odata.store.create("account", {"name": "Child", "parentaccountid": parent})
    found = odata.get(f"account?$filter=__parentaccountid_id eq '{parent}'&$select=name")
    assert names(found) == ["Child"]
    assert names(odata.get(f"account?$filter=__parentaccountid_id eq {parent}")) == ["Child"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'Cat'", ["Cat"]),
        ("startswith(name,'C') and employees gt 1", ["Cow"]),
        ("contains(name,'o') or name eq 'Cat'", ["Cat", "Cow", "Dog"]),
        ("not (name eq 'Cat')", ["Cow", "Dog"]),
        ("employees eq null", ["Dog"]),
        ("name in ('Cat','Dog')", ["Cat", "Dog"]),
        ("statecode eq 0 and employees le 1", ["Cat"]),
        ("parentaccountid_account/name eq 'Cow'", ["Cat"]),
    ],
)
def test_it_filters(odata: OData, text: str, expected: list[str]) -> None:
    cow = odata.store.create("account", {"name": "Cow", "employees": 2}).id
    odata.store.create("account", {"name": "Cat", "employees": 1, "parentaccountid": cow})
    odata.store.create("account", {"name": "Dog"})
    assert names(odata.get(f"account?$filter={text}&$orderby=name")) == expected


def test_it_sorts_skips_and_counts(odata: OData) -> None:
    for number in range(5):
        odata.store.create("account", {"name": f"N{number}", "employees": number})
    document = odata.get("account?$orderby=employees desc&$skip=1&$top=2&$count=true")
    assert names(document) == ["N3", "N2"]
    assert document["@odata.count"] == 5
    assert "@odata.nextLink" not in document
    assert odata.send("account/$count?$filter=employees lt 2").content == b"2"


@pytest.mark.parametrize("options", ["", "&$orderby=name desc", "&$skip=1&$orderby=name desc"])
@pytest.mark.parametrize("top", [None, 5, 4])
def test_it_pages_until_the_end(
    odata: OData, monkeypatch: pytest.MonkeyPatch, options: str, top: int | None
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    for number in range(7):
        odata.store.create("account", {"name": f"N{number}"})
    limit = "" if top is None else f"&$top={top}"
    document = odata.get(f"account?$select=name{options}{limit}")
    seen, pages = names(document), 1
    while "@odata.nextLink" in document:
        document = odata.follow(document["@odata.nextLink"])
        seen += names(document)
        pages += 1
    whole = 6 if "skip" in options else 7
    assert len(set(map(str, seen))) == len(seen) == min(top or whole, whole)
    assert pages == -(-len(seen) // 2)
    if "orderby" in options:
        assert seen == sorted(seen, key=str, reverse=True)


def test_it_reads_one_record_by_quoted_or_plain_key(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha"})
    for key in (f"'{account.id}'", account.id, account.id.upper()):
        document = odata.get(f"account({key})?$select=name")
        assert document["name"] == "Alpha"
        assert document["@odata.context"].endswith("$metadata#account(accountid,name)/$entity")
    etag = document["@odata.etag"]
    assert odata.send(f"account('{account.id}')", If_None_Match=etag).status_code == 304


def test_it_annotates_when_asked(odata: OData) -> None:
    parent = odata.store.create("account", {"name": "Parent"}).id
    odata.store.create("account", {"name": "Child", "parentaccountid": parent, "revenue": "1234"})
    path = "account?$select=__parentaccountid_id,revenue&$filter=name eq 'Child'"
    (row,) = odata.get(path, Prefer='odata.include-annotations="*"')["value"]
    assert row["__parentaccountid_id@RescoCloud.FormattedValue"] == "Parent"
    assert row["__parentaccountid_id@RescoCloud.LookupLogicalName"] == "account"
    assert row["revenue@RescoCloud.FormattedValue"] == "1,234.00"
    (plain,) = odata.get(path)["value"]
    assert not [key for key in plain if "RescoCloud" in key]


def test_it_expands_a_lookup(odata: OData) -> None:
    parent = odata.store.create("account", {"name": "Parent"}).id
    odata.store.create("account", {"name": "Child", "parentaccountid": parent})
    path = "account?$select=name&$expand=parentaccountid_account($select=name)&$orderby=name"
    child, top = odata.get(path)["value"]
    assert child["parentaccountid_account"]["name"] == "Parent"
    assert child["parentaccountid_account"]["accountid"] == parent
    assert top["parentaccountid_account"] is None


def test_it_writes_every_type(odata: OData) -> None:
    other = make_id()
    values: dict[str, RecordValue] = {
        "text": "a",
        "whole": 1,
        "decimal": "1.2345",
        "real": 0.5,
        "flag": True,
        "moment": "2024-05-01T12:00:00Z",
        "day": "2024-05-01",
        "wall": "2024-05-01T12:00:00",
        "choices": "2,1",
        "other": other,
        "parties": f'[[5,"account","{other}"],[5,"","x@example.com"]]',
    }
    odata.store.create("sampler", values)
    (row,) = odata.get("sampler")["value"]
    assert row["decimal"] == 1.2345
    assert (row["moment"], row["day"]) == ("2024-05-01T12:00:00Z", "2024-05-01T00:00:00Z")
    assert (row["wall"], row["choices"]) == ("2024-05-01T12:00:00Z", "1,2")
    assert row["parties"] == [
        {"participationtypemask": 5, "entity": None, "party": "x@example.com"},
        {"participationtypemask": 5, "entity": "account", "party": other},
    ]
    assert row["memo"] is None


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("nothing", 404, "There is no entity set 'nothing'"),
        ("account?$select=wrong", 400, "no property 'wrong'"),
        ("account?$filter=wrong eq 1", 400, "no property 'wrong'"),
        ("account?$filter=name eq", 400, "Syntax error"),
        ("account?$filter=a/name eq 'x'", 400, "no navigation 'a'"),
        ("account?$orderby=name sideways", 400, "Syntax error in 'name sideways'"),
        ("account?$top=x", 400, "$top is a whole number"),
        ("account?$skip=-1", 400, "$skip is a whole number"),
        ("account?$skip=60000", 400, "reach 50,000 records deep"),
        ("account?$skiptoken=x", 400, "not one of this service"),
        ("account?$apply=x", 501, "$apply is not served"),
        ("account?$search=x", 501, "$search is not served"),
        ("account?$expand=wrong", 400, "no navigation 'wrong'"),
        ("account?$expand=(((", 400, "Syntax error in $expand"),
        ("account?$expand=parentaccountid_account($top=1)", 501, "'$top' within $expand"),
        ("account?$expand=parentaccountid_account($expand=x)", 400, "no navigation 'x'"),
        ("account?$expand=parentaccountid_account(x)", 400, "Syntax error in $expand at 'x'"),
        ("account?$expand=parentaccountid_account/$ref", 501, "$expand of"),
        (
            "account?$expand=" + ",".join(["parentaccountid_account"] * 11),
            400,
            "at most 10 $expand items",
        ),
        ("account?$format=xml", 415, "$format is json, not 'xml'"),
        ("account(1)", 404, "There is no record of 'account' '1'"),
        ("account(7a4c8f90-0000-4000-8000-000000000001)", 404, "There is no record of 'account'"),
        ("account(7a4c8f90-0000-4000-8000-000000000001)/name", 404, "There is no record of"),
        ("account(7a4c8f90-0000-4000-8000-000000000001)/wrong", 404, "There is no resource"),
        ("account(7a4c8f90-0000-4000-8000-000000000001)/RescoCrm.X()", 501, "is not served"),
        ("account/name", 404, "There is no resource 'account/name'"),
        ("1x", 404, "There is no resource '1x'"),
        ("account?$filter=" + "(" * 70 + "name eq 'x'" + ")" * 70, 400, "nests deeper"),
    ],
)
def test_it_refuses_what_cannot_be_meant(odata: OData, path: str, status: int, part: str) -> None:
    assert part in odata.error(path, status)["message"]
