"""The first records of each group, compared with sorting in memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from organizations.query.context import Context
from organizations.query.matcher import matches
from organizations.query.nodes import Condition, Group, Logic, Operator, Order, Query
from organizations.query.sql_groups import compile_groups
from tests.organizations.query.strategies import contexts, groups, organizations, predicates
from tests.organizations.query.tables import CONTACT, Neighbours, Records, execute, insert, table
from tests.organizations.query.test_equivalence import DATABASE


@given(
    organization=organizations,
    context=contexts,
    group=groups(predicates("contact"), 2),
    descending=st.booleans(),
    limit=st.integers(1, 3),
)
@DATABASE
def test_it_finds_the_first_of_each_group(
    records: None,
    organization: Records,
    context: Context,
    group: Group,
    descending: bool,
    limit: int,
) -> None:
    has_parent = Condition("accountid", Operator.NOT_NULL)
    query = Query(
        entity="contact",
        filter=Group(Logic.AND, (has_parent, group)),
        order=(Order("age", descending),),
    )
    with transaction.atomic():
        insert(organization)
        statement = compile_groups(
            query, table, context=context, attribute="accountid", limit=limit
        )
        found = [(str(parent), str(key)) for parent, key in execute(statement)]
        transaction.set_rollback(True)
    assert found == make_expected(query, organization, context, descending, limit)


def make_expected(
    query: Query, organization: Records, context: Context, descending: bool, limit: int
) -> list[tuple[str, str]]:
    def age(row: Mapping[str, object]) -> float:
        value = row["age"]
        number = float("-inf") if value is None else float(str(value))
        return -number if descending else number

    linked = Neighbours(organization)
    rows = [
        row
        for row in organization["contact"]
        if matches(query, row, CONTACT, context=context, linked=linked)
    ]
    rows.sort(key=lambda row: (str(row["accountid"]), age(row), str(row["contactid"])))
    return [
        (parent, str(row["contactid"]))
        for parent, members in groupby(rows, key=lambda row: str(row["accountid"]))
        for row in list(members)[:limit]
    ]
