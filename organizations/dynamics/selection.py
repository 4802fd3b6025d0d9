"""What a request reads: `$select`, `$filter`, `$orderby`, `$top` and page size as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from organizations.dynamics import expand, expand_syntax
from organizations.dynamics.call import Call
from organizations.dynamics.errors import bad_request
from organizations.dynamics.names import Shape
from organizations.dynamics.rows import Writer, selected
from organizations.query.nodes import ALL, Group, Link, LinkType, Logic, Order, Query
from organizations.query.odata_reader import read_filter, read_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The records asked for, and how they are shown.

    `is_filtered` says whether the query leaves any record out. `top` limits the whole answer;
    then there are no pages.
    """

    shape: Shape
    query: Query
    writer: Writer
    page_size: int
    top: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether the query leaves records out."""
        return bool(self.query.links) or self.query.filter != ALL


def read(call: Call, shape: Shape, *, within: Query | None = None) -> Selection:
    """Return what the request's options select; `within` narrows it. Raises WebApiError 400."""
    call.refuse("$search")
    if "$skip" in call.options:
        raise bad_request("The query parameter $skip is not supported", "0x80060888")
    attributes = selected(shape, call.options.get("$select"))
    page_size = call.preferences.page_size
    return Selection(
        shape=shape,
        query=_query(call, shape, within),
        writer=expand.writer(call, shape, attributes, expanded(call)),
        page_size=page_size or call.preferences.most,
        top=None if page_size else _top(call),
    )


def expanded(call: Call) -> tuple[expand_syntax.Item, ...]:
    """Return the navigations that `$expand` names. Raises WebApiError 400."""
    text = call.options.get("$expand")
    return () if text is None else expand_syntax.parse(text)


def _query(call: Call, shape: Shape, within: Query | None) -> Query:
    query = within or Query(entity=shape.entity.name)
    if text := call.options.get("$filter"):
        found = read_filter(text, shape.entity, call.names, call.aliases)
        query = _narrowed(query, found.group, found.links)
    if text := call.options.get("$orderby"):
        order = read_order(text, shape.entity, call.names)
        query = _by_names(call, shape, replace(query, order=order))
    return query


def _by_names(call: Call, shape: Shape, query: Query) -> Query:
    """Sort by the names that lookups show, not by their ids (Microsoft: order rows).

    A lookup to several entities is sorted by id (assumed).
    """
    order, links = list(query.order), list(query.links)
    for place, one in enumerate(order):
        link, name = _named_by(call, shape, one.attribute, f"sort{place}")
        if link is not None:
            order[place] = Order(name, one.descending, link.alias)
            links.append(link)
    return replace(query, order=tuple(order), links=tuple(links))


def _named_by(call: Call, shape: Shape, name: str, alias: str) -> tuple[Link | None, str]:
    attribute = shape.entity.attribute(name)
    if attribute is None or len(attribute.targets) != 1 or not attribute.is_lookup:
        return None, ""
    if not call.catalog.enabled(attribute.targets[0]):
        return None, ""
    target = call.catalog.entity(attribute.targets[0])
    shown = target.attribute(target.primary_name or "")
    if shown is None or not shown.is_stored:
        return None, ""
    link = Link(
        entity=target.name,
        from_attribute=target.primary_id,
        to_attribute=name,
        alias=alias,
        type=LinkType.OUTER,
    )
    return link, shown.name


def _narrowed(query: Query, group: Group, links: tuple[Link, ...]) -> Query:
    both = (query.filter, group) if query.filter != ALL else (group,)
    combined = both[0] if len(both) == 1 else Group(Logic.AND, both)
    return replace(query, filter=combined, links=(*query.links, *links))


def _top(call: Call) -> int | None:
    text = call.options.get("$top")
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request(
            f"Invalid value '{text}' for $top query option found. The $top query option requires "
            "a non-negative integer value.",
            "0x80060888",
        )
    return int(text)


def context(call: Call, set_name: str, *, suffix: str = "") -> str:
    """Return the @odata.context of records: the set, what was selected, the kind of answer."""
    shown = expand_syntax.names(call.options.get("$select", ""))
    names = ",".join([*shown, *expand_syntax.context(expanded(call))])
    return f"{call.api}$metadata#{set_name}{f'({names})' if names else ''}{suffix}"
