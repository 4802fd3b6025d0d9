"""Reading collections of records."""

from __future__ import annotations

import json

import pytest

from organizations.records import Reference
from organizations.store import Store
from tests.organizations.dynamics.library import ANNOTATED, HOST, Api, make

pytestmark = pytest.mark.django_db
ONE = "11111111-1111-4111-8111-111111111111"


def make_book(api: Api, name: str, **values: object) -> str:
    return make(api.twin, "book", name=name, **values)  # type: ignore[arg-type]


def names(rows: list[dict[str, object]]) -> list[object]:
    return [row["name"] for row in rows]


def test_it_shows_values_as_documented(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    book = make_book(
        api,
        "Lies",
        pages=300,
        weight="0.5",
        price="20",
        rating=4.5,
        lent=True,
        kind=2,
        moods="2,1",
        printed="2024-05-01",
        writerid=Reference("author", author),
    )
    document = api.get("books")
    assert document["@odata.context"] == f"{HOST}{api.root}$metadata#books"
    (row,) = document["value"]
    version = api.twin.__class__.objects.get(pk=api.twin.pk).row_version
    assert next(iter(row)) == "@odata.etag"
    assert row["@odata.etag"] == f'W/"{version}"'
    assert row["versionnumber"] == version
    assert row["createdon"].endswith("Z")
    assert {k: row[k] for k in row if k not in ("@odata.etag", "versionnumber")} == {
        "bookid": book,
        "name": "Lies",
        "isbn": None,
        "summary": None,
        "pages": 300,
        "weight": 0.5,
        "price": 20.0,
        "rating": 4.5,
        "lent": True,
        "kind": 2,
        "moods": "1,2",
        "statecode": 0,
        "statuscode": 1,
        "createdon": row["createdon"],
        "modifiedon": row["createdon"],
        "printed": "2024-05-01",
        "_writerid_value": author,
        "_editorid_value": None,
    }


def test_decimals_keep_their_digits(api: Api) -> None:
    make_book(api, "Lies", weight="123456789012345678.125", price="20")
    body = api.send("GET", "books?$select=weight,price").content
    assert b'"weight":123456789012345678.125' in body
    assert b'"price":20.00' in body


def test_select_shows_the_selected_and_the_id(api: Api) -> None:
    book = make_book(api, "Lies")
    document = api.get("books?$select=name,_writerid_value")
    assert document["@odata.context"].endswith("$metadata#books(name,_writerid_value)")
    (row,) = document["value"]
    assert row.pop("@odata.etag")
    assert row == {"name": "Lies", "_writerid_value": None, "bookid": book}


def test_an_image_is_shown_only_when_selected(api: Api) -> None:
    make_book(api, "Lies")
    assert api.rows("books?$select=cover")[0]["cover"] is None
    assert "cover" not in api.rows("books")[0]


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("pages gt 150", ["B"]),
        ("name eq 'a'", ["A"]),
        ("pages eq null", ["C"]),
        ("contains(name,'b') or pages eq 100", ["A", "B"]),
        ("lent eq true", ["B"]),
        ("EditorId/name eq 'Ada'", ["B"]),
        ("_editorid_value ne null", ["B"]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='pages',PropertyValues=['100','200'])",
            ["A", "B"],
        ),
        (
            "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=1)",
            ["A", "B", "C"],
        ),
    ],
)
def test_it_filters(api: Api, filter_text: str, found: list[str]) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(api, "A", pages=100)
    make_book(api, "B", pages=200, lent=True, editorid=Reference("author", author))
    make_book(api, "C")
    assert sorted(map(str, names(api.rows(f"books?$select=name&$filter={filter_text}")))) == found


def test_it_filters_by_ids_with_in(api: Api) -> None:
    ids = [make_book(api, name) for name in "ABC"]
    values = ",".join(f"'{key.upper()}'" for key in ids[:2])
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='bookid',PropertyValues=[{values}])"
    assert {row["bookid"] for row in api.rows(f"books?$filter={text}")} == set(ids[:2])


def test_any_over_a_collection_and_pairs(api: Api) -> None:
    book = make_book(api, "A")
    shelf = make(api.twin, "shelf", name="top")
    api.send("POST", f"books({book})/book_shelf_association/$ref", reference(api, "shelves", shelf))
    assert names(api.rows("books?$filter=book_shelf_association/any(s:s/name eq 'top')")) == ["A"]
    assert api.rows("books?$filter=book_shelf_association/any(s:s/name eq 'low')") == []


@pytest.mark.parametrize("order", ["", "&$orderby=name"])
def test_a_record_found_twice_is_shown_and_counted_once(api: Api, order: str) -> None:
    book = make_book(api, "A")
    for name in ("top one", "top two"):
        shelf = make(api.twin, "shelf", name=name)
        Store(api.twin).associate("book_shelf_association", book, shelf)
    text = "book_shelf_association/any(s:startswith(s/name,'top'))"
    document = api.get(f"books?$count=true&$filter={text}{order}")
    assert (document["@odata.count"], names(document["value"])) == (1, ["A"])


def reference(api: Api, set_name: str, key: str) -> dict[str, str]:
    return {"@odata.id": f"{HOST}{api.root}{set_name}({key})"}


def test_it_sorts_and_limits(api: Api) -> None:
    for name, pages in (("A", 1), ("B", 3), ("C", 2)):
        make_book(api, name, pages=pages)
    document = api.get("books?$orderby=pages desc&$top=2")
    assert names(document["value"]) == ["B", "C"]
    assert "@odata.nextLink" not in document
    assert api.rows("books?$top=0") == []


def walk(api: Api, path: str, prefer: str) -> list[list[object]]:
    pages = []
    while path:
        document = api.get(path, prefer)
        pages.append(names(document["value"]))
        path = document.get("@odata.nextLink", "")
    return pages


@pytest.mark.parametrize("order", ["", "&$orderby=name", "&$orderby=kind,name desc"])
def test_it_pages(api: Api, order: str) -> None:
    for number in range(7):
        make_book(api, f"book {number}", kind=1 + number % 2)
    pages = walk(api, f"books?$select=name{order}&$filter=pages eq null", "odata.maxpagesize=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({name for page in pages for name in page}) == 7
    if order == "&$orderby=name":
        assert [name for page in pages for name in page] == [f"book {n}" for n in range(7)]


def test_the_next_link_has_the_documented_form(api: Api) -> None:
    for name in "ABC":
        make_book(api, name)
    link = api.get("books?$select=name", "odata.maxpagesize=2")["@odata.nextLink"]
    start = f"{HOST}{api.root}books?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22"
    assert link.startswith(start)
    assert "%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253cbookid%2520" in link
    assert link.endswith("%22%20istracking=%22False%22%20/%3E")


def test_a_link_encoded_anew_by_the_client_works(api: Api) -> None:
    for name in "ABC":
        make_book(api, name)
    link = api.get("books?$select=name", "odata.maxpagesize=2")["@odata.nextLink"]
    again = link.replace("%20", "+").replace("$skiptoken", "%24skiptoken")
    assert len(api.rows(again, "odata.maxpagesize=2")) == 1


def test_the_page_size_is_acknowledged(api: Api) -> None:
    response = api.send("GET", "books", headers={"Prefer": "odata.maxpagesize=9999"})
    assert response["Preference-Applied"] == "odata.maxpagesize=5000"
    assert response["OData-Version"] == "4.0"
    assert response["Content-Type"] == "application/json; odata.metadata=minimal"
    assert response["REQ_ID"] == response["x-ms-service-request-id"]


def test_top_is_ignored_beside_a_page_size(api: Api) -> None:
    for name in "ABC":
        make_book(api, name)
    assert len(api.rows("books?$top=1", "odata.maxpagesize=3")) == 3


def test_it_counts(api: Api) -> None:
    for name in "ABC":
        make_book(api, name)
    assert api.get("books?$count=true&$filter=name ne 'A'&$top=1")["@odata.count"] == 2
    response = api.send("GET", "books/$count?$filter=name ne 'A'")
    assert response.content == b"\xef\xbb\xbf2"
    assert response["Content-Type"] == "text/plain"


def test_it_annotates(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(
        api,
        "Lies",
        pages=1300,
        lent=True,
        kind=2,
        moods="1,2",
        printed="2024-05-01",
        price="1234.5",
        writerid=Reference("author", author),
    )
    document = api.get("books", ANNOTATED)
    assert document["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert document["@Microsoft.Dynamics.CRM.globalmetadataversion"]
    (row,) = document["value"]
    formatted = "@OData.Community.Display.V1.FormattedValue"
    assert {k.removesuffix(formatted): v for k, v in row.items() if k.endswith(formatted)} | {
        "createdon": "",
        "modifiedon": "",
        "versionnumber": "",
    } == {
        "pages": "1,300",
        "lent": "Yes",
        "kind": "Poems",
        "moods": "Sad; Merry",
        "statecode": "Active",
        "statuscode": "Here",
        "printed": "5/1/2024",
        "price": "1,234.50",
        "_writerid_value": "Ada",
        "createdon": "",
        "modifiedon": "",
        "versionnumber": "",
    }
    assert row["_writerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "author"
    assert (
        row["_writerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"]
        == "writerid_author"
    )
    keys = list(row)
    assert keys.index("kind") == keys.index(f"kind{formatted}") + 1
    assert not [key for key in keys if key.startswith("_editorid_value@")]


def test_it_annotates_only_what_was_asked_for(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(api, "Lies", kind=1, writerid=Reference("author", author))
    wanted = 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    row = api.rows("books?$select=kind,_writerid_value", wanted)[0]
    assert [key for key in row if "@" in key[1:]] == [
        "_writerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    ]


def test_the_documents_body_is_json(api: Api) -> None:
    make_book(api, "Žluťoučký „kůň“ \U0001f40e")
    assert json.loads(api.send("GET", "books").content)["value"][0]["name"].startswith("Žlu")


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("Books", 404, "0x8006088a", "Resource not found for the segment 'Books'."),
        ("books?$select=x", 400, "0x80060888", "Could not find a property named 'x' on type 'Mic"),
        ("books?$filter=x eq 1", 400, "0x80060888", "Could not find a property named 'x'"),
        ("books?$filter=writerid eq null", 400, "0x80060888", "property named 'writerid'"),
        ("books?$filter=name eq", 400, "0x80048d19", "Syntax error in 'name eq'"),
        ("books?$filter=pages eq 'many'", 400, "0x80048d19", "pages"),
        ("books?$filter=writerid_author/name eq 'x' and y/z eq 1", 400, "0x80060888", "'y'"),
        ("books?$orderby=name up", 400, "0x80048d19", "Syntax error in 'name up'"),
        ("books?$top=many", 400, "0x80060888", "Invalid value 'many' for $top"),
        ("books?$skip=5", 400, "0x80060888", "$skip is not supported"),
        ("books?$skiptoken=x", 400, "0x8004e00a", "Malformed XML in the Paging Cookie"),
        ("books?$select=*", 400, "0x80060888", "$select=* is not supported"),
        ("books?$search=x", 501, "0x80040315", "$search is not supported"),
        ("books/name", 404, "0x8006088a", "segment 'name'"),
        ("books(", 400, "0x0", "Error in query syntax"),
    ],
)
def test_it_answers_errors_as_documented(
    api: Api, path: str, status: int, code: str, message: str
) -> None:
    found = api.fails(path)
    assert found[:2] == (status, code)
    assert message in found[2]
