"""What makes a query volatile, and queries cut down to some ids."""

from __future__ import annotations

import pytest

from organizations.query import is_volatile, needs_user, restricted
from organizations.query.nodes import Condition, Group, Link, Logic, Operator, Query

STABLE = Condition("name", Operator.EQ, ("x",))


def make_query(*children: Condition | Group, logic: Logic = Logic.AND) -> Query:
    return Query(entity="account", filter=Group(logic, children))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (STABLE, False),
        (Condition("createdon", Operator.ON, ("2024-05-01",)), False),
        (Condition("createdon", Operator.TODAY), True),
        (Condition("createdon", Operator.OLDERTHAN_X_HOURS, ("1",)), True),
        (Condition("ownerid", Operator.EQ_USERID), True),
        (Condition("createdon", Operator.GE, ("@@TODAY-3",)), True),
        (Condition("employees", Operator.EQ, ("@@currentlanguage@@",)), True),
    ],
)
def test_it_knows_conditions_that_change_by_themselves(
    condition: Condition, expected: bool
) -> None:
    assert is_volatile(make_query(STABLE, Group(Logic.OR, (condition,)))) is expected


def test_it_knows_that_links_make_a_query_volatile() -> None:
    link = Link(entity="contact", from_attribute="accountid", to_attribute="accountid")
    assert is_volatile(Query(entity="account", links=(link,)))


def test_it_finds_operators_of_the_user_in_links() -> None:
    mine = Group(Logic.AND, (Condition("ownerid", Operator.EQ_USERTEAMS),))
    link = Link(entity="account", from_attribute="accountid", to_attribute="parentid", filter=mine)
    assert needs_user(Query(entity="account", links=(link,)))
    assert not needs_user(make_query(STABLE))


def test_it_restricts_a_query_to_ids() -> None:
    query = make_query(STABLE, logic=Logic.OR)
    among = Condition("accountid", Operator.IN, ("1", "2"))
    assert restricted(query, "accountid", ["1", "2"]).filter == Group(
        Logic.AND, (query.filter, among)
    )
    assert restricted(Query(entity="account"), "accountid", ["1", "2"]).filter == Group(
        Logic.AND, (among,)
    )
