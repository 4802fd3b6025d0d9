"""Whatever the writer prints, the reader reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.errors import InvalidRequest
from organizations.query import fetchxml_reader
from organizations.query.fetchxml_writer import write, write_collection
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
from organizations.query.operators import RULES, Arity

names = st.text("abcdefgh_0", min_size=1, max_size=5)
maybe = st.just("") | names
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t\r"),
    max_size=8,
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(Operator))
    arity = RULES[operator].arity
    numbers = st.integers(1, 99).map(lambda number: (str(number),))
    sizes = {Arity.NONE: (0, 0), Arity.ONE: (1, 1), Arity.TWO: (2, 2), Arity.SOME: (1, 4)}
    low, high = sizes.get(arity, (0, 0))
    some = st.lists(texts, min_size=low, max_size=high).map(tuple)
    values = draw(numbers if arity is Arity.AMOUNT else some)
    if operator is Operator.EQ and draw(st.booleans()):
        return Condition(draw(names), operator, (), draw(maybe), draw(names))
    return Condition(draw(names), operator, values, draw(maybe))


def make_group(children: st.SearchStrategy[object]) -> st.SearchStrategy[Group]:
    return st.builds(Group, st.sampled_from(Logic), st.lists(children, max_size=3).map(tuple))


groups = make_group(st.recursive(conditions(), make_group, max_leaves=5))
orders = st.lists(st.builds(Order, names, st.booleans(), maybe), max_size=2).map(tuple)
selections = st.lists(
    st.builds(
        Selection,
        names,
        maybe,
        st.sampled_from(["", "count", "avg"]),
        st.booleans(),
        st.sampled_from(["", "day", "year"]),
        st.booleans(),
    ),
    max_size=2,
).map(tuple)


def make_links(
    children: st.SearchStrategy[tuple[Link, ...]],
) -> st.SearchStrategy[tuple[Link, ...]]:
    link = st.builds(
        Link,
        entity=names,
        from_attribute=names,
        to_attribute=names,
        alias=maybe,
        type=st.sampled_from(LinkType),
        filter=groups,
        links=children,
        select=selections,
        select_all=st.booleans(),
        order=orders,
    )
    return st.lists(link, max_size=2).map(tuple)


queries = st.builds(
    Query,
    entity=names,
    filter=groups,
    links=make_links(make_links(st.just(()))),
    order=orders,
    select=selections,
    select_all=st.booleans(),
    distinct=st.booleans(),
    aggregate=st.booleans(),
    page=st.integers(1, 9),
    count=st.none() | st.integers(1, 5000),
    cookie=texts,
)


@given(queries)
def test_it_writes_what_the_reader_reads_back(query: Query) -> None:
    assert fetchxml_reader.read(write(query)) == query


def test_it_writes_top_and_typed_values() -> None:
    query = Query(
        entity="account",
        top=3,
        filter=Group(Logic.AND, (Condition("active", Operator.EQ, (True,)),)),
    )
    assert write(query) == (
        '<fetch version="1.0" top="3"><entity name="account"><filter type="and">'
        '<condition attribute="active" operator="eq" value="true"/></filter></entity></fetch>'
    )


def test_it_writes_collections() -> None:
    queries = [Query(entity="lead"), Query(entity="account")]
    found = fetchxml_reader.read_collection(write_collection(queries))
    assert list(found.values()) == queries


def test_it_refuses_text_that_xml_cannot_carry() -> None:
    group = Group(Logic.AND, (Condition("name", Operator.EQ, ("\x00",)),))
    with pytest.raises(InvalidRequest, match="cannot be written as XML"):
        write(Query(entity="account", filter=group))
