"""`$apply`: groups and aggregates."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.dynamics import apply
from organizations.records import Reference
from tests.organizations.dynamics.library import Api, make

pytestmark = pytest.mark.django_db
FORMATTED = "OData.Community.Display.V1.FormattedValue"
PREFER = f'odata.include-annotations="{FORMATTED}"'


@pytest.fixture
def books(api: Api) -> str:
    """Make four books: kinds 1, 1, 2 and none, of 10, 20, 30 and 40 pages; return an author."""
    author = make(api.twin, "author", name="Ada")
    who: dict[str, Any] = {"editorid": Reference("author", author)}
    make(api.twin, "book", name="A", kind=1, pages=10, price="1.50", **who)
    make(api.twin, "book", name="B", kind=1, pages=20, price="2.50", **who)
    make(api.twin, "book", name="C", kind=2, pages=30)
    make(api.twin, "book", name="C", pages=40)
    return author


def by_key(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row.get(key, "")))


def test_it_counts_groups_and_leaves_nulls_out(api: Api, books: str) -> None:
    document = api.get("books?$apply=groupby((kind),aggregate($count as n))", PREFER)
    assert document["@odata.context"].endswith("$metadata#books")
    assert by_key(document["value"], "kind") == [
        {f"n@{FORMATTED}": "1", "n": 1},
        {f"kind@{FORMATTED}": "Novel", "kind": 1, f"n@{FORMATTED}": "2", "n": 2},
        {f"kind@{FORMATTED}": "Poems", "kind": 2, f"n@{FORMATTED}": "1", "n": 1},
    ]


def test_it_aggregates(api: Api, books: str) -> None:
    methods = ("sum", "min", "max", "average")
    wanted = ",".join(f"pages with {name} as {name}" for name in methods)
    (row,) = api.rows(f"books?$apply=aggregate({wanted},name with countdistinct as names)")
    assert row == {"sum": 100, "min": 10, "max": 40, "average": 25, "names": 3}
    assert (
        b'"total":4.00'
        in api.send("GET", "books?$apply=aggregate(price with sum as total)").content
    )


def test_it_filters_before_it_groups(api: Api, books: str) -> None:
    path = "books?$apply=filter(pages gt 10 and EditorId/name ne null)/groupby((kind))"
    assert api.rows(path) == [{"kind": 1}]


def test_it_groups_by_a_related_record(api: Api, books: str) -> None:
    path = "books?$apply=groupby((EditorId/name),aggregate(pages with sum as total))"
    rows = by_key(api.rows(path), "author_name")
    assert rows == [{"total": 70}, {"total": 30, "author_name": "Ada"}]


def test_it_groups_by_a_lookup(api: Api, books: str) -> None:
    rows = api.rows("books?$apply=filter(kind eq 1)/groupby((_editorid_value))", PREFER)
    assert rows == [{f"_editorid_value@{FORMATTED}": "Ada", "_editorid_value": books}]


def test_groups_can_be_sorted_and_limited(api: Api, books: str) -> None:
    path = "books?$apply=groupby((name),aggregate($count as n))&$orderby=name desc&$top=2"
    assert api.rows(path) == [{"name": "C", "n": 2}, {"name": "B", "n": 1}]


def test_it_aggregates_a_collection_of_a_record(api: Api, books: str) -> None:
    path = f"authors({books})/author_edited?$apply=aggregate(pages with sum as total)"
    assert api.rows(path) == [{"total": 30}]


def test_only_so_many_records_are_aggregated(
    api: Api, books: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "books?$apply=aggregate(pages with sum as total)"
    monkeypatch.setattr(apply, "MOST_AGGREGATED", 4)
    assert api.rows(path) == [{"total": 100}]
    monkeypatch.setattr(apply, "MOST_AGGREGATED", 3)
    assert api.fails(path) == (
        400,
        "0x8004e023",
        "AggregateQueryRecordLimit exceeded. Cannot perform this operation.",
    )
    fetch = (
        "books?fetchXml=<fetch aggregate='true'><entity name='book'><attribute name='pages' "
        "alias='total' aggregate='sum'/></entity></fetch>"
    )
    assert api.fails(fetch)[1] == "0x8004e023"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("$apply=aggregate(pages)", "not of the form 'property with method as name'"),
        ("$apply=aggregate(pages with median as m)", "'median' is none of the methods sum, min"),
        ("$apply=aggregate(x with sum as m)", "Could not find a property named 'x'"),
        ("$apply=aggregate(name with sum as m)", "'sum' does not work on attribute 'name'"),
        ("$apply=groupby(kind)", "groupby takes ((property,…))"),
        ("$apply=groupby(())", "groupby needs a property"),
        ("$apply=groupby((kind),filter(pages gt 1))", "not filter(…)"),
        ("$apply=groupby((createdon))", "datetime value 'createdon' is not supported"),
        ("$apply=groupby((EditorId/x/name))", "is too long"),
        ("$apply=filter(pages gt 1)", "filter(…) must be followed"),
        ("$apply=groupby((kind))/filter(pages gt 1)", "groupby(…) can only come last"),
        ("$apply=filter(pages gt 1)/filter(pages gt 2)/groupby((kind))", "one filter(…)"),
        ("$apply=concat(a)", "'concat(a)' is none of filter(…), groupby(…) and aggregate(…)"),
        ("$apply=groupby((kind))&$filter=kind eq 1", "$filter cannot stand beside $apply"),
        (
            "$apply=groupby((kind),aggregate($count as n))&$orderby=n",
            "SingleValueOpenPropertyAccess is not supported",
        ),
    ],
)
def test_it_says_what_it_cannot_apply(api: Api, options: str, message: str) -> None:
    status, _, found = api.fails(f"books?{options}")
    assert status == 400
    assert message in found
