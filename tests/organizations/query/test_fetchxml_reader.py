"""What FetchXML means, and what is refused with the name of the faulty element."""

from __future__ import annotations

import pytest
from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query.fetchxml_reader import read, read_collection
from organizations.query.nodes import (
    ALL,
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
from tests.organizations.query.tables import entity


def make_fetch(inside: str = "", attributes: str = "") -> str:
    return f'<fetch {attributes}><entity name="account">{inside}</entity></fetch>'


def make_condition(attributes: str, inside: str = "") -> str:
    return make_fetch(f"<filter><condition {attributes}>{inside}</condition></filter>")


def make_nested(depth: int) -> str:
    return (
        "".join('<link-entity name="account" from="accountid" to="parentid">' for _ in range(depth))
        + "</link-entity>" * depth
    )


def test_it_reads_everything_a_query_holds() -> None:
    text = """
    <fetch version="1.0" distinct="true" page="2" count="50" paging-cookie="&lt;cookie/&gt;"
           no-lock="true" mapping="logical">
      <entity name="account">
        <!-- a remark -->
        <attribute name="name" alias="n"/>
        <order attribute="name" descending="1"/>
        <order attribute="age" entityname="c"/>
        <filter type="or">
          <condition attribute="name" operator="eq" value="x" uiname="X" uitype="account"/>
          <filter>
            <condition entityname="c" attribute="age" operator="in">
              <value>1</value><value>2</value>
            </condition>
            <condition attribute="name" operator="eq" valueof="nickname"/>
          </filter>
        </filter>
        <link-entity name="contact" from="accountid" to="accountid" alias="c" link-type="outer">
          <all-attributes/>
          <order attribute="born"/>
          <filter><condition attribute="age" operator="not-null"/></filter>
          <link-entity name="task" from="contactid" to="contactid"/>
        </link-entity>
      </entity>
    </fetch>"""
    inner = Group(
        Logic.AND,
        (
            Condition("age", Operator.IN, ("1", "2"), alias="c"),
            Condition("name", Operator.EQ, value_of="nickname"),
        ),
    )
    link = Link(
        entity="contact",
        from_attribute="accountid",
        to_attribute="accountid",
        alias="c",
        type=LinkType.OUTER,
        select_all=True,
        order=(Order("born"),),
        filter=Group(Logic.AND, (Condition("age", Operator.NOT_NULL),)),
        links=(Link(entity="task", from_attribute="contactid", to_attribute="contactid"),),
    )
    assert read(text) == Query(
        entity="account",
        distinct=True,
        page=2,
        count=50,
        cookie="<cookie/>",
        select=(Selection("name", "n"),),
        order=(Order("name", descending=True), Order("age", alias="c")),
        filter=Group(Logic.OR, (Condition("name", Operator.EQ, ("x",)), inner)),
        links=(link,),
    )


def test_it_reads_the_smallest_query() -> None:
    assert read('<fetch><entity name="lead"/></fetch>') == Query(entity="lead")


@pytest.mark.parametrize("flag", ["true", "True", "1"])
def test_it_reads_aggregate_on_fetch_or_on_entity(flag: str) -> None:
    attribute = '<attribute name="name" alias="n" aggregate="countcolumn" distinct="true"/>'
    on_fetch = read(make_fetch(attribute, f'aggregate="{flag}"'))
    on_entity = read(
        f'<fetch><entity name="account" aggregate="{flag}">{attribute}</entity></fetch>'
    )
    assert on_fetch == on_entity
    assert on_fetch.aggregate
    assert on_fetch.select == (Selection("name", "n", aggregate="countcolumn", distinct=True),)


def test_it_reads_groups_and_parts_of_dates() -> None:
    text = make_fetch(
        '<attribute name="createdon" alias="m" groupby="true" dategrouping="month"/>'
        '<order alias="m"/>',
        'aggregate="1"',
    )
    query = read(text)
    assert query.select == (Selection("createdon", "m", group_by=True, date_grouping="month"),)
    assert query.order == (Order("", alias="m"),)


def test_it_takes_several_filters_as_all_of_them() -> None:
    one = '<filter><condition attribute="name" operator="null"/></filter>'
    found = read(make_fetch(one * 2)).filter
    assert found.logic is Logic.AND
    assert len(found.children) == 2


def test_it_ignores_an_empty_value_beside_value_elements() -> None:
    text = make_condition('attribute="employees" operator="in" value=""', "<value>1</value>")
    assert read(text).filter.children == (Condition("employees", Operator.IN, ("1",)),)


def test_it_ignores_a_value_where_the_operator_takes_none() -> None:
    text = make_condition('attribute="name" operator="null" value=""')
    assert read(text).filter.children == (Condition("name", Operator.NULL),)


def test_it_reads_neq_as_ne() -> None:
    text = make_condition('attribute="name" operator="neq" value="x"')
    assert read(text).filter.children == (Condition("name", Operator.NE, ("x",)),)


def test_it_reads_elements_and_namespaces() -> None:
    root = etree.fromstring('<fetch xmlns="urn:x"><!-- c --><entity name="account"/></fetch>')
    assert read(root) == Query(entity="account")


def test_it_reads_documents_in_any_encoding() -> None:
    text = f'<?xml version="1.0" encoding="utf-16"?>{make_fetch()}'
    assert read(text) == read(text.encode("utf-16")) == Query(entity="account")


def test_it_reads_a_collection_by_entity() -> None:
    text = (
        '<fetchcollection><fetch version="1.0"><entity name="lead"/></fetch>'
        '<fetch><entity name="account"><filter/></entity></fetch></fetchcollection>'
    )
    assert read_collection(text) == {
        "lead": Query(entity="lead"),
        "account": Query(entity="account", filter=ALL),
    }


@pytest.mark.parametrize(
    ("text", "element", "message"),
    [
        ("<fetch", "fetch", "not well-formed"),
        ("", "fetch", "not well-formed"),
        ("<fetch/>", "fetch", "exactly one entity"),
        ("<query/>", "fetch", "Expected a fetch element, found 'query'"),
        ('<fetch><entity name=""/></fetch>', "entity", "entity needs the attribute 'name'"),
        ("<!DOCTYPE fetch><fetch/>", "fetch", "document type declaration"),
        ('<!DOCTYPE f [<!ENTITY a "b">]><f>&a;</f>', "fetch", "document type declaration"),
        ("<fetch>" + " " * 1024 * 1024 + "</fetch>", "fetch", "larger than 1024 KiB"),
        ("<fetch>" + "<a>" * 70 + "</a>" * 70 + "</fetch>", "fetch", "nested more than 64"),
        (make_fetch("<filtr/>"), "filtr", "entity has an unknown element 'filtr'"),
        (make_fetch('<filter type="xor"/>'), "filter", "and or or, not 'xor'"),
        (
            make_fetch("<filter><link-entity/></filter>"),
            "link-entity",
            "'inner' does not stand in a filter",
        ),
        (make_fetch("<filter><order/></filter>"), "order", "not 'order'"),
        (make_fetch("<filter>" * 21 + "</filter>" * 21), "filter", "nested more than 20"),
        (make_condition('operator="eq"'), "condition", "needs the attribute 'attribute'"),
        (make_condition('attribute="name"'), "condition", "needs the attribute 'operator'"),
        (
            make_condition('attribute="name" operator="in-fiscal-year" value="1"'),
            "condition",
            "'name' has the unknown operator 'in-fiscal-year'",
        ),
        (make_condition('attribute="name" operator="eq"'), "condition", "one value, not 0"),
        (make_condition('attribute="name" operator="in"'), "condition", "at least one value"),
        (
            make_condition('attribute="a" operator="between"', "<value>1</value>"),
            "condition",
            "two values, not 1",
        ),
        (
            make_condition('attribute="a" operator="last-x-days" value="0"'),
            "condition",
            "a whole number above 0, not '0'",
        ),
        (
            make_condition('attribute="a" operator="last-x-days" value="-1"'),
            "condition",
            "a whole number above 0, not '-1'",
        ),
        (
            make_condition('attribute="a" operator="in"', "<val>1</val>"),
            "condition",
            "value elements with text only",
        ),
        (make_fetch(make_nested(6)), "link-entity", "nested more than 5 deep"),
        (make_fetch(make_nested(1) * 16), "link-entity", "at most 15 link-entity"),
        (
            make_fetch('<link-entity name="contact" to="accountid"/>'),
            "link-entity",
            "link-entity needs the attribute 'from'",
        ),
        (
            make_fetch('<link-entity name="c" from="a" to="b" link-type="any"/>'),
            "link-entity",
            "link-type 'any' is not supported",
        ),
        (make_fetch("<order/>"), "order", "order needs an attribute"),
        (
            make_fetch('<order attribute="name" descending="maybe"/>'),
            "order",
            "true or false, not 'maybe'",
        ),
        (make_fetch('<attribute name="name" aggregate="median"/>'), "attribute", "'median'"),
        (make_fetch('<attribute name="d" dategrouping="fiscal-year"/>'), "attribute", "fiscal"),
        (make_fetch("", 'page="0"'), "fetch", "page of fetch is a whole number of at least 1"),
        (make_fetch("", 'count="many"'), "fetch", "not 'many'"),
        (make_fetch("", 'top="5" page="2"'), "fetch", "top cannot be combined"),
        (make_fetch("", 'top="5001"'), "fetch", "top is at most 5000"),
        (
            make_fetch(
                "<filter>" + '<condition attribute="a" operator="null"/>' * 501 + "</filter>"
            ),
            "filter",
            "at most 500 conditions",
        ),
    ],
)
def test_it_names_the_faulty_element(text: str, element: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        read(text)
    assert caught.value.element == element


@pytest.mark.parametrize(
    ("text", "element", "message"),
    [
        ('<fetch><entity name="nowhere"/></fetch>', "entity", "no entity 'nowhere'"),
        (
            make_fetch('<link-entity name="nowhere" from="a" to="b"/>'),
            "link-entity",
            "no entity 'nowhere'",
        ),
        (
            make_fetch('<link-entity name="contact" from="nope" to="accountid"/>'),
            "link-entity",
            "'contact' has no attribute 'nope'",
        ),
        (
            make_fetch('<link-entity name="contact" from="accountid" to="name"/>'),
            "link-entity",
            "can never be equal",
        ),
        (
            make_fetch(
                '<link-entity name="contact" from="accountid" to="accountid" alias="c"/>' * 2
            ),
            "link-entity",
            "Two link-entity elements have the alias 'c'",
        ),
        (make_fetch('<attribute name="nope"/>'), "attribute", "no attribute 'nope'"),
        (make_fetch('<attribute name="gone"/>'), "attribute", "no attribute 'gone'"),
        (make_fetch('<order attribute="logo"/>'), "order", "'logo'.*is not kept here"),
        (
            make_condition('attribute="nope" operator="null"'),
            "condition",
            "'account' has no attribute 'nope'",
        ),
        (
            make_condition('attribute="name" entityname="x" operator="null"'),
            "condition",
            "'x', named in condition, is not an alias",
        ),
        (
            make_condition('attribute="employees" operator="eq" value="ten"'),
            "condition",
            "'ten' is not a value of type Integer for attribute 'employees'",
        ),
        (
            make_condition('attribute="employees" operator="like" value="1%"'),
            "condition",
            "'like' does not work on attribute 'employees' of type Integer",
        ),
        (
            make_condition('attribute="founded" operator="last-x-hours" value="2"'),
            "condition",
            "attribute 'founded' holds days only",
        ),
        (
            make_condition('attribute="name" operator="eq" valueof="employees"'),
            "condition",
            "are of different types",
        ),
        (
            make_condition('attribute="name" operator="like" valueof="nickname"'),
            "condition",
            "'like' cannot compare two attributes",
        ),
        (
            make_fetch(
                '<link-entity name="contact" from="accountid" to="accountid" alias="c"><filter>'
                '<condition entityname="d" attribute="age" operator="null"/></filter>'
                "</link-entity>"
                '<link-entity name="contact" from="accountid" to="accountid" alias="d"/>'
            ),
            "condition",
            "Move it to the filter of the entity",
        ),
    ],
)
def test_it_checks_names_and_values_against_the_schema(
    text: str, element: str, message: str
) -> None:
    read_without = read(text)
    assert read_without.entity
    with pytest.raises(InvalidRequest, match=message) as caught:
        read(text, schema=entity)
    assert caught.value.element == element


def test_it_accepts_operators_of_the_user_before_one_is_known() -> None:
    text = make_condition('attribute="ownerid" operator="eq-userid"')
    assert read(text, schema=entity).filter.children == (Condition("ownerid", Operator.EQ_USERID),)


def test_it_accepts_the_entity_name_for_a_link_without_alias() -> None:
    text = make_fetch(
        '<filter><condition entityname="contact" attribute="contactid" operator="null"/></filter>'
        '<link-entity name="contact" from="accountid" to="accountid" link-type="outer"/>'
    )
    assert read(text, schema=entity).links[0].alias == ""


def test_it_refuses_two_queries_of_one_entity_in_a_collection() -> None:
    one = '<fetch><entity name="lead"/></fetch>'
    with pytest.raises(InvalidRequest, match="two fetch elements of entity 'lead'"):
        read_collection(f"<fetchcollection>{one}{one}</fetchcollection>")


def test_it_refuses_a_single_query_as_collection() -> None:
    with pytest.raises(InvalidRequest, match="Expected a fetchcollection element"):
        read_collection(make_fetch())
