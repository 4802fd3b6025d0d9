"""Explanations agree with the matcher, and say what decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from organizations.query import explaining
from organizations.query.context import Context
from organizations.query.explaining import Finding, all_of, any_of, why
from organizations.query.matcher import matches
from organizations.query.nodes import (
    Condition,
    Exists,
    Group,
    Link,
    LinkType,
    Logic,
    Operator,
    Query,
)
from organizations.schema import Attribute, AttributeType, Label, Option, OptionSet
from tests.organizations.query.strategies import contexts, organizations, queries, wide_queries
from tests.organizations.query.tables import ACCOUNT, Neighbours

KEY = "00000000-0000-0000-0000-000000000001"
NOON = Context(now=datetime(2024, 5, 1, 12, tzinfo=UTC))
EQ = Operator.EQ


def explain(
    query: Query,
    values: dict[str, Any],
    contacts: Sequence[dict[str, Any]] = (),
    **how: Any,
) -> Finding:
    whole = {"accountid": KEY, **values}
    records: Any = {"account": [whole], "contact": list(contacts), "task": []}
    return explaining.explain(query, whole, context=NOON, linked=Neighbours(records), **how)


def make_query(*conditions: Any, logic: Logic = Logic.AND, **more: Any) -> Query:
    return Query(entity="account", filter=Group(logic, conditions), **more)


def make_contacts(*conditions: Any, type: LinkType = LinkType.INNER) -> Link:
    return Link(
        entity="contact",
        from_attribute="accountid",
        to_attribute="accountid",
        alias="c",
        type=type,
        filter=Group(Logic.AND, conditions),
    )


@given(query=wide_queries() | queries(), organization=organizations, context=contexts)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_its_verdict_is_the_matchers(query: Query, organization: Any, context: Context) -> None:
    linked = Neighbours(organization)
    for record in organization["account"][:4]:
        found = explaining.explain(query, record, context=context, linked=linked)
        verdict = matches(query, record, ACCOUNT, context=context, linked=linked)
        assert found.is_true is verdict
        assert all_of(child.is_true for child in found.children) is verdict
        assert why(found).startswith("included" if verdict else "excluded")
        assert all(item.is_true is verdict for item in found.deciding())


@given(query=wide_queries() | queries(), organization=organizations, context=contexts)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_what_it_does_not_know_never_changes_a_verdict(
    query: Query, organization: Any, context: Context
) -> None:
    linked = Neighbours(organization)
    for record in organization["account"][:2]:
        found = explaining.explain(
            query,
            record,
            context=context,
            linked=linked,
            unknown=lambda condition: "asked" if len(condition.attribute) % 2 else "",
        )
        verdict = matches(query, record, ACCOUNT, context=context, linked=linked)
        assert found.is_true in (verdict, None)


CLOSED = Condition("status", EQ, (0,))
NAMED = Condition("name", EQ, ("x",))
CONTACT = {"contactid": "c1", "accountid": KEY, "age": 30}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"status": 1}, "excluded: status eq 0 is false, it is 1"),
        ({"status": None}, "excluded: status eq 0 is false, it is empty"),
        ({"status": 0}, "included: every condition is met"),
    ],
)
def test_it_says_which_condition_is_false(values: dict[str, Any], text: str) -> None:
    assert why(explain(make_query(CLOSED), values)) == text


@pytest.mark.parametrize(
    ("condition", "values", "text"),
    [
        (
            Condition("name", Operator.IN, ("a", "b")),
            {"name": "x"},
            "name in a, b is false, it is x",
        ),
        (
            Condition("employees", Operator.GT, value_of="visitors"),
            {"employees": 1, "visitors": 2},
            "employees gt visitors is false, it is 1 and visitors is 2",
        ),
        (
            Condition("createdon", Operator.LAST_X_DAYS, (2,)),
            {"createdon": "2024-01-01T00:00:00Z"},
            "createdon last-x-days 2 (from 2024-04-29 00:00:00+00:00 to 2024-05-01 12:00:00+00:00) "
            "is false, it is 2024-01-01T00:00:00Z",
        ),
        (Condition("name", Operator.NOT_NULL), {}, "name not-null is false, it is empty"),
        (
            Group(Logic.OR, (CLOSED, NAMED)),
            {"status": 1},
            "status eq 0 is false, it is 1; name eq x is false, it is empty",
        ),
        (
            Group(Logic.AND, (CLOSED,), is_negative=True),
            {"status": 0},
            "not all of these (status eq 0 is true, it is 0)",
        ),
    ],
)
def test_it_says_what_the_record_has(condition: Any, values: dict[str, Any], text: str) -> None:
    assert why(explain(make_query(condition), values)) == f"excluded: {text}"


@pytest.mark.parametrize(
    ("contacts", "text"),
    [
        ([], f"a linked contact (accountid = accountid) is not there: none has {KEY}"),
        ([CONTACT], "age eq 31 is false, it is 30"),
    ],
)
def test_it_says_why_a_link_fails(contacts: list[dict[str, Any]], text: str) -> None:
    query = make_query(links=(make_contacts(Condition("age", EQ, (31,))),))
    assert why(explain(query, {}, contacts)) == f"excluded: {text}"


def test_it_says_that_the_lookup_of_a_link_is_empty() -> None:
    link = Link(entity="account", from_attribute="accountid", to_attribute="parentid", alias="p")
    assert why(explain(make_query(links=(link,)), {})) == (
        "excluded: a linked account (accountid = parentid) is not there, because parentid is empty"
    )


def test_a_condition_on_an_optional_link_names_the_alias() -> None:
    link = make_contacts(type=LinkType.OUTER)
    query = make_query(Condition("age", EQ, (31,), alias="c"), links=(link,))
    assert why(explain(query, {}, [CONTACT])) == "excluded: c.age eq 31 is false, it is 30"
    assert why(explain(query, {})) == (
        "excluded: c.age eq 31 is false, it is empty, because there is no linked record"
    )


@pytest.mark.parametrize(("is_negative", "word"), [(True, "there is no"), (False, "there is a")])
def test_it_explains_existence(*, is_negative: bool, word: str) -> None:
    query = make_query(Exists(make_contacts(), is_negative=is_negative))
    found = explain(query, {}, [CONTACT] if is_negative else [])
    assert why(found) == (
        f"excluded: {word} contact with accountid = accountid that passes is false, "
        f"{int(is_negative)} hang on it"
    )


def test_it_says_what_only_the_server_can_tell() -> None:
    mine = Condition("ownerid", Operator.EQ_USERID)

    def unknown(condition: Condition) -> str:
        return "only the server can tell" if condition == mine else ""

    found = explain(make_query(mine, CLOSED), {"status": 0}, unknown=unknown)
    assert found.is_true is None
    assert why(found) == "not known here: ownerid eq-userid: only the server can tell"
    decided = explain(make_query(mine, CLOSED), {"status": 1}, unknown=unknown)
    assert why(decided) == "excluded: status eq 0 is false, it is 1"


def test_an_option_is_shown_with_its_label() -> None:
    options = OptionSet(
        name="state", options=(Option(value=1, label=Label.of({1033: "Inactive"})),)
    )
    status = Attribute(name="statecode", type=AttributeType.STATE, option_set=options)
    assert explaining.shown_value(status, 1) == "1 (Inactive)"
    assert explaining.shown_value(status, 2) == "2"


@pytest.mark.parametrize(
    ("verdicts", "every", "some"),
    [
        ((), True, False),
        ((True, True), True, True),
        ((True, False), False, True),
        ((True, None), None, True),
        ((False, None), False, None),
        ((None,), None, None),
    ],
)
def test_verdicts_combine(verdicts: tuple[bool | None, ...], every: object, some: object) -> None:
    assert (all_of(verdicts), any_of(verdicts)) == (every, some)
