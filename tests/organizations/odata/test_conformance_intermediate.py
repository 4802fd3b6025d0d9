"""The OData 4.0 Intermediate Conformance Level, as far as it is claimed (resco.md §3.1).

Numbers are those of OData 4.01 part 1, 13.1.2. Requirement 1 is the minimal level; 2, 7.3 and 7.4
have a table of their own, `test_grammar`; 4 is about derived types, of which there are none.
"""

from __future__ import annotations

import orjson
import pytest

from tests.organizations.odata.reader import OData


def names(odata: OData, query: str) -> list[str]:
    return [row["name"] for row in odata.get(f"account?{query}")["value"]]


def make_three(odata: OData) -> None:
    cow = odata.store.create("account", {"name": "Cow", "employees": 2}).id
    odata.store.create("account", {"name": "Cat", "employees": 1, "parentaccountid": cow})
    odata.store.create("account", {"name": "Dog"})


def test_03_it_selects(odata: OData) -> None:
    make_three(odata)
    for row in odata.get("account?$select=name,parentaccountid_account")["value"]:
        assert set(row) == {"@odata.etag", "accountid", "name"}
    whole = odata.get("account?$select=*")["value"][0]
    assert "employees" in whole


def test_05_top(odata: OData) -> None:
    make_three(odata)
    document = odata.get("account?$top=2&$orderby=name")
    assert [row["name"] for row in document["value"]] == ["Cat", "Cow"]
    assert "@odata.nextLink" not in document
    assert odata.get("account?$top=0")["value"] == []


@pytest.mark.parametrize(
    ("name", "value", "raw"),
    [
        ("text", "Žluť <&>", "Žluť <&>"),
        ("whole", 5, "5"),
        ("decimal", "1.5000", "1.5"),
        ("real", 0.5, "0.5"),
        ("flag", True, "true"),
        ("moment", "2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"),
        ("day", "2024-05-01", "2024-05-01T00:00:00Z"),
    ],
)
def test_06_raw_values(odata: OData, name: str, value: str, raw: str) -> None:
    made = odata.store.create("sampler", {name: value}).id
    response = odata.send(f"sampler({made})/{name}/$value")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["ETag"]
    found = response.content.decode()
    assert found.rstrip("0") == raw if name == "decimal" else found == raw


def test_06_a_raw_value_that_is_null_or_no_value(odata: OData) -> None:
    made = odata.store.create("sampler", {"parties": '[[5,"","x@example.com"]]'}).id
    assert odata.send(f"sampler({made})/text/$value").status_code == 204
    assert odata.send(f"sampler({made})/wrong/$value").status_code == 404
    assert odata.send(f"sampler({made})/text/$value", {}, method="PUT").status_code == 501
    assert odata.send(f"sampler({made})/parties/$value").status_code == 501
    assert odata.send(f"sampler({made})/text/$value", Accept="image/png").status_code == 406


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'Cat'", ["Cat"]),
        ("name ne 'Cat'", ["Cow", "Dog"]),
        ("employees eq 2", ["Cow"]),
        ("employees ne 2", ["Cat", "Dog"]),
        ("employees eq null", ["Dog"]),
        ("employees ne null", ["Cat", "Cow"]),
    ],
)
def test_07_1_eq_and_ne(odata: OData, text: str, expected: list[str]) -> None:
    make_three(odata)
    assert names(odata, f"$filter={text}&$orderby=name") == expected


def test_07_2_aliases(odata: OData) -> None:
    make_three(odata)
    query = "$filter=employees gt @few or name eq @name&@few=1&@name='Dog'&$orderby=name"
    assert names(odata, query) == ["Cow", "Dog"]
    odata.error("account?$filter=name eq @missing", 400)


def test_07_5_filters_of_expanded_records_are_not_done(odata: OData) -> None:
    odata.error("account?$expand=parentaccountid_account($filter=name eq 'x')", 501)


def test_10_basic_authentication(odata: OData) -> None:
    response = odata.send("", Authorization="")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="Resco Cloud", charset="UTF-8"'


def test_11_search_is_not_done(odata: OData) -> None:
    odata.error("account?$search=cat", 501)


def test_12_skip(odata: OData) -> None:
    make_three(odata)
    assert names(odata, "$orderby=name&$skip=1") == ["Cow", "Dog"]
    assert names(odata, "$skip=3") == []


def test_13_count(odata: OData) -> None:
    make_three(odata)
    document = odata.get("account?$count=true&$top=1&$filter=employees ne null")
    assert (document["@odata.count"], len(document["value"])) == (2, 1)
    assert "@odata.count" not in odata.get("account?$count=false")


def test_15_lambda_operators_have_nothing_to_stand_on(odata: OData) -> None:
    told = odata.error("account?$filter=parentaccountid_account/any(x:x/name eq 'a')", 400)
    assert "leads to one record" in told["message"]


def test_16_the_number_of_a_set(odata: OData) -> None:
    make_three(odata)
    response = odata.send("account/$count?$filter=employees ge 1")
    assert (response.content, response["Content-Type"]) == (b"2", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", ["Cat", "Cow", "Dog"]),
        ("name asc", ["Cat", "Cow", "Dog"]),
        ("name desc", ["Dog", "Cow", "Cat"]),
        ("employees desc,name", ["Cow", "Cat", "Dog"]),
    ],
)
def test_17_order(odata: OData, order: str, expected: list[str]) -> None:
    make_three(odata)
    assert names(odata, f"$orderby={order}") == expected


def test_02_every_option_works_together(odata: OData) -> None:
    make_three(odata)
    query = (
        "account?$filter=startswith(name,'C')&$select=name&$expand=parentaccountid_account"
        "($select=employees)&$orderby=name&$top=1&$skip=0&$count=true&$format=json"
    )
    document = orjson.loads(odata.send(query).content)
    assert document["@odata.count"] == 2
    assert document["value"][0]["parentaccountid_account"]["employees"] == 2
