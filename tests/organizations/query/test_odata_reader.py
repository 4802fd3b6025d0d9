"""OData filters as queries."""

from __future__ import annotations

import pytest

from organizations.errors import InvalidRequest
from organizations.query.nodes import (
    Condition,
    Exists,
    Group,
    Link,
    LinkType,
    Logic,
    Member,
    Operator,
    Order,
)
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

    def function_attribute(self, entity: Entity, name: str) -> str:
        return self.attribute(entity, name)

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        key = "writerid" if name.endswith("s") else "authorid"
        return Link(entity="author", from_attribute=key, to_attribute=name, alias=alias), AUTHOR


def read(text: str, aliases: dict[str, str] | None = None) -> Filter:
    return read_filter(text, BOOK, PlainNames(), aliases)


def only(text: str, aliases: dict[str, str] | None = None) -> Member:
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


def test_it_follows_a_path_of_several_navigations() -> None:
    found = read("authorid/friendid/name eq 'x' and authorid/friendid/born eq null")
    (outer,) = found.links
    (inner,) = outer.links
    assert (outer.to_attribute, inner.to_attribute) == ("authorid", "friendid")
    assert (outer.type, inner.type) == (LinkType.OUTER, LinkType.OUTER)
    assert [item.alias for item in found.group.children] == [inner.alias] * 2  # type: ignore[union-attr]


def one_exists(text: str) -> Exists:
    found = read(text).group.children[0]
    assert isinstance(found, Exists)
    return found


def test_it_reads_any_over_a_collection() -> None:
    found = one_exists("books/any(b:b/name eq 'x' and b/friendid/name eq 'y')")
    assert (found.is_negative, found.alias) == (False, "")
    assert found.link.filter == Group(
        Logic.AND,
        (
            Condition("name", Operator.EQ, ("x",)),
            Condition("name", Operator.EQ, ("y",), alias="path1"),
        ),
    )
    assert [link.to_attribute for link in found.link.links] == ["friendid"]


def test_it_reads_any_without_a_condition() -> None:
    assert one_exists("books/any()").link.filter == Group()
    assert one_exists("not books/any()").is_negative


def test_all_pass_if_none_passes_the_opposite() -> None:
    found = one_exists("books/all(b:b/name eq 'x')")
    assert found.is_negative
    assert found.link.filter == Group(Logic.OR, (Condition("name", Operator.NE, ("x",)),))


def test_it_reads_a_collection_in_a_collection() -> None:
    outer = one_exists("books/any(b:b/name eq 'x' and b/reviews/all(r:r/stars gt 3))")
    inner = outer.link.filter.children[1]
    assert isinstance(inner, Exists)
    assert (inner.is_negative, inner.link.to_attribute) == (True, "reviews")


def test_a_query_function_works_in_a_collection() -> None:
    for name in ("a", "b/a"):
        text = f"books/any(b:Microsoft.Dynamics.CRM.Today(PropertyName='{name}'))"
        assert one_exists(text).link.filter.children == (Condition("a", Operator.TODAY),)


def test_not_of_what_has_no_opposite_negates_the_whole() -> None:
    found = read("not Microsoft.Dynamics.CRM.Today(PropertyName='a')").group
    assert found == Group(Logic.AND, (Condition("a", Operator.TODAY),), is_negative=True)
    again = read("not (not Microsoft.Dynamics.CRM.Today(PropertyName='a'))").group
    assert again == Group(Logic.AND, (Condition("a", Operator.TODAY),))


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
        ("books/name eq 'x'", "'books' is a collection. Use books/any"),
        ("books/any(b:name eq 'x')", "must begin with 'b/' inside of 'b:…'"),
        ("books/any(b:b eq 'x')", "'b' must begin with 'b/'"),
        ("authorid/name eq b", "both belong to the same record"),
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
