"""FetchXML over HTTP."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import pytest
from lxml import etree

from organizations.records import Reference
from tests.organizations.dynamics.library import ANNOTATED, HOST, Api, make

pytestmark = pytest.mark.django_db


def fetch(xml: str) -> str:
    return f"{HOST}/dynamics/library/api/data/v9.2/books?fetchXml={quote(xml)}"


def test_it_leaves_nulls_out(api: Api) -> None:
    book = make(api.twin, "book", name="Lies", pages=5)
    xml = (
        "<fetch><entity name='book'><attribute name='name'/><attribute name='isbn'/>"
        "<attribute name='editorid'/><filter><condition attribute='pages' operator='gt' value='1'/>"
        "</filter></entity></fetch>"
    )
    (row,) = api.rows(fetch(xml))
    assert row.pop("@odata.etag").startswith('W/"')
    row.pop("bookid", None)
    assert row == {"name": "Lies"}
    assert book


def test_it_shows_linked_and_aliased_values(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make(api.twin, "book", name="Lies", kind=1, editorid=Reference("author", author), price="10.5")
    xml = (
        "<fetch><entity name='book'><attribute name='kind'/><attribute name='editorid'/>"
        "<attribute name='price'/>"
        "<link-entity name='author' from='authorid' to='editorid' alias='editor'>"
        "<attribute name='name'/><attribute name='authorid' alias='who'/>"
        "</link-entity></entity></fetch>"
    )
    row = api.rows(fetch(xml), ANNOTATED)[0]
    formatted = "OData.Community.Display.V1.FormattedValue"
    assert row["editor.name"] == "Ada"
    assert row["who"] == author
    assert (row["kind"], row[f"kind@{formatted}"]) == (1, "Novel")
    assert row["_editorid_value"] == author
    assert row[f"_editorid_value@{formatted}"] == "Ada"
    lookup = "_editorid_value@Microsoft.Dynamics.CRM."
    assert row[f"{lookup}lookuplogicalname"] == "author"
    assert row[f"{lookup}associatednavigationproperty"] == "EditorId"
    assert row["price"] == 10.5


def test_it_aggregates(api: Api) -> None:
    for pages in (1, 2, 3):
        make(api.twin, "book", name="A", pages=pages)
    xml = (
        "<fetch aggregate='true'><entity name='book'>"
        "<attribute name='pages' alias='total' aggregate='sum'/></entity></fetch>"
    )
    assert api.rows(fetch(xml)) == [{"total": 6}]


def test_it_pages_by_cookie(api: Api) -> None:
    for number in range(5):
        make(api.twin, "book", name=str(number))
    base = "<entity name='book'><attribute name='name'/><order attribute='name'/></entity></fetch>"
    names: list[str] = []
    cookie, page, more = "", 1, True
    while more:
        attribute = f" paging-cookie={quoteattr(cookie)}" if cookie else ""
        xml = f"<fetch count='2' page='{page}'{attribute}>{base}"
        document = api.get(fetch(xml), ANNOTATED)
        names += [row["name"] for row in document["value"]]
        more = document["@Microsoft.Dynamics.CRM.morerecords"]
        if more:
            outer = document["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"]
            element = etree.fromstring(outer)
            assert element.get("istracking") == "False"
            assert element.get("pagenumber") == str(page + 1)
            cookie = unquote(unquote(element.get("pagingcookie") or ""))
            page += 1
    assert names == ["0", "1", "2", "3", "4"]
    assert page == 3


def test_paging_is_told_only_when_asked(api: Api) -> None:
    for number in range(2):
        make(api.twin, "book", name=str(number))
    document = api.get(fetch("<fetch count='1'><entity name='book'/></fetch>"))
    assert set(document) == {"@odata.context", "value"}


@pytest.mark.parametrize(
    ("xml", "status", "message"),
    [
        ("<fetch>", 400, "fetch"),
        ("<fetch><entity name='shelf'/></fetch>", 400, "does not match the entity set 'books'"),
        ("<fetch><entity name='book'><attribute name='x'/></entity></fetch>", 400, "x"),
        ("<fetch><entity name='nothing'/></fetch>", 404, "nothing"),
    ],
)
def test_it_refuses_what_it_cannot_mean(api: Api, xml: str, status: int, message: str) -> None:
    response = api.send("GET", fetch(xml))
    assert response.status_code in (status, 400)
    assert message in json.loads(response.content)["error"]["message"]


def test_the_total_is_told_when_the_query_asks_for_it(api: Api) -> None:
    for number in range(3):
        make(api.twin, "book", name=str(number))
    total = "@Microsoft.Dynamics.CRM.totalrecordcount"
    text = "<fetch count='1'{}><entity name='book'/></fetch>"
    asked = api.get(fetch(text.format(" returntotalrecordcount='true'")), ANNOTATED)
    assert (asked[total], "@odata.count" in asked) == (3, False)
    assert api.get(fetch(text.format("")), ANNOTATED)[total] == -1


def test_high_pages_need_a_cookie(api: Api) -> None:
    text = "<fetch count='5000' page='{}'><entity name='book'/></fetch>"
    assert api.rows(fetch(text.format(10))) == []
    status, code, message = api.fails(fetch(text.format(11)))
    assert (status, code) == (400, "0x8004430a")
    assert "Paging cookie is required" in message


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("any", ["A"]),
        ("not any", ["B", "C"]),
        ("all", ["B"]),
        ("not all", ["A"]),
    ],
)
def test_a_filter_can_ask_for_linked_records(api: Api, kind: str, found: list[str]) -> None:
    ada, eve = (make(api.twin, "author", name=name) for name in ("Ada", "Eve"))
    make(api.twin, "book", name="A", editorid=Reference("author", ada))
    make(api.twin, "book", name="B", editorid=Reference("author", eve))
    make(api.twin, "book", name="C")
    xml = (
        "<fetch><entity name='book'><attribute name='name'/><order attribute='name'/><filter>"
        f"<link-entity name='author' from='authorid' to='editorid' link-type='{kind}'><filter>"
        "<condition attribute='name' operator='eq' value='Ada'/></filter></link-entity>"
        "</filter></entity></fetch>"
    )
    assert [row["name"] for row in api.rows(fetch(xml))] == found


@pytest.mark.parametrize("kind", ["exists", "in"])
def test_a_link_can_only_ask_for_existence(api: Api, kind: str) -> None:
    ada = make(api.twin, "author", name="Ada")
    for name in "AB":
        make(api.twin, "book", name=name, editorid=Reference("author", ada))
    xml = (
        "<fetch><entity name='author'><attribute name='name'/>"
        f"<link-entity name='book' from='editorid' to='authorid' link-type='{kind}'/>"
        "</entity></fetch>"
    )
    path = fetch(xml).replace("/books?", "/authors?")
    assert [row["name"] for row in api.rows(path)] == ["Ada"]


def test_counts_have_formatted_values(api: Api) -> None:
    make(api.twin, "book", name="A")
    xml = (
        "<fetch aggregate='true'><entity name='book'>"
        "<attribute name='bookid' alias='n' aggregate='count'/></entity></fetch>"
    )
    (row,) = api.rows(fetch(xml), ANNOTATED)
    assert row == {"n@OData.Community.Display.V1.FormattedValue": "1", "n": 1}


@pytest.mark.parametrize("option", ["savedQuery", "userQuery"])
def test_a_view_that_is_not_there_is_not_found(api: Api, option: str) -> None:
    key = "11111111-1111-4111-8111-111111111111"
    assert api.fails(f"books?{option}={key}") == (
        404,
        "0x80040217",
        f"Entity '{option.lower()}' With Id = {key} Does Not Exist",
    )
    status, _, message = api.fails(f"books?{option}=mine")
    assert (status, message) == (400, f"{option} is the id of a view, and 'mine' is not an id.")
