"""The two back ends mean the same: random queries over random records, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from organizations.query import sql
from organizations.query.context import Context
from organizations.query.matcher import joined, matches
from organizations.query.nodes import Condition, Group, Logic, Query
from organizations.query.scope import scope
from tests.organizations.query.strategies import (
    contexts,
    make_assorted,
    organizations,
    predicates,
    queries,
    wide_queries,
)
from tests.organizations.query.tables import (
    ACCOUNT,
    ENTITIES,
    Neighbours,
    Records,
    execute,
    insert,
    table,
)

settings.register_profile(
    "database",
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DATABASE = settings.get_profile("database")


@pytest.fixture
def assorted(records: None) -> Records:
    found: Records = {"account": make_assorted()}
    insert(found)
    return found


def make_rows(query: Query, records: Records, context: Context) -> list[tuple[str, ...]]:
    """Return the ids of the joined rows that the matcher finds, sorted."""
    sources = scope(query, ENTITIES.__getitem__).sources
    found = []
    for record in records["account"]:
        for row in joined(query, record, Neighbours(records), context=context):
            picked = [(row[one.alias] or {}).get(one.entity.primary_id) for one in sources]
            found.append(tuple(map(str, picked)))
    return sorted(found)


@given(condition=predicates("account"), context=contexts)
@settings(DATABASE, max_examples=600)
def test_it_judges_single_conditions_alike(
    assorted: Records, condition: Condition, context: Context
) -> None:
    query = Query(entity="account", filter=Group(Logic.AND, (condition,)))
    found = execute(sql.compile_ids(query, table, context=context, limit=100))
    assert [str(row[0]) for row in found] == [
        record["accountid"]
        for record in assorted["account"]
        if matches(query, record, ACCOUNT, context=context, linked=Neighbours(assorted))
    ]


@given(query=wide_queries() | queries(), organization=organizations, context=contexts)
@DATABASE
def test_it_finds_the_same_joined_rows(
    records: None, query: Query, organization: Records, context: Context
) -> None:
    with transaction.atomic():
        insert(organization)
        statement = sql.compile(query, table, context=context)
        found = [row[: len(statement.columns)] for row in execute(statement)]
        count = execute(sql.compile_count(query, table, context=context))
        transaction.set_rollback(True)
    expected = make_rows(query, organization, context)
    assert sorted(tuple(map(str, row)) for row in found) == expected
    assert count == [(len(expected),)]


@given(query=wide_queries() | queries(), organization=organizations, context=contexts)
@DATABASE
def test_it_finds_the_same_records(
    records: None, query: Query, organization: Records, context: Context
) -> None:
    with transaction.atomic():
        insert(organization)
        ids = execute(sql.compile_ids(query, table, context=context, limit=100))
        distinct = replace(query, distinct=True, links=tuple(map(_unselected, query.links)))
        unique = execute(sql.compile(distinct, table, context=context))
        members = _members(query, context)
        transaction.set_rollback(True)
    expected = sorted(
        str(record["accountid"])
        for record in organization["account"]
        if matches(query, record, ACCOUNT, context=context, linked=Neighbours(organization))
    )
    assert [str(row[0]) for row in ids] == expected
    assert [str(row[0]) for row in unique] == expected
    assert members == expected


def _unselected(link: Any) -> Any:
    return replace(link, select=(), links=tuple(map(_unselected, link.links)))


def _members(query: Query, context: Context) -> list[str]:
    condition, parameters = sql.compile_filter(query, table, context=context, record="mine")
    text = f'SELECT "accountid %%s" FROM "query %% test"."account table" AS mine WHERE {condition}'
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return sorted(str(row[0]) for row in cursor.fetchall())
