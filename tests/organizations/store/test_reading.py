"""Reading: pages in order, canonical values of every type, queries."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations import values
from organizations.errors import InvalidRequest, NotFound
from organizations.query.nodes import (
    Condition,
    Group,
    Link,
    Operator,
    Order,
    Query,
    Selection,
)
from organizations.records import Action, RecordValue, Reference, Row
from organizations.schema import AttributeType, Column, ColumnPart, DateBehavior, columns
from organizations.store import Store
from tests.organizations.making import (
    make_account,
    make_every_type,
    make_id,
    make_store,
    write,
)

pytestmark = pytest.mark.django_db
COLUMNS = ["accountid", "name", "employees"]


def make_filled_store(count: int = 10) -> Store:
    store = make_store()
    store.load("account", COLUMNS, [(make_id(), f"n{n}", n) for n in range(count)])
    return store


def at_least(number: int) -> Query:
    condition = Condition("employees", Operator.GE, (number,))
    return Query(entity="account", filter=Group(children=(condition,)))


def test_pages_go_by_id_and_meet_every_record_once() -> None:
    store, found, after = make_filled_store(), [], None
    while page := store.page("account", COLUMNS, after=after, limit=3):
        found += page
        after = str(page[-1][0])
    assert len(found) == 10
    assert [row[0] for row in found] == sorted(str(row[0]) for row in found)


def test_pages_since_a_version_go_by_version() -> None:
    store = make_filled_store()
    first = store.page("account", COLUMNS, since=0)[0]
    store.update("account", str(first[0]), {"name": "again"})
    assert [row[-1] for row in store.page("account", COLUMNS, since=8)] == [9, 10, 11]
    assert [row[-1] for row in store.page("account", COLUMNS, since=8, until=10)] == [9, 10]
    assert [row[-1] for row in store.page("account", COLUMNS, since=0, limit=2)] == [2, 3]


def test_a_filter_gives_membership_in_pages_counts_and_among_ids() -> None:
    store = make_filled_store()
    rows = store.page("account", COLUMNS, filter=at_least(7))
    assert {row[2] for row in rows} == {7, 8, 9}
    assert store.count_records("account", at_least(7)) == store.count(at_least(7)) == 3
    ids = [str(row[0]) for row in store.page("account", COLUMNS)]
    assert store.matching("account", at_least(7), ids) == {row[0] for row in rows}
    found = [item for batch in store.ids(at_least(7), size=2) for item in batch]
    assert found == sorted(str(row[0]) for row in rows)


def test_ids_of_nothing_are_nothing() -> None:
    assert list(make_store().ids(at_least(0))) == []


def test_fetch_returns_those_that_exist() -> None:
    store = make_filled_store(2)
    known = str(store.page("account", COLUMNS)[0][0])
    assert [row[0] for row in store.fetch("account", COLUMNS, [known, make_id()])] == [known]


def test_the_highest_version_is_that_of_a_record() -> None:
    store = make_filled_store(3)
    assert store.highest_version("account") == 3
    assert make_store().highest_version("account") == 0


def make_linked_query() -> Query:
    """Accounts that have a boss, two at a time, with something of the boss."""
    return Query(
        entity="account",
        filter=Group(children=(Condition("parentaccountid", Operator.NOT_NULL),)),
        select=(Selection("name"), Selection("parentaccountid"), Selection("createdon", "made")),
        links=(
            Link(
                entity="account",
                from_attribute="accountid",
                to_attribute="parentaccountid",
                alias="boss",
                select=(Selection("name"), Selection("revenue")),
            ),
        ),
        order=(Order("name", descending=True),),
        count=2,
    )


def test_a_query_answers_by_name_with_references_and_pages() -> None:
    store = make_store()
    boss = store.create("account", {"name": "Boss", "revenue": 7})
    for number in range(5):
        fields: dict[str, RecordValue] = {"name": f"n{number}", "employees": number}
        store.create("account", fields | {"parentaccountid": boss.id})
    query = make_linked_query()
    answer = store.query(query, total=True)
    assert (answer.more, answer.total) == (True, 5)
    first, following = answer.rows
    assert (first["name"], following["name"]) == ("n4", "n3")
    assert first["parentaccountid"] == Reference("account", boss.id)
    assert first["boss.name"] == "Boss"
    assert first["boss.revenue"] == Decimal("7.00")
    assert str(first["made"]).endswith("Z")
    second = store.query(replace_page(query, answer.cookie))
    assert [row["name"] for row in second.rows] == ["n2", "n1"]


def replace_page(query: Query, cookie: str) -> Query:
    return Query(
        entity=query.entity,
        filter=query.filter,
        select=query.select,
        links=query.links,
        order=query.order,
        count=query.count,
        page=2,
        cookie=cookie,
    )


def test_a_query_answers_every_type_as_its_canonical_value() -> None:
    store = make_store(make_every_type())
    names = [column.name for column in columns(make_every_type())]
    write(store, Action.CREATE, names, [SAMPLE], entity="sampler")
    found = store.query(Query(entity="sampler", select_all=True)).rows[0]
    assert {name: found[name] for name in names if name in PLAIN} == PLAIN
    assert found["customer"] == Reference("contact", OTHER)
    assert found["parent"] == Reference("sampler", OTHER)


def test_a_query_takes_the_time_it_is_given() -> None:
    store = make_store()
    store.create("account", {"createdon": "2020-02-29T23:00:00Z"})
    today = Condition("createdon", Operator.TODAY)
    query = Query(entity="account", filter=Group(children=(today,)))
    assert store.count(query, now=datetime(2020, 2, 29, 1, tzinfo=UTC)) == 1
    assert store.count(query, now=datetime(2020, 3, 1, 1, tzinfo=UTC)) == 0


def test_a_query_on_what_is_not_there_says_so() -> None:
    store = make_store()
    with pytest.raises(NotFound, match="no entity 'lead'"):
        store.query(Query(entity="lead"))
    with pytest.raises(InvalidRequest, match="nam"):
        store.query(Query(entity="account", select=(Selection("nam"),)))


OTHER = "0f0e0d0c-0b0a-4908-8706-050403020100"
KEY = "00000000-0000-4000-8000-000000000001"
PLAIN: dict[str, Any] = {
    "samplerid": KEY,
    "text": "Ψ\t'\"\\N\r\n %s {} 🐎",
    "memo": "\\.",
    "whole": -(2**31),
    "big": 2**63 - 1,
    "decimal": Decimal("-0.1000"),
    "real": 1e-300,
    "money": Decimal("99999999999999999999.99"),
    "flag": False,
    "moment": "0001-01-01T00:00:00Z",
    "day": "9999-12-31",
    "wall": "2024-02-29T23:59:59",
    "choice": 0,
    "choices": "1,2,30",
    "other": OTHER,
    "parties": f'[[5,"account","{OTHER}"]]',
}
SAMPLE: Row = (
    *(PLAIN[name] for name in list(PLAIN)[:15]),
    OTHER,
    OTHER,
    "contact",
    PLAIN["parties"],
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
GUIDS = st.uuids().map(str)
MOMENTS = st.datetimes(timezones=st.just(UTC))
_STRATEGIES: dict[AttributeType, st.SearchStrategy[Any]] = {
    AttributeType.UNIQUEIDENTIFIER: GUIDS,
    AttributeType.LOOKUP: GUIDS,
    AttributeType.CUSTOMER: GUIDS,
    AttributeType.INTEGER: st.integers(-(2**31), 2**31 - 1),
    AttributeType.PICKLIST: st.integers(0, 2**31 - 1),
    AttributeType.BIGINT: st.integers(-(2**63), 2**63 - 1),
    AttributeType.DECIMAL: st.decimals(-(10**15), 10**15, places=4),
    AttributeType.MONEY: st.decimals(-(10**15), 10**15, places=2),
    AttributeType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    AttributeType.BOOLEAN: st.booleans(),
    AttributeType.DATETIME: MOMENTS,
    AttributeType.MULTISELECT: st.lists(st.integers(0, 999), max_size=4),
    AttributeType.PARTYLIST: st.lists(
        st.tuples(st.integers(1, 11), st.sampled_from(["account", ""]), GUIDS), max_size=3
    ),
}


def strategy(column: Column) -> st.SearchStrategy[Any]:
    attribute = column.attribute
    if column.part is ColumnPart.TARGET:
        return st.sampled_from(["account", "contact", None])
    raw = _STRATEGIES.get(attribute.type, TEXT)
    if attribute.type is AttributeType.DATETIME and (
        attribute.date_behavior is not DateBehavior.USER_LOCAL
    ):
        raw = raw.map(lambda moment: moment.replace(tzinfo=None))
    value = raw.filter(lambda item: not is_illegal(item)).map(
        lambda item: values.parse(attribute, item)
    )
    return value if attribute.is_primary_id else st.none() | value


def is_illegal(item: object) -> bool:
    return isinstance(item, str) and bool(values.ILLEGAL_TEXT.search(item))


ROWS = st.tuples(*(strategy(column) for column in columns(make_every_type())))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROWS, max_size=6, unique_by=lambda row: row[0]))
def test_every_canonical_value_comes_back_as_it_went_in(shared: Store, rows: list[Row]) -> None:
    names = [column.name for column in columns(make_every_type())]
    before = shared.row_version()
    write(shared, Action.CREATE, names, rows, entity="sampler")
    found = shared.page("sampler", names, since=before)
    assert [row[:-1] for row in found] == rows
    assert [typed(row[:-1]) for row in found] == [typed(row) for row in rows]
    write(
        shared,
        Action.DELETE,
        names[:1],
        [(row[0],) for row in rows],
        [int(row[-1] or 0) for row in found],
        entity="sampler",
    )


def typed(row: Row) -> list[str]:
    """Return type and text of each value: 1, 1.0, True and Decimal('1.00') are told apart."""
    return [f"{type(value).__name__} {value}" for value in row]


@pytest.fixture
def shared() -> Store:
    return make_store(make_every_type())


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(InvalidRequest, match="'account' has no stored attribute 'nam'"):
        make_store(make_account()).page("account", ["accountid", "nam"])
