"""`$expand` on collections and single records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.models import Organization
from organizations.records import Reference
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store
from tests.organizations.dynamics.library import ANNOTATED, HOST, Api, key, make, text

pytestmark = pytest.mark.django_db


def make_book(api: Api, name: str, **values: Any) -> str:
    return make(api.twin, "book", name=name, **values)


def make_edited(api: Api) -> tuple[str, list[str]]:
    """Return an author with three edited books A, B, C of 1, 2 and 3 pages."""
    author = make(api.twin, "author", name="Ada")
    who = Reference("author", author)
    books = [make_book(api, name, pages=n + 1, editorid=who) for n, name in enumerate("ABC")]
    return author, books


def test_a_lookup_brings_its_record_or_null(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(api, "A", editorid=Reference("author", author))
    make_book(api, "B")
    document = api.get("books?$select=name&$expand=EditorId($select=name)&$orderby=name")
    assert document["@odata.context"].endswith("$metadata#books(name,EditorId(name))")
    assert [row["EditorId"] for row in document["value"]] == [
        {"name": "Ada", "authorid": author},
        None,
    ]
    assert list(document["value"][0]) == ["@odata.etag", "name", "bookid", "EditorId"]


def test_a_lookup_of_several_entities_has_a_navigation_for_each(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    company = make(api.twin, "company", name="Ink")
    make_book(api, "A", writerid=Reference("author", author))
    make_book(api, "B", writerid=Reference("company", company))
    path = "books?$select=name&$orderby=name&$expand=writerid_author,writerid_company($select=name)"
    one, other = api.rows(path)
    assert (one["writerid_author"]["name"], one["writerid_company"]) == ("Ada", None)
    assert (other["writerid_author"], other["writerid_company"]["name"]) == (None, "Ink")


def test_a_lookup_to_a_record_that_is_not_here_is_null(api: Api) -> None:
    make_book(api, "A", editorid=Reference("author", "11111111-1111-4111-8111-111111111111"))
    assert api.rows("books?$select=name&$expand=EditorId")[0]["EditorId"] is None


def test_a_filter_on_a_lookup_leaves_null(api: Api) -> None:
    make_edited(api)
    path = "books?$top=1&$expand=EditorId($select=name;$filter=name eq '{}')"
    assert api.rows(path.format("Ada"))[0]["EditorId"]["name"] == "Ada"
    assert api.rows(path.format("Eve"))[0]["EditorId"] is None


def test_a_lookup_can_be_given_as_reference(api: Api) -> None:
    author, _ = make_edited(api)
    document = api.get("books?$select=name&$top=1&$expand=EditorId/$ref")
    assert document["@odata.context"].endswith("#books(name,EditorId,EditorId/$ref())")
    (row,) = document["value"]
    assert row["EditorId"] == {"@odata.id": f"{HOST}{api.root}authors({author})"}
    assert row["_editorid_value"] == author


def test_a_collection_comes_whole_with_its_address(api: Api) -> None:
    author, books = make_edited(api)
    make(api.twin, "author", name="Eve")
    options = "$select=name;$orderby=pages desc"
    rows = api.rows(
        f"authors?$select=name&$orderby=name&$expand=author_edited({options})",
        "odata.maxpagesize=2",
    )
    assert [row["name"] for row in rows[0]["author_edited"]] == ["C", "B", "A"]
    first = rows[0]["author_edited"][0]
    assert list(first) == ["@odata.etag", "name", "bookid", "_editorid_value"]
    assert (first["bookid"], first["_editorid_value"]) == (books[2], author)
    assert rows[1]["author_edited"] == []
    address = rows[0]["author_edited@odata.nextLink"]
    start = f"{HOST}{api.root}authors({author})/author_edited?$select=name&$orderby="
    assert address.startswith(start)
    assert [row["name"] for row in api.rows(address)] == ["C", "B", "A"]


def test_a_collection_is_filtered_and_limited_per_record(api: Api) -> None:
    make_edited(api)
    other = make(api.twin, "author", name="Eve")
    make_book(api, "D", pages=9, editorid=Reference("author", other))
    options = "$select=name;$filter=pages gt 1;$orderby=name;$top=1"
    rows = api.rows(f"authors?$orderby=name&$expand=author_edited({options})")
    assert [[book["name"] for book in row["author_edited"]] for row in rows] == [["B"], ["D"]]
    assert "author_edited@odata.nextLink" in rows[0]
    assert api.rows("authors?$expand=author_edited($top=0)")[0]["author_edited"] == []


def test_pairs_can_be_expanded_from_both_sides(api: Api) -> None:
    book, other = make_book(api, "A"), make_book(api, "B")
    shelves = [make(api.twin, "shelf", name=name) for name in ("top", "low")]
    for one, shelf in ((book, 0), (book, 1), (other, 1)):
        Store(api.twin).associate("book_shelf_association", one, shelves[shelf])
    expand = "book_shelf_association($select=name;$orderby=name)"
    rows = api.rows(f"books?$select=name&$orderby=name&$expand={expand}")
    found = [[shelf["name"] for shelf in row["book_shelf_association"]] for row in rows]
    assert found == [["low", "top"], ["low"]]
    rows = api.rows(f"shelves?$select=name&$orderby=name&$expand={expand}")
    found = [[one["name"] for one in row["book_shelf_association"]] for row in rows]
    assert found == [["A", "B"], ["A"]]


def test_a_nested_expand_pages_collections(api: Api) -> None:
    author, books = make_edited(api)
    nested = "author_edited($select=name;$expand=EditorId($select=name))"
    prefer = "odata.maxpagesize=2"
    document = api.get(f"authors?$select=name&$expand={nested}", prefer)
    assert document["@odata.context"].endswith("#authors(name,author_edited(name,EditorId(name)))")
    (row,) = document["value"]
    shown = row["author_edited"]
    assert [book["bookid"] for book in shown] == sorted(books)[:2]
    assert shown[0]["EditorId"] == {"name": "Ada", "authorid": author}
    assert "@odata.etag" not in shown[0]
    rest = api.rows(row["author_edited@odata.nextLink"], prefer)
    assert [book["bookid"] for book in rest] == sorted(books)[2:]
    assert rest[0]["EditorId"]["name"] == "Ada"
    (whole,) = api.rows(f"authors?$select=name&$expand={nested}")
    assert len(whole["author_edited"]) == 3
    assert "author_edited@odata.nextLink" not in whole


def test_a_single_record_and_its_collections_expand(api: Api) -> None:
    author, books = make_edited(api)
    document = api.get(f"books({books[0]})?$select=name&$expand=EditorId($select=name)")
    assert document["@odata.context"].endswith("#books(name,EditorId(name))/$entity")
    assert document["EditorId"]["name"] == "Ada"
    path = f"authors({author})/author_edited?$select=name&$expand=EditorId($select=name)"
    assert [row["EditorId"]["name"] for row in api.rows(path)] == ["Ada"] * 3
    assert api.get(f"books({books[0]})/EditorId?$expand=author_edited")["author_edited"]


def test_what_is_expanded_has_annotations(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(api, "A", kind=2, editorid=Reference("author", author))
    path = "authors?$expand=author_edited($select=kind,_editorid_value)"
    (book,) = api.rows(path, ANNOTATED)[0]["author_edited"]
    formatted = "OData.Community.Display.V1.FormattedValue"
    assert book[f"kind@{formatted}"] == "Poems"
    assert book[f"_editorid_value@{formatted}"] == "Ada"


def test_the_number_of_statements_does_not_grow_with_rows(api: Api) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            api.rows("authors?$expand=author_edited($expand=EditorId,writerid_company)")
        return len(captured)

    make_edited(api)
    few = statements()
    for _ in range(5):
        make_edited(api)
    assert statements() == few


def test_lookups_are_sorted_by_the_names_they_show(api: Api) -> None:
    for name in ("Cyd", "ada", "Bob"):
        author = make(api.twin, "author", name=name)
        make_book(api, f"of {name}", editorid=Reference("author", author))
    make_book(api, "of none")
    prefer, found = "odata.maxpagesize=2", []
    path = "books?$select=name&$orderby=_editorid_value"
    while path:
        document = api.get(path, prefer)
        found += [row["name"] for row in document["value"]]
        path = document.get("@odata.nextLink", "")
    assert found == ["of none", "of ada", "of Bob", "of Cyd"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("books?$expand=x", "Could not find a property named 'x' on type 'Microsoft.Dynamics"),
        ("books?$expand=name", "Property 'name' on type 'Microsoft.Dynamics.CRM.book' is not a"),
        ("books?$expand=EditorId($select=x)", "property named 'x' on type 'Microsoft.Dynamics.CR"),
        ("books?$expand=EditorId($top=1)", "Only $select and $filter clause can be provided"),
        ("authors?$expand=author_edited($top=1;$expand=EditorId)", "Only $select and $filter"),
        ("authors?$expand=author_edited($top=x)", "Invalid value 'x' for $top"),
        ("authors?$expand=author_edited/$ref", "only supported on lookup type navigation"),
        ("authors?$expand=author_edited($skip=1)", "'$skip=1' is not an option of $expand"),
        ("authors?$expand=author_edited($select", "Syntax error in $expand at 'author_edited($se"),
        ("authors?$expand=", "Syntax error in $expand"),
        ("authors?$expand=author_edited($filter=x eq 1)", "property named 'x'"),
        ("books?$expand=" + ",".join(["EditorId"] * 16), "at most 15 $expand options"),
    ],
)
def test_it_says_what_it_cannot_expand(api: Api, path: str, message: str) -> None:
    status, _, found = api.fails(path)
    assert status == 400
    assert message in found


def test_quotes_and_brackets_hide_separators(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    make_book(api, "a;b,(c", editorid=Reference("author", author))
    options = "$filter=contains(name,';b,(c') and (name ne 'x''y');$select=name"
    rows = api.rows(f"authors?$expand=author_edited({options}),author_books")
    assert [book["name"] for book in rows[0]["author_edited"]] == ["a;b,(c"]
    assert rows[0]["author_books"] == []


USER = Entity(
    name="systemuser",
    set_name="systemusers",
    primary_id="systemuserid",
    primary_name="name",
    attributes=(key("systemuserid"), text()),
)
TEAM = Entity(
    name="team",
    set_name="teams",
    primary_id="teamid",
    primary_name="name",
    attributes=(key("teamid"), text()),
)
NOTE = Entity(
    name="note",
    set_name="notes",
    primary_id="noteid",
    primary_name="name",
    attributes=(
        key("noteid"),
        text(),
        Attribute(name="ownerid", type=AttributeType.OWNER, targets=("systemuser", "team")),
        Attribute(name="owninguser", type=AttributeType.LOOKUP, targets=("systemuser",)),
        Attribute(name="aboutid", type=AttributeType.LOOKUP, targets=("nothing",)),
    ),
)


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        twin = create_organization("office", Organization.Kind.DYNAMICS_TWIN, display_name="Office")
        define(twin, (USER, TEAM, NOTE))
        enable(twin, ["systemuser", "team", "note"])
    yield twin
    with django_db_blocker.unblock():
        delete_organization(twin)


def test_owners_are_principals(office: Organization, db: None) -> None:
    api = Api(office)
    user = make(office, "systemuser", name="Ada")
    team = make(office, "team", name="Crew")
    owning = Reference("systemuser", user)
    make(office, "note", name="A", ownerid=owning, owninguser=owning)
    make(office, "note", name="B", ownerid=Reference("team", team))
    path = "notes?$select=name&$orderby=name&$expand=ownerid($select=ownerid),owninguser"
    one, other = api.rows(path)
    kind = "#Microsoft.Dynamics.CRM."
    assert one["ownerid"] == {"@odata.type": f"{kind}systemuser", "ownerid": user}
    assert other["ownerid"] == {"@odata.type": f"{kind}team", "ownerid": team}
    assert one["owninguser"]["ownerid"] == one["owninguser"]["systemuserid"] == user
    assert one["owninguser"]["name"] == "Ada"
    assert api.rows("notes?$top=1&$expand=ownerid")[0]["ownerid"]["name"] in ("Ada", "Crew")
    assert api.rows("systemusers?$select=name")[0]["ownerid"] == user
    failed = api.fails("notes?$expand=ownerid($select=name)")
    assert failed[:2] == (400, "0x80060888")
    assert "'name' on type 'Microsoft.Dynamics.CRM.principal'" in failed[2]


def test_an_entity_without_records_cannot_be_expanded(office: Organization, db: None) -> None:
    status, _, message = Api(office).fails("notes?$expand=aboutid")
    assert (status, "entity 'nothing', which has no records" in message) == (400, True)
