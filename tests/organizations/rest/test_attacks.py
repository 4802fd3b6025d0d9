"""Requests that mean harm: XML that grows, queries without end, values nobody can mean."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from lxml import etree

from organizations.models import Organization
from tests.organizations.rest.office import ADMINISTRATOR, Rest

pytestmark = pytest.mark.timeout(120)
DOORS = ["", "/Execute", "/ExecuteMultiple", "/CreateMultiple", "/GetRecordCount"]


def laughs() -> str:
    """Return a document type whose entities grow tenfold ten times."""
    steps = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{steps}]>'


FETCH = '<fetch><entity name="account"><attribute name="{}"/></entity></fetch>'
CREATE = '<Entity EntityName="account" Action="Create"><name>{}</name></Entity>'
DOCUMENTS: Mapping[str, str] = {
    "entities that grow, in an attribute": laughs() + FETCH.format("&a9;"),
    "entities that grow, in text": laughs() + CREATE.format("&a9;"),
    "a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + CREATE.format("&e;"),
    "a file in an attribute": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    + FETCH.format("&e;"),
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>'
    + CREATE.format("x"),
    "a document type elsewhere": '<!DOCTYPE fetch SYSTEM "http://127.0.0.1:9/x.dtd">'
    + FETCH.format("name"),
    "a public document type": '<!DOCTYPE fetch PUBLIC "-//x" "http://127.0.0.1:9/x.dtd">'
    + FETCH.format("name"),
    "ten thousand levels": "<fetch>" + "<a>" * 10000 + "</a>" * 10000 + "</fetch>",
    "two hundred levels": "<fetch>" + "<a>" * 200 + "</a>" * 200 + "</fetch>",
    "an unknown encoding": '<?xml version="1.0" encoding="x-odd"?>' + FETCH.format("name"),
    "half a character": FETCH.format("&#xD800;"),
    "a NUL": FETCH.format("&#0;"),
    "no XML": "hello",
    "an end too early": "<fetch><entity",
    "nothing": "",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document(rest: Rest, name: str, door: str) -> None:
    fault = rest.fault(door, DOCUMENTS[name], status=400)
    assert fault["Detail"]
    assert 10 < len(fault["Reason"]) < 1000
    assert rest.store.count_records("account") == 0


@pytest.mark.parametrize("door", ["/$entities", "/$localizations"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_about_metadata(office: Organization, db: None, name: str, door: str) -> None:
    rest = Rest(office, ADMINISTRATOR)
    assert rest.fault(door, DOCUMENTS[name], status=400, service="metadata")["Reason"]


@pytest.mark.parametrize(
    "body",
    [
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><fetch/>').encode("utf-16"),
        b"<fetch>\x00</fetch>",
        b"<fetch>\xff\xfe</fetch>",
        b"\xef\xbb\xbf",
    ],
)
def test_bytes_that_are_no_text(rest: Rest, body: bytes) -> None:
    assert rest.fault("", body, status=400)["Reason"]  # type: ignore[arg-type]


def test_a_document_that_is_too_long(rest: Rest) -> None:
    long = FETCH.format("x" * 2**20)
    assert "Send it in parts" in rest.fault("", long, status=413)["Reason"]


def fetch(inner: str, attributes: str = "") -> str:
    return f'<fetch {attributes}><entity name="account">{inner}</entity></fetch>'


def conditions(number: int) -> str:
    return "".join(
        f'<condition attribute="name" operator="eq" value="{n}"/>' for n in range(number)
    )


LINK = '<link-entity name="account" from="parentaccountid" to="accountid" alias="l{}">'
QUERIES: Mapping[str, tuple[str, str]] = {
    "2,000 conditions": (f'<filter type="or">{conditions(2000)}</filter>', "500 conditions"),
    "conditions in links": (
        "".join(
            f"{LINK.format(n)}<filter>{conditions(150)}</filter></link-entity>" for n in "abcd"
        ),
        "at most 500 conditions, not 600",
    ),
    "filters in filters": ("<filter>" * 50 + conditions(1) + "</filter>" * 50, "20 deep"),
    "links in links": (LINK.format("") * 30 + "</link-entity>" * 30, "deep"),
    "many links": (
        "".join(f"{LINK.format(n)}</link-entity>" for n in range(100)),
        "at most 15 link-entity",
    ),
    "columns": ('<attribute name="name"/>' * 2000, "at most 1,600 attributes, not 2,000"),
    "columns with aliases": (
        "".join(f'<attribute name="name" alias="a{n}"/>' for n in range(2000)),
        "at most 1,600 attributes",
    ),
    "sort keys": ('<order attribute="name"/>' * 60, "at most 50 sort keys"),
    "columns without end": ('<attribute name="name"/>' * 30000, "at most 1,600 attributes"),
    "a pattern without end": (
        '<filter><condition attribute="name" operator="like" value="' + "[%a" * 200_000 + '"/>'
        "</filter>",
        "at most 30,000 characters, not 600,000",
    ),
    "an unknown attribute": ('<attribute name="nothing"/>', "no attribute 'nothing'"),
    "an unknown link": ('<link-entity name="nothing" from="a" to="b"/>', "'nothing'"),
    "an unknown element": ("<odd/>", "'odd'"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query(rest: Rest, name: str) -> None:
    inner, part = QUERIES[name]
    fault = rest.fault("", fetch(inner), status=400)
    assert part in fault["Reason"]
    assert fault["Detail"]
    assert part in rest.fault("/GetRecordCount", fetch(inner), status=400)["Reason"]


def test_lookups_that_take_two_columns(rest: Rest) -> None:
    many = "".join(f'<attribute name="ownerid" alias="a{n}"/>' for n in range(900))
    assert "at most 1,600 columns, not 1,8" in rest.fault("", fetch(many), status=400)["Reason"]


@pytest.mark.parametrize(
    "attributes",
    [
        'page="-1"',
        'page="99999999999999999999999"',
        'count="-5"',
        'count="999999999999999"',
        'top="-1"',
        'top="99999999999999999999"',
        'paging-cookie="x"',
        'paging-cookie="&lt;cookie page=&quot;1&quot;/&gt;"',
        'paging-cookie="&lt;!DOCTYPE x [&lt;!ENTITY e SYSTEM &quot;file:///x&quot;&gt;]&gt;&lt;x/&gt;"',
    ],
)
def test_a_page(rest: Rest, attributes: str) -> None:
    assert rest.fault("", fetch('<attribute name="name"/>', attributes), status=400)["Detail"]


@pytest.mark.parametrize(
    ("attribute", "operator", "value"),
    [
        ("employees", "eq", "9" * 5000),
        ("employees", "eq", "NaN"),
        ("revenue", "eq", "1e999999999"),
        ("revenue", "gt", "9" * 200),
        ("createdon", "eq", "99999-01-01"),
        ("createdon", "on", "9999-12-31"),
        ("createdon", "last-x-days", "999999999999"),
        ("createdon", "last-x-years", "99999"),
        ("accountid", "eq", "x"),
        ("statecode", "eq", "9" * 30),
        ("name", "dance", "1"),
    ],
)
def test_a_value_of_a_condition(rest: Rest, attribute: str, operator: str, value: str) -> None:
    condition = f'<condition attribute="{attribute}" operator="{operator}" value="{value}"/>'
    assert rest.fault("", fetch(f"<filter>{condition}</filter>"), status=400)["Detail"]


SELECTIONS: Mapping[str, str] = {
    "600 conditions": "$filter=" + " OR ".join(f"name='{n}'" for n in range(600)),
    "2,000 conditions": "$filter=" + " OR ".join(f"name='{n}'" for n in range(2000)),
    "too long": "$filter=name='" + "x" * 40000 + "'",
    "parentheses": "$filter=" + "(" * 5000 + "name='x'" + ")" * 5000,
    "not": "$filter=" + "NOT " * 5000 + "name='x'",
    "cases": "$filter=" + "CASE WHEN " * 500 + "name='x'",
    "minus": "$filter=name=" + "- " * 3000 + "1",
    "functions": "$filter=" + "f(" * 300 + ")" * 300,
    "another statement": "$filter=1=1; DROP TABLE account",
    "a union": "$filter=1=1 UNION SELECT name FROM account",
    "a subquery": "$filter=name IN (SELECT name FROM account)",
    "a NUL": "$filter=name='\0'",
    "a long number": "$filter=employees=" + "9" * 4000,
    "a huge number": "$filter=revenue=1e999999999",
    "negative top": "$top=-1",
    "huge top": "$top=" + "9" * 40,
    "negative skip": "$skip=-1",
    "huge skip": "$skip=" + "9" * 40,
    "an unknown sort key": "$orderby=nothing",
    "many sort keys": "$orderby=" + ",".join(["name"] * 60),
    "an unknown column": "$select=nothing",
    "a column twice": "$select=name,name",
    "an unknown option": "$odd=1",
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection(rest: Rest, name: str) -> None:
    query = quote(SELECTIONS[name], safe="=&$")
    fault = rest.fault(f"/account?{query}", method="GET", status=400)
    assert fault["Detail"]
    assert 10 < len(fault["Reason"]) < 1000


VALUES: Mapping[str, tuple[str, str]] = {
    "a long number": ("account", "<employees>" + "9" * 5000 + "</employees>"),
    "a huge number": ("account", "<revenue>1e999999999</revenue>"),
    "no number": ("account", "<revenue>NaN</revenue>"),
    "a date beyond the calendar": ("account", "<createdon>9999-12-31T23:59:59-14:00</createdon>"),
    "a long text": ("account", "<name>" + "x" * 900000 + "</name>"),
    "a long id": ("account", "<id>" + "9" * 100000 + "</id>"),
    "an unknown attribute": ("account", "<nothing>1</nothing>"),
    "an attribute twice": ("account", "<name>a</name><name>b</name>"),
    "a lookup to nothing": ("account", "<parentaccountid>account:x</parentaccountid>"),
    "elements in a value": ("account", "<name><a/></name>"),
    "an infinite number": ("sampler", "<real>1e999</real>"),
    "a number beyond 64 bits": ("sampler", "<big>" + "9" * 40 + "</big>"),
    "many digits": ("sampler", "<decimal>1e400000</decimal>"),
    "no base64": ("sampler", "<picture>!!!</picture>"),
    "no boolean": ("sampler", "<flag>maybe</flag>"),
    "a NUL in an address": ("sampler", '<parties><party addressused="%00"/></parties>'),
    "a party that is no id": ("sampler", "<parties><party>contact:x</party></parties>"),
    "a party without entity": ("sampler", "<parties><party>x</party></parties>"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value(rest: Rest, name: str) -> None:
    entity, inner = VALUES[name]
    body = f'<Entity EntityName="{entity}">{inner}</Entity>'
    fault = rest.fault("/Create", body, status=400)
    assert fault["Detail"] or "cannot be stored" in fault["Reason"]
    assert len(fault["Reason"]) < 1000
    result = rest.execute(entity, "Create", inner)
    assert result.tag == "Fault"


@pytest.mark.parametrize("path", ["", "/Create", "/ExecuteMultiple", "/Export"])
def test_a_packed_body(rest: Rest, path: str) -> None:
    """Nothing is unpacked, so nothing small becomes large."""
    headers = {"Content-Encoding": "gzip"}
    fault = rest.fault(path, fetch(""), headers=headers, status=415)
    assert "not taken packed (Content-Encoding 'gzip')" in fault["Reason"]
    assert rest.send("", fetch(""), headers={"Content-Encoding": "identity"}).status_code == 200


def test_more_operations_than_a_request_has(rest: Rest) -> None:
    body = f"<ExecuteMultiple>{'<Entity/>' * 1001}</ExecuteMultiple>"
    assert "at most 1,000 operations" in rest.fault("/ExecuteMultiple", body, status=400)["Reason"]


DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "no name": ('Name=""', ""),
    "a quote in a name": ('Name="a&quot;b"', ""),
    "a long name": (f'Name="{"x" * 500}"', ""),
    "a name of other letters": ('Name="Ünï"', ""),
    "a quote in an attribute": ('Name="new_a"', '<Attribute Name="x&quot;; y" Type="String"/>'),
    "an unknown type": ('Name="new_a"', '<Attribute Name="x" Type="Odd"/>'),
    "a negative length": ('Name="new_a"', '<Attribute Name="x" Type="String" Length="-5"/>'),
    "a huge length": (
        'Name="new_a"',
        f'<Attribute Name="x" Type="String" Length="{"9" * 5000}"/>',
    ),
    "a huge precision": ('Name="new_a"', '<Attribute Name="x" Type="Decimal" Precision="99"/>'),
    "an infinite bound": ('Name="new_a"', '<Attribute Name="x" Type="Float" Min="-1e999"/>'),
    "no bound": ('Name="new_a"', '<Attribute Name="x" Type="Float" Max="NaN"/>'),
    "options that are no numbers": (
        'Name="new_a"',
        '<Attribute Name="x" Type="Picklist" OptionSetValues="a;b"/>',
    ),
    "an option beyond 32 bits": (
        'Name="new_a"',
        '<Attribute Name="x" Type="Picklist" OptionSetValues="9999999999"/>',
    ),
    "too many attributes": (
        'Name="new_a"',
        "".join(f'<Attribute Name="c{n}" Type="Integer"/>' for n in range(1700)),
    ),
    "an attribute twice": ('Name="new_a"', '<Attribute Name="x" Type="String"/>' * 2),
    "a pair of one": ('Name="new_a" EntityAttributes="Intersect"', ""),
    "another key": ('Name="account"', '<Attribute Name="name" Type="Integer"/>'),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition(office: Organization, db: None, name: str) -> None:
    head, inner = DEFINITIONS[name]
    body = f"<Entity {head}><Attributes>{inner}</Attributes></Entity>"
    response = Rest(office, ADMINISTRATOR).send("/$entities", body, service="metadata")
    assert response.status_code in (400, 409), response.content[:300]
    root = etree.fromstring(response.content)
    assert 10 < len(root.findtext("Reason") or "") <= 1000


@pytest.mark.parametrize(
    ("lcid", "name", "text", "status"),
    [
        ("x", "account", "A", 400),
        ("99999999999999", "account", "A", 400),
        ("²", "account", "A", 400),
        ("1033", "nothing", "A", 404),
        ("1033", "account", "A" * 5000, 400),
    ],
)
def test_a_label(
    office: Organization, db: None, lcid: str, name: str, text: str, status: int
) -> None:
    body = f'<Language LCID="{lcid}"><DisplayName Name="{name}">{text}</DisplayName></Language>'
    rest = Rest(office, ADMINISTRATOR)
    assert rest.fault("/$localizations", body, status=status, service="metadata")["Reason"]


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Basic " + "A" * 20000])
def test_a_login(rest: Rest, header: str) -> None:
    assert rest.send("/WhoAmI", headers={"Authorization": header}).status_code == 401
