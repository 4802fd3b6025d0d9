"""OData filters as queries."""

from __future__ import annotations

import pytest

from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Link, LinkType, Logic, Operator, Order
from organizations.query.odata_reader import Filter, read_filter, read_order
from organizations.schema import Entity

BOOK = Entity(name="book", primary_id="bookid", attributes=())
AUTHOR = Entity(name="author", primary_id="authorid", attributes=())


class PlainNames:
    """A service whose properties are called like their attributes; `x` is unknown."""

    def attribute(self, entity: Entity, name: str) -> str:
        if name == "x":
            raise InvalidRequest("Could not find a property named 'x'.", "x")
        return name

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        return Link(
            entity="author", from_attribute="authorid", to_attribute=name, alias=alias
        ), AUTHOR


def read(text: str, aliases: dict[str, str] | None = None) -> Filter:
    return read_filter(text, BOOK, PlainNames(), aliases)


def only(text: str, aliases: dict[str, str] | None = None) -> Condition | Group:
    group = read(text, aliases).group
    assert len(group.children) == 1 or group.logic is Logic.OR
    return group.children[0] if len(group.children) == 1 else group


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("a eq 'x'", Operator.EQ, ("x",)),
        ("a ne 5", Operator.NE, (5,)),
        ("a gt -5.50", Operator.GT, ("-5.50",)),
        ("a ge 2024-05-01T00:00:00Z", Operator.GE, ("2024-05-01T00:00:00Z",)),
        ("a lt 2024-05-01", Operator.LT, ("2024-05-01",)),
        ("5 lt a", Operator.GT, (5,)),
        ("a eq true", Operator.EQ, (True,)),
        ("a eq null", Operator.NULL, ()),
        ("a ne null", Operator.NOT_NULL, ()),
        ("a eq 'it''s'", Operator.EQ, ("it's",)),
        ("a eq 'x[1]'", Operator.EQ, ("x[1]",)),
        ("a eq 'Some.Type''q'", Operator.EQ, ("Some.Type'q",)),
        (
            "a eq 5AE10BD4-131B-E111-BA7E-78E7D1620F5E",
            Operator.EQ,
            ("5ae10bd4-131b-e111-ba7e-78e7d1620f5e",),
        ),
        ("a in ('x','y')", Operator.IN, ("x", "y")),
        ("contains(a,'x')", Operator.LIKE, ("%x%",)),
        ("startswith(a,'x')", Operator.LIKE, ("x%",)),
        ("endswith(a,'x')", Operator.LIKE, ("%x",)),
        ("not contains(a,'x')", Operator.NOT_LIKE, ("%x%",)),
        ("not (a eq 5)", Operator.NE, (5,)),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"x\",'y''z'])",
            Operator.IN,
            ("x", "y'z"),
        ),
        ("Microsoft.Dynamics.CRM.NotIn(PropertyName='a',PropertyValues=['1'])", "not-in", ("1",)),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='a',PropertyValues=[1,5])",
            Operator.BETWEEN,
            (1, 5),
        ),
        (
            "Microsoft.Dynamics.CRM.ContainValues(PropertyName='a',PropertyValues=['1','2'])",
            Operator.CONTAIN_VALUES,
            ("1", "2"),
        ),
        ("Microsoft.Dynamics.CRM.Today(PropertyName='a')", Operator.TODAY, ()),
        (
            "Microsoft.Dynamics.CRM.LastXDays(PropertyName='a',PropertyValue=7)",
            Operator.LAST_X_DAYS,
            (7,),
        ),
        ("Microsoft.Dynamics.CRM.Last7Days(PropertyName='a')", Operator.LAST_SEVEN_DAYS, ()),
        (
            "Microsoft.Dynamics.CRM.OlderThanXMonths(PropertyName='a',PropertyValue=2)",
            Operator.OLDERTHAN_X_MONTHS,
            (2,),
        ),
        ("Microsoft.Dynamics.CRM.EqualUserId(PropertyName='a')", Operator.EQ_USERID, ()),
        (
            "Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='a',PropertyValue=2024-01-01)",
            Operator.ON_OR_AFTER,
            ("2024-01-01",),
        ),
    ],
)
def test_it_reads_a_comparison(text: str, operator: Operator, values: tuple[object, ...]) -> None:
    assert only(text) == Condition("a", operator, values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["allowedit", "anything", "nullable", "trueish", "falsehood"])
def test_a_name_may_begin_like_a_keyword(name: str) -> None:
    assert only(f"{name} eq 1") == Condition(name, Operator.EQ, (1,))


def test_it_nests_and_and_or() -> None:
    a, b, c = (Condition(name, Operator.EQ, (1,)) for name in "abc")
    assert read("a eq 1 or b eq 1 and c eq 1").group == Group(
        Logic.OR, (a, Group(Logic.AND, (b, c)))
    )
    assert read("(a eq 1 or b eq 1) and c eq 1").group == Group(
        Logic.AND, (Group(Logic.OR, (a, b)), c)
    )


def test_a_chain_of_a_thousand_is_one_group() -> None:
    group = read(" or ".join(f"a eq {number}" for number in range(1000))).group
    assert len(group.children) == 1000
    assert group.children[0] == Condition("a", Operator.EQ, (0,))


def test_not_of_an_order_matches_nulls_too() -> None:
    assert only("not (a gt 5)") == Group(
        Logic.OR, (Condition("a", Operator.LE, (5,)), Condition("a", Operator.NULL))
    )


def test_it_compares_two_properties() -> None:
    assert only("a eq b") == Condition("a", Operator.EQ, value_of="b")


def test_it_follows_a_navigation() -> None:
    found = read("authorid/name eq 'x' and authorid/born eq null")
    link = Link(
        entity="author",
        from_attribute="authorid",
        to_attribute="authorid",
        alias="path1",
        type=LinkType.OUTER,
    )
    assert found.links == (link,)
    assert [item.alias for item in found.group.children] == ["path1", "path1"]  # type: ignore[union-attr]


def test_it_reads_any_over_a_collection() -> None:
    found = read("books/any(b:b/name eq 'x')")
    assert found.multiplies
    assert found.group == Group(
        Logic.AND,
        (
            Condition("authorid", Operator.NOT_NULL, alias="path1"),
            Condition("name", Operator.EQ, ("x",), alias="path1"),
        ),
    )


def test_it_replaces_parameter_aliases() -> None:
    assert only("a eq @p1", {"@p1": "'@p2'"}) == Condition("a", Operator.EQ, ("@p2",))


def test_it_reads_sort_keys() -> None:
    assert read_order("a desc, b", BOOK, PlainNames()) == (Order("a", True), Order("b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a eq", "Syntax error in 'a eq'"),
        ("  ", "filter is empty"),
        ("a eq 'x", "Syntax error"),
        ("x eq 1", "Could not find a property named 'x'"),
        ("a gt null", "null can be compared with eq and ne only"),
        ("a add 1 eq 2", "not supported: BinOp"),
        ("tolower(a) eq 'x'", "not supported: Call"),
        ("year(a)", "function 'year' is not supported"),
        ("Microsoft.Dynamics.CRM.Foo(PropertyName='a')", "function 'Foo' is not supported"),
        ("Microsoft.Dynamics.CRM.In(PropertyValues=['a'])", "needs PropertyName"),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[])",
            "list of values is empty",
        ),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues='x')",
            "PropertyValues must be a list",
        ),
        ("books/all(b:b/name eq 'x')", "Only 'any' is supported"),
        ("authorid/publisherid/name eq 'x'", "one navigation is supported"),
        ("authorid/name eq b", "both belong to the same record"),
        ("not Microsoft.Dynamics.CRM.Today(PropertyName='a')", "'not' cannot be applied"),
        ("(" * 70 + "a eq 1" + ")" * 70, "nests deeper than 60"),
        ("a eq '" + "x" * 200_000 + "'", "longer than 200000"),
    ],
)
def test_it_says_what_it_cannot_read(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read(text)


@pytest.mark.parametrize("text", ["a b c", "a up", ""])
def test_it_says_which_sort_key_is_wrong(text: str) -> None:
    with pytest.raises(InvalidRequest, match="a property name, then asc or desc"):
        read_order(text, BOOK, PlainNames())
