"""Aggregates: the example of Dataverse's documentation, and what it says of nulls and dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from organizations.errors import InvalidRequest
from organizations.query import sql
from organizations.query.context import Context
from organizations.query.nodes import Link, Order, Query, Selection
from tests.organizations.query.tables import execute, insert, table

CONTEXT = Context()
EMPLOYEES = [None, 1500, 2700, 2900, 2900, 3900, 4300, 4800, 6000, 6200]


def make_accounts(**columns: list[Any]) -> None:
    length = len(next(iter(columns.values())))
    insert(
        {
            "account": [
                {"accountid": str(UUID(int=n))} | {name: row[n] for name, row in columns.items()}
                for n in range(length)
            ]
        }
    )


def answer(query: Query, context: Context = CONTEXT) -> list[tuple[Any, ...]]:
    return execute(sql.compile(query, table, context=context))


def make_query(*select: Selection, **changes: Any) -> Query:
    return Query(entity="account", aggregate=True, select=select, **changes)


def aggregate(attribute: str, function: str, **changes: Any) -> Selection:
    return Selection(attribute, function, aggregate=function, **changes)


def group(attribute: str, part: str = "") -> Selection:
    return Selection(attribute, part or attribute, group_by=True, date_grouping=part)


def test_it_answers_the_example_of_the_documentation(records: None) -> None:
    make_accounts(employees=EMPLOYEES)
    functions = ("avg", "count", "countcolumn", "max", "min", "sum")
    query = make_query(*(aggregate("employees", function) for function in functions))
    assert answer(query) == [(3911, 10, 9, 6200, 1500, 35200)]
    distinct = make_query(aggregate("employees", "countcolumn", distinct=True))
    assert answer(distinct) == [(8,)]


def test_it_groups_text_without_case_and_null_as_a_group(records: None) -> None:
    make_accounts(name=["Redmond", "redmond", None, "Dallas"], employees=[1, 2, None, 4])
    query = make_query(
        aggregate("employees", "sum"), group("name"), order=(Order("", True, "name"),)
    )
    assert answer(query) == [(3, "Redmond"), (4, "Dallas"), (0, None)]


def test_it_sorts_by_what_was_counted(records: None) -> None:
    make_accounts(status=[1, 2, 2])
    query = make_query(
        group("status"), aggregate("status", "count"), order=(Order("", True, "count"),)
    )
    assert answer(query) == [(2, 2), (1, 1)]
    count = sql.compile_count(query, table, context=CONTEXT)
    assert execute(count) == [(2,)]


def test_it_takes_dates_apart(records: None) -> None:
    make_accounts(createdon=["2023-03-25T10:00:00Z", "2023-08-27T10:00:00Z", None])
    parts = ("day", "week", "month", "quarter", "year")
    query = make_query(
        *(group("createdon", part) for part in parts), order=(Order("", alias="day"),)
    )
    assert answer(query) == [
        (None, None, None, None, None),
        (25, 12, 3, 1, 2023),
        (27, 35, 8, 3, 2023),
    ]


@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=9))])
def test_it_takes_instants_apart_in_the_users_zone(records: None, zone: Any) -> None:
    make_accounts(createdon=["2023-12-31T20:00:00Z"], founded=["2023-12-31"])
    context = Context(now=datetime(2024, 1, 1, tzinfo=UTC), zone=zone)
    query = make_query(group("createdon", "year"), group("founded", "month"))
    assert answer(query, context) == [(2024, 12)]


def test_it_aggregates_linked_records(records: None) -> None:
    make_accounts(name=["a", "b"], revenue=[Decimal("1.50"), Decimal("2.25")])
    insert(
        {
            "contact": [
                {"contactid": str(UUID(int=n)), "accountid": str(UUID(int=0)), "age": n}
                for n in range(3)
            ]
        }
    )
    link = Link(
        entity="contact",
        from_attribute="accountid",
        to_attribute="accountid",
        select=(aggregate("age", "max"),),
    )
    query = make_query(group("name"), aggregate("revenue", "sum"), links=(link,))
    assert answer(query) == [("a", Decimal("4.50"), 2)]


def test_it_groups_polymorphic_lookups_with_their_type(records: None) -> None:
    owner = str(UUID(int=9))
    make_accounts(ownerid=[owner, owner], ownerid__type=["team", "team"])
    query = make_query(group("ownerid"), aggregate("name", "count"))
    assert answer(query) == [(UUID(owner), "team", 2)]


def test_it_pages_groups(records: None) -> None:
    make_accounts(status=[1, 2, 3])
    query = make_query(group("status"), count=2, page=2)
    assert answer(query) == [(3,)]


@pytest.mark.parametrize(
    ("query", "element", "message"),
    [
        (make_query(), "fetch", "needs an attribute element"),
        (make_query(Selection("name", "n")), "attribute", "needs groupby, or aggregate"),
        (make_query(aggregate("name", "sum")), "attribute", "'sum' does not work on .* 'name'"),
        (make_query(aggregate("status", "avg")), "attribute", "'avg' does not work on"),
        (make_query(aggregate("name", "max")), "attribute", "'max' does not work on"),
        (make_query(group("name", "day")), "attribute", "dategrouping 'day' does not work"),
        (
            make_query(aggregate("name", "count"), aggregate("status", "count")),
            "attribute",
            "returned as 'count'",
        ),
        (
            make_query(aggregate("name", "count"), order=(Order("", alias="total"),)),
            "order",
            "names 'total', which the aggregate does not return",
        ),
    ],
)
def test_it_names_what_cannot_be_aggregated(query: Query, element: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        sql.compile(query, table, context=CONTEXT)
    assert caught.value.element == element
