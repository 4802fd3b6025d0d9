"""`$apply`: groups and aggregates of a collection (Microsoft: aggregate data using OData)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.http import HttpResponse

from organizations.dynamics import apply_syntax
from organizations.dynamics.apply_syntax import Aggregate
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import WebApiError, bad_request
from organizations.dynamics.fetch_rows import RowsWriter, columns
from organizations.dynamics.names import Shape
from organizations.query.nodes import Group, Link, LinkType, Logic, Order, Query, Selection
from organizations.query.odata_reader import read_filter
from organizations.schema import Attribute, AttributeType, Entity

MOST_AGGREGATED = 50_000
"""Records that one aggregation may cover (Microsoft: aggregate data)."""


def collection(call: Call, shape: Shape, *, within: Query | None = None) -> HttpResponse:
    """Answer with one row per group. Raises WebApiError 400."""
    query = _query(call, shape, within or Query(entity=shape.entity.name))
    check_size(call, query)
    found = call.store.query(query, context=call.context)
    writer = RowsWriter(call, shape, dict(columns(query, call.catalog.entity)))
    context = f"{call.api}$metadata#{shape.entity.set_name}"
    return answer({"@odata.context": context, "value": writer.write(found.rows)})


def check_size(call: Call, query: Query) -> None:
    """Raise WebApiError 400 when an aggregate query covers too many records."""
    plain = replace(
        query,
        aggregate=False,
        select=(),
        order=(),
        top=None,
        links=tuple(map(_unselected, query.links)),
    )
    if call.store.count(plain, context=call.context) > MOST_AGGREGATED:
        message = "AggregateQueryRecordLimit exceeded. Cannot perform this operation."
        raise bad_request(message, "0x8004e023")


def _unselected(link: Link) -> Link:
    return replace(link, select=(), order=(), links=tuple(map(_unselected, link.links)))


def _query(call: Call, shape: Shape, query: Query) -> Query:
    for option in ("$filter", "$select", "$expand"):
        if option in call.options:
            raise bad_request(f"{option} cannot stand beside $apply. Use filter(…) and groupby(…).")
    wanted = apply_syntax.parse(call.options["$apply"])
    if len(wanted.filters) > 1:
        raise bad_request("Syntax error in $apply: one filter(…) is supported.", "0x80060888")
    for text in wanted.filters:
        found = read_filter(text, shape.entity, call.names, call.aliases)
        group = Group(Logic.AND, (query.filter, found.group))
        query = replace(query, filter=group, links=(*query.links, *found.links))
    return _Maker(call, shape.entity).made(query, wanted)


@dataclass(slots=True)
class _Maker:
    """Makes the aggregate query; `links` are those that paths of groups go through."""

    call: Call
    entity: Entity
    links: dict[str, Link] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def made(self, query: Query, wanted: apply_syntax.Apply) -> Query:
        """Return the query with its groups, aggregates, order and limit."""
        own = [chosen for path in wanted.groups if (chosen := self._group(path)) is not None]
        own += [self._aggregate(one) for one in wanted.aggregates]
        top = self.call.options.get("$top", "")
        return replace(
            query,
            aggregate=True,
            select=tuple(own),
            links=(*query.links, *self.links.values()),
            order=self._order(),
            top=int(top) if top.isdecimal() and int(top) > 0 else None,
        )

    def _group(self, path: str) -> Selection | None:
        """Return what groups by a property; by one of a related record, its link does."""
        *steps, name = path.split("/")
        if not steps:
            attribute = self._grouping(self.entity, name)
            self.keys.append(name)
            return Selection(attribute.name, alias=name, group_by=True)
        if len(steps) > 1:
            raise bad_request(f"Syntax error in $apply: the path '{path}' is too long.")
        link, target = self.call.names.link(self.entity, steps[0], f"group_{steps[0]}")
        link = self.links.get(steps[0], replace(link, type=LinkType.OUTER))
        key = f"{target.name}_{name}"
        chosen = Selection(self._grouping(target, name).name, alias=key, group_by=True)
        self.links[steps[0]] = replace(link, select=(*link.select, chosen))
        self.keys.append(key)
        return None

    def _grouping(self, entity: Entity, name: str) -> Attribute:
        attribute = Shape(entity).property(name)
        if attribute.type is AttributeType.DATETIME:
            raise bad_request(f"groupby with the datetime value '{name}' is not supported.")
        return attribute

    def _aggregate(self, one: Aggregate) -> Selection:
        if not one.path:
            return Selection(self.entity.primary_id, alias=one.alias, aggregate="count")
        attribute = Shape(self.entity).property(one.path)
        is_distinct = one.method == "countcolumn"
        return Selection(
            attribute.name, alias=one.alias, aggregate=one.method, distinct=is_distinct
        )

    def _order(self) -> tuple[Order, ...]:
        text = self.call.options.get("$orderby", "")
        return tuple(self._sorted(part.split()) for part in text.split(",") if part.strip())

    def _sorted(self, words: list[str]) -> Order:
        if words[0] not in self.keys:
            raise _unsortable()
        return Order("", words[-1] == "desc", words[0])


def _unsortable() -> WebApiError:
    return bad_request("The query node SingleValueOpenPropertyAccess is not supported.")
