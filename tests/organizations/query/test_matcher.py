"""Membership of one record, as a person would judge it; random queries are in test_equivalence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from organizations.errors import InvalidRequest
from organizations.query.context import Context, User
from organizations.query.matcher import matches
from organizations.query.nodes import Condition, Group, Link, LinkType, Logic, Operator, Query
from organizations.records import Reference
from tests.organizations.query.tables import ACCOUNT, Neighbours

KEY = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"
NOON = Context(now=datetime(2024, 5, 1, 12, tzinfo=UTC))


def judge(
    attribute: str, operator: Operator, *values: Any, value: Any, context: Context = NOON
) -> bool:
    """Return the verdict of one condition on an account whose attribute has a value."""
    group = Group(Logic.AND, (Condition(attribute, operator, values),))
    record = {"accountid": KEY, attribute: value}
    return matches(Query(entity="account", filter=group), record, ACCOUNT, context=context)


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        (Operator.EQ, ("x",)),
        (Operator.GT, ("a",)),
        (Operator.LIKE, ("%",)),
        (Operator.IN, ("x",)),
        (Operator.NOT_NULL, ()),
    ],
)
def test_it_never_matches_null_with_a_positive_operator(
    operator: Operator, values: tuple[str, ...]
) -> None:
    assert judge("name", operator, *values, value=None) is False


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        (Operator.NE, ("x",)),
        (Operator.NOT_LIKE, ("%",)),
        (Operator.NOT_BEGIN_WITH, ("x",)),
        (Operator.NOT_END_WITH, ("x",)),
        (Operator.NOT_IN, ("x",)),
        (Operator.NULL, ()),
    ],
)
def test_it_matches_null_with_a_negative_operator(
    operator: Operator, values: tuple[str, ...]
) -> None:
    assert judge("name", operator, *values, value=None) is True


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "value", "expected"),
    [
        ("name", Operator.EQ, ("CONTOSO",), "Contoso", True),
        ("name", Operator.BEGINS_WITH, ("con",), "Contoso", True),
        ("name", Operator.ENDS_WITH, ("%o",), "Contoso", True),
        ("name", Operator.GE, ("c",), "Contoso", True),
        ("employees", Operator.BETWEEN, ("1", "3"), 3, True),
        ("employees", Operator.NOT_BETWEEN, ("1", "3"), 3, False),
        ("employees", Operator.EQ, (" 2 ",), 2, True),
        ("active", Operator.EQ, ("1",), True, True),
        ("active", Operator.NE, ("false",), True, True),
        ("colors", Operator.CONTAIN_VALUES, ("1", "7"), "1,12", True),
        ("colors", Operator.CONTAIN_VALUES, ("2",), "1,12", False),
        ("colors", Operator.NOT_CONTAIN_VALUES, ("2",), "1,12", True),
        ("colors", Operator.EQ, ("2,1",), "1,2", True),
        ("parentid", Operator.EQ, (f"{{{OTHER.upper()}}}",), OTHER, True),
        ("createdon", Operator.ON, ("2024-05-01",), "2024-05-01T23:59:59Z", True),
        ("createdon", Operator.NOT_ON, ("2024-05-01",), "2024-05-02T00:00:00Z", True),
        ("createdon", Operator.ON_OR_BEFORE, ("2024-05-01T09:00",), "2024-05-01T23:00:00Z", True),
        ("createdon", Operator.EQ, ("2024-05-01",), "2024-05-01T00:00:01Z", False),
        ("createdon", Operator.LT, ("2024-05-01T02:00:00+02:00",), "2024-04-30T23:59:59Z", True),
        ("createdon", Operator.GE, ("@@TODAY",), "2024-05-01T00:00:00Z", True),
        ("createdon", Operator.GE, ("@@TODAY+1",), "2024-05-01T23:00:00Z", False),
        ("founded", Operator.LAST_X_DAYS, ("1",), "2024-05-01", True),
        ("founded", Operator.LAST_X_DAYS, ("1",), "2024-04-30", True),
        ("founded", Operator.NEXT_X_DAYS, ("1",), "2024-05-01", False),
        ("founded", Operator.NEXT_X_DAYS, ("1",), "2024-05-02", True),
        ("founded", Operator.NEXT_X_DAYS, ("1",), "2024-05-03", False),
        ("founded", Operator.EQ, ("2024-05-01T23:00:00-05:00",), "2024-05-01", True),
        ("opens", Operator.TODAY, (), "2024-05-01T00:00:00", True),
    ],
)
def test_it_judges_a_condition(
    attribute: str, operator: Operator, values: tuple[str, ...], value: Any, expected: bool
) -> None:
    assert judge(attribute, operator, *values, value=value) is expected


def test_it_takes_days_and_dates_in_the_users_zone() -> None:
    context = Context(now=NOON.now, zone=ZoneInfo("Pacific/Auckland"))
    late = "2024-05-01T13:00:00Z"
    assert judge("createdon", Operator.TODAY, value=late, context=context) is True
    assert judge("createdon", Operator.TODAY, value=late) is True
    early = "2024-05-01T11:59:59Z"
    assert judge("createdon", Operator.TODAY, value=early, context=context) is False
    assert judge("createdon", Operator.ON, "2024-05-02", value=late, context=context) is True
    assert judge("createdon", Operator.EQ, "2024-05-02T01:00", value=late, context=context) is True


def test_it_replaces_the_macro_of_the_language() -> None:
    macro = "@@currentlanguage@@"
    assert judge("employees", Operator.EQ, macro, value=1033) is True
    slovak = Context(now=NOON.now, language=1051)
    assert judge("employees", Operator.EQ, macro, value=1051, context=slovak) is True


def test_it_does_not_round_a_number_to_the_precision() -> None:
    assert judge("revenue", Operator.EQ, "1.005", value=None) is False
    assert judge("revenue", Operator.IN, "1.005", "7", value=None) is False


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (Operator.EQ_USERID, True),
        (Operator.NE_USERID, False),
        (Operator.EQ_USERTEAMS, False),
        (Operator.EQ_USEROROWNEDTEAMS, True),
        (Operator.EQ_BUSINESSID, False),
        (Operator.NE_BUSINESSID, True),
        (Operator.EQ_CUSTOMERUSERID, False),
    ],
)
def test_it_compares_with_the_signed_in_user(operator: Operator, expected: bool) -> None:
    context = Context(user=User(id=KEY, team_ids=(OTHER,), business_unit_id=OTHER))
    owner = Reference("systemuser", KEY.upper())
    assert judge("ownerid", operator, value=owner, context=context) is expected


def test_it_refuses_operators_of_the_user_where_there_is_none() -> None:
    with pytest.raises(InvalidRequest, match="'eq-userid' on attribute 'ownerid' needs a signed"):
        judge("ownerid", Operator.EQ_USERID, value=KEY)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("employees", "1.5"),
        ("employees", "99999999999999999999"),
        ("visitors", "NaN"),
        ("revenue", "1e400"),
        ("score", "inf"),
        ("active", "maybe"),
        ("createdon", "5/1/2024"),
        ("createdon", "0001-01-01T00:00:00+14:00"),
        ("parentid", "account"),
        ("colors", "red"),
        ("name", "\x00"),
    ],
)
def test_it_refuses_values_of_another_type(attribute: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"is not a value of type .* '{attribute}'"):
        judge(attribute, Operator.EQ, value, value=None)


def test_it_treats_an_empty_group_as_true() -> None:
    for logic in Logic:
        query = Query(entity="account", filter=Group(logic))
        assert matches(query, {"accountid": KEY}, ACCOUNT, context=NOON)


def make_linked(type_: LinkType, condition: Condition | None = None) -> Query:
    link = Link(
        entity="contact",
        from_attribute="accountid",
        to_attribute="accountid",
        alias="c",
        type=type_,
        filter=Group(Logic.AND, (Condition("age", Operator.GT, (17,)),)),
    )
    group = Group(Logic.AND, (condition,) if condition else ())
    return Query(entity="account", links=(link,), filter=group)


def make_neighbours(*ages: int) -> Neighbours:
    return Neighbours({"contact": [{"accountid": KEY, "age": age} for age in ages]})


def test_it_wants_a_linked_record_of_an_inner_link() -> None:
    query = make_linked(LinkType.INNER)
    record = {"accountid": KEY}
    assert matches(query, record, ACCOUNT, context=NOON, linked=make_neighbours(5, 30))
    assert not matches(query, record, ACCOUNT, context=NOON, linked=make_neighbours(5))


def test_it_finds_records_without_a_linked_one() -> None:
    query = make_linked(LinkType.OUTER, Condition("contactid", Operator.NULL, alias="c"))
    query_with_age = make_linked(LinkType.OUTER, Condition("age", Operator.NULL, alias="c"))
    record = {"accountid": KEY}
    assert matches(query, record, ACCOUNT, context=NOON, linked=make_neighbours(5))
    assert not matches(query_with_age, record, ACCOUNT, context=NOON, linked=make_neighbours(30))


def test_it_refuses_to_decide_links_from_one_record() -> None:
    with pytest.raises(ValueError, match="cannot be decided without the linked records"):
        matches(make_linked(LinkType.INNER), {"accountid": KEY}, ACCOUNT, context=NOON)
