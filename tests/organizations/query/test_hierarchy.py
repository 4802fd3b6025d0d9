"""Above and under: walking the lookup to the parent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from organizations.errors import InvalidRequest
from organizations.query import sql
from organizations.query.context import Context
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.schema import Entity, OneToMany
from tests.organizations.query.strategies import IDS
from tests.organizations.query.tables import (
    ACCOUNT,
    TASK,
    entity,
    execute,
    insert,
    make_lookup,
    table,
)

TOP, LEFT, RIGHT, LEAF, LOOP = IDS[:5]


@pytest.fixture
def family(records: None) -> None:
    """Make TOP with LEFT and RIGHT below, LEAF below LEFT, and LOOP that is its own parent."""
    parents = {TOP: None, LEFT: TOP, RIGHT: TOP, LEAF: LEFT, LOOP: LOOP}
    insert({"account": [{"accountid": one, "parentid": up} for one, up in parents.items()]})


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        (Operator.UNDER, TOP, [LEFT, RIGHT, LEAF]),
        (Operator.EQ_OR_UNDER, LEFT, [LEFT, LEAF]),
        (Operator.UNDER, LEAF, []),
        (Operator.NOT_UNDER, TOP, [TOP, LOOP]),
        (Operator.ABOVE, LEAF, [TOP, LEFT]),
        (Operator.EQ_OR_ABOVE, LEFT, [TOP, LEFT]),
        (Operator.ABOVE, TOP, []),
        (Operator.UNDER, LOOP, [LOOP]),
        (Operator.EQ_OR_UNDER, IDS[7], []),
    ],
)
def test_it_walks_down_and_up(
    family: None, operator: Operator, value: str, found: list[str]
) -> None:
    query = Query(entity="account", filter=only("accountid", operator, value))
    statement = sql.compile_ids(query, table, context=Context(), limit=100)
    assert [str(row[0]) for row in execute(statement)] == sorted(found)


def only(name: str, operator: Operator, value: str) -> Group:
    return Group(Logic.AND, (Condition(name, operator, (value,)),))


def compile_for(found: Entity, name: str) -> str:
    query = Query(entity=found.name, filter=only(name, Operator.UNDER, TOP))
    tables = lambda known: replace(table(known), entity=found)  # noqa: E731
    return sql.compile_ids(query, tables, context=Context(), limit=1).text


def test_the_marked_relationship_is_the_hierarchy() -> None:
    marked = OneToMany(
        name="managed",
        referenced_entity="account",
        referenced_attribute="accountid",
        referencing_entity="account",
        referencing_attribute="managerid",
        is_hierarchical=True,
    )
    attributes = (*ACCOUNT.attributes, make_lookup("managerid", "account"))
    found = replace(ACCOUNT, attributes=attributes, relationships=(marked,))
    assert '"managerid %%s"' in compile_for(found, "accountid")
    unmarked = replace(found, relationships=())
    with pytest.raises(InvalidRequest, match="'account' has no hierarchical relationship"):
        compile_for(unmarked, "accountid")


def test_it_says_what_has_no_hierarchy() -> None:
    with pytest.raises(InvalidRequest, match="'task' has no hierarchical relationship"):
        compile_for(TASK, "taskid")
    with pytest.raises(InvalidRequest, match="works on 'accountid' of 'account', not on 'parent"):
        compile_for(entity("account"), "parentid")
