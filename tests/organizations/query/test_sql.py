"""Order, paging, distinct, output and safety of the PostgreSQL back end, on real tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.errors import InvalidRequest, NotFound
from organizations.query import sql
from organizations.query.context import Context
from organizations.query.nodes import (
    Condition,
    Group,
    Link,
    LinkType,
    Logic,
    Operator,
    Order,
    Query,
    Selection,
)
from organizations.schema import ColumnPart
from tests.organizations.query.tables import Records, execute, insert, table

CONTEXT = Context()


def make_id(number: int) -> str:
    return str(UUID(int=number))


def make_account(number: int, **values: Any) -> dict[str, Any]:
    return {"accountid": make_id(number), "name": None, "employees": None} | values


def make_contact(number: int, account: int, **values: Any) -> dict[str, Any]:
    linked = {"contactid": make_id(number), "accountid": make_id(account), "fullname": None}
    return linked | {"age": None} | values


CONTACTS = Link(entity="contact", from_attribute="accountid", to_attribute="accountid", alias="c")


def answer(query: Query) -> list[tuple[Any, ...]]:
    """Return the rows of one page, ids as numbers, without sort keys and the row too many."""
    statement = sql.compile(query, table, context=CONTEXT)
    rows = execute(statement)[: statement.limit]
    return [tuple(map(_plain, row[: len(statement.columns)])) for row in rows]


def _plain(value: Any) -> Any:
    return value.int if isinstance(value, UUID) else value


def pages(query: Query) -> list[list[tuple[Any, ...]]]:
    """Return all pages of a query, followed by its cookies."""
    found: list[list[tuple[Any, ...]]] = []
    while True:
        statement = sql.compile(query, table, context=CONTEXT)
        rows = execute(statement)
        kept = rows[: statement.limit]
        found.append([tuple(map(_plain, row[: len(statement.columns)])) for row in kept])
        if len(rows) == len(kept):
            return found
        cookie = statement.cookie(kept, query.page)
        query = replace(query, page=query.page + 1, cookie=cookie)


def test_it_sorts_text_without_case_and_nulls_first(records: None) -> None:
    names = ["b", "A", None, "a", "B"]
    insert({"account": [make_account(n, name=name) for n, name in enumerate(names)]})
    ascending = Query(entity="account", order=(Order("name"),))
    descending = Query(entity="account", order=(Order("name", descending=True),))
    assert answer(ascending) == [(2,), (1,), (3,), (0,), (4,)]
    assert answer(descending) == [(0,), (4,), (1,), (3,), (2,)]


def test_it_sorts_by_linked_attributes(records: None) -> None:
    insert(
        {
            "account": [make_account(1), make_account(2), make_account(3)],
            "contact": [make_contact(1, 1, age=30), make_contact(2, 2, age=20)],
        }
    )
    outer = replace(CONTACTS, type=LinkType.OUTER)
    own = Query(entity="account", links=(outer,), order=(Order("age", alias="c"),))
    nested = Query(entity="account", links=(replace(outer, order=(Order("age", True),)),))
    assert answer(own) == [(3,), (2,), (1,)]
    assert answer(nested) == [(1,), (2,), (3,)]


def test_it_returns_attributes_under_their_names(records: None) -> None:
    insert({"account": [make_account(1, name="x")], "contact": [make_contact(7, 1, age=9)]})
    link = replace(CONTACTS, alias="", select=(Selection("age"), Selection("fullname", "who")))
    query = Query(
        entity="account",
        links=(link,),
        select=(Selection("name"), Selection("name", "again"), Selection("versionnumber")),
    )
    statement = sql.compile(query, table, context=CONTEXT)
    assert [column.name for column in statement.columns] == [
        "accountid",
        "name",
        "again",
        "versionnumber",
        "contact1.age",
        "who",
    ]
    assert [column.entity for column in statement.columns][-1] == "contact"
    assert answer(query) == [(1, "x", "x", None, 9, None)]


def test_it_returns_both_halves_of_a_polymorphic_lookup(records: None) -> None:
    insert({"account": [make_account(1) | {"ownerid": make_id(5), "ownerid__type": "team"}]})
    query = Query(entity="account", select=(Selection("ownerid", "who"),))
    statement = sql.compile(query, table, context=CONTEXT)
    assert [(column.name, column.part) for column in statement.columns[1:]] == [
        ("who", ColumnPart.VALUE),
        ("who", ColumnPart.TARGET),
    ]
    assert answer(query) == [(1, 5, "team")]


def test_it_returns_all_kept_attributes(records: None) -> None:
    statement = sql.compile(Query(entity="account", select_all=True), table, context=CONTEXT)
    names = [column.name for column in statement.columns]
    assert names[:3] == ["accountid", "name", "nickname"]
    assert not {"gone", "logo"} & set(names)


def test_it_returns_null_for_attributes_that_are_not_kept(records: None) -> None:
    insert({"account": [make_account(1)]})
    assert answer(Query(entity="account", select=(Selection("logo"),))) == [(1, None)]


def test_it_joins_rows_as_dataverse_does(records: None) -> None:
    contacts = [make_contact(1, 1), make_contact(2, 1)]
    insert({"account": [make_account(1), make_account(2)], "contact": contacts})
    query = Query(entity="account", links=(CONTACTS,))
    assert answer(query) == [(1,), (1,)]
    assert answer(replace(query, distinct=True)) == [(1,)]
    count = sql.compile_count(query, table, context=CONTEXT)
    assert execute(count) == [(2,)]
    assert execute(sql.compile_count(replace(query, distinct=True), table, context=CONTEXT)) == [
        (1,)
    ]


def test_it_requires_what_is_required_below_an_outer_link(records: None) -> None:
    insert({"account": [make_account(1)], "contact": [make_contact(1, 1)]})
    task = Link(entity="task", from_attribute="contactid", to_attribute="contactid")
    link = replace(CONTACTS, type=LinkType.OUTER, links=(task,))
    assert answer(Query(entity="account", links=(link,))) == []


def test_it_makes_selected_values_distinct(records: None) -> None:
    accounts = [make_account(n, name=name) for n, name in enumerate(["b", "a", "b"])]
    insert({"account": accounts})
    query = Query(entity="account", distinct=True, select=(Selection("name"),))
    assert answer(replace(query, order=(Order("name", descending=True),))) == [("b",), ("a",)]
    assert answer(replace(query, count=1, page=2)) == [("b",)]


def test_it_refuses_to_sort_distinct_values_by_others() -> None:
    order = (Order("employees"),)
    query = Query(entity="account", distinct=True, select=(Selection("name"),), order=order)
    with pytest.raises(InvalidRequest, match="sorted only by what it returns, and 'employees'"):
        sql.compile(query, table, context=CONTEXT)


def test_it_refuses_two_outputs_of_one_name() -> None:
    select = (Selection("name"), Selection("nickname", "name"))
    with pytest.raises(InvalidRequest, match="Two attribute elements are returned as 'name'"):
        sql.compile(Query(entity="account", select=select), table, context=CONTEXT)


def test_it_pages_by_number(records: None) -> None:
    insert({"account": [make_account(n) for n in range(5)]})
    query = Query(entity="account", count=2)
    assert answer(replace(query, page=2)) == [(2,), (3,)]
    assert answer(replace(query, page=3)) == [(4,)]
    assert answer(replace(query, page=4)) == []


def test_it_limits_the_page_and_the_top(records: None) -> None:
    insert({"account": [make_account(n) for n in range(3)]})
    statement = sql.compile(Query(entity="account", count=99999), table, context=CONTEXT)
    assert statement.limit == 5000
    top = Query(entity="account", top=2)
    assert sql.compile(top, table, context=CONTEXT).limit is None
    assert answer(top) == [(0,), (1,)]


accounts_with_contacts = st.fixed_dictionaries(
    {
        "account": st.lists(
            st.tuples(st.sampled_from(["a", "B", "b", None]), st.sampled_from([1, 2, None])),
            max_size=5,
        ),
        "contact": st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from([1, 2, None])), max_size=5
        ),
    }
)
keys = st.sampled_from(["name", "employees", "accountid"])
own_orders = st.lists(st.builds(Order, keys, st.booleans()), max_size=2)
linked_orders = st.lists(st.builds(Order, st.just("age"), st.booleans(), st.just("c")), max_size=1)


@given(drawn=accounts_with_contacts, own=own_orders, linked=linked_orders, outer=st.booleans())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_continues_any_order_by_cookie_without_loss(
    query_transaction: Any, drawn: Any, own: list[Order], linked: list[Order], outer: bool
) -> None:
    organization: Records = {
        "account": [
            make_account(n, name=name, employees=employees)
            for n, (name, employees) in enumerate(drawn["account"])
        ],
        "contact": [
            make_contact(n, account, age=age) for n, (account, age) in enumerate(drawn["contact"])
        ],
    }
    link = replace(
        CONTACTS,
        type=LinkType.OUTER if outer else LinkType.INNER,
        select=(Selection("contactid"),),
    )
    query = Query(entity="account", links=(link,), order=(*own, *linked))
    with query_transaction():
        insert(organization)
        paged = pages(replace(query, count=2))
        assert [row for page in paged for row in page] == answer(query)


def test_it_refuses_the_cookie_of_another_order(records: None) -> None:
    insert({"account": [make_account(n) for n in range(3)]})
    first = sql.compile(Query(entity="account", count=1), table, context=CONTEXT)
    cookie = first.cookie(execute(first)[:1], 1)
    assert cookie.startswith('<cookie page="1"><accountid last="00000000-')
    query = Query(entity="account", order=(Order("name"),), cookie=cookie)
    with pytest.raises(InvalidRequest, match="belongs to a query with another order") as caught:
        sql.compile(query, table, context=CONTEXT)
    assert caught.value.element == "paging-cookie"


@pytest.mark.parametrize("cookie", ["x", '<cookie><accountid last="x"/></cookie>'])
def test_it_refuses_a_cookie_that_is_none(cookie: str) -> None:
    with pytest.raises(InvalidRequest):
        sql.compile(Query(entity="account", cookie=cookie), table, context=CONTEXT)


def test_it_lists_ids_in_pieces(records: None) -> None:
    insert({"account": [make_account(n) for n in range(5)]})
    query = Query(entity="account", order=(Order("name"),))
    found = sql.compile_ids(query, table, context=CONTEXT, after=make_id(1), limit=2)
    assert [row[0].int for row in execute(found)] == [2, 3]


@pytest.mark.parametrize("text", ["'; DROP TABLE x; --", "%s", "%(q0)s", '"', "\\", "100%"])
def test_it_takes_any_text_as_a_value(records: None, text: str) -> None:
    insert({"account": [make_account(1, name=text)]})
    for operator in (Operator.EQ, Operator.IN):
        group = Group(Logic.AND, (Condition("name", operator, (text,)),))
        assert answer(Query(entity="account", filter=group, select=(Selection("name"),))) == [
            (1, text)
        ]


def test_it_takes_any_text_as_an_alias(records: None) -> None:
    insert({"account": [make_account(1)], "contact": [make_contact(2, 1)]})
    alias = 'x"; DROP TABLE y; --%s'
    link = replace(CONTACTS, alias=alias, select=(Selection("contactid"),))
    group = Group(Logic.AND, (Condition("contactid", Operator.NOT_NULL, alias=alias),))
    assert answer(Query(entity="account", links=(link,), filter=group)) == [(1, 2)]


def test_it_passes_on_that_an_entity_has_no_table() -> None:
    with pytest.raises(NotFound, match="no entity 'nowhere'"):
        sql.compile(Query(entity="nowhere"), table, context=CONTEXT)
