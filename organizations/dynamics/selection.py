"""What a request reads: `$select`, `$filter`, `$orderby`, `$top` and page size as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from organizations.dynamics.call import Call
from organizations.dynamics.errors import bad_request
from organizations.dynamics.names import Shape
from organizations.dynamics.rows import RowWriter, selected
from organizations.query.nodes import ALL, Group, Link, Logic, Query
from organizations.query.nodes import Selection as Selected
from organizations.query.odata_reader import read_filter, read_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The records asked for, and how they are shown.

    `is_filtered` says whether the query leaves any record out. `top` limits the whole answer;
    then there are no pages.
    """

    shape: Shape
    query: Query
    writer: RowWriter
    page_size: int
    top: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether the query leaves records out."""
        return bool(self.query.links) or self.query.filter != ALL


def read(call: Call, shape: Shape, *, within: Query | None = None) -> Selection:
    """Return what the request's options select; `within` narrows it. Raises WebApiError 400."""
    call.refuse("$expand", "$apply", "$search", "savedQuery", "userQuery", "sql")
    if "$skip" in call.options:
        raise bad_request("The query parameter $skip is not supported", "0x80060888")
    attributes = selected(shape, call.options.get("$select"))
    page_size = call.preferences.page_size
    return Selection(
        shape=shape,
        query=_query(call, shape, within),
        writer=RowWriter(shape, attributes, call.preferences, call.organization.language),
        page_size=page_size or call.preferences.most,
        top=None if page_size else _top(call),
    )


def _query(call: Call, shape: Shape, within: Query | None) -> Query:
    query = within or Query(entity=shape.entity.name)
    if text := call.options.get("$filter"):
        found = read_filter(text, shape.entity, call.names, call.aliases)
        query = replace(_narrowed(query, found.group, found.links), distinct=found.multiplies)
    if text := call.options.get("$orderby"):
        query = replace(query, order=read_order(text, shape.entity, call.names))
    # Distinct records are told apart by their id, and sorted only by what is returned.
    shown = (shape.entity.primary_id, *(order.attribute for order in query.order))
    return replace(query, select=tuple(Selected(name) for name in dict.fromkeys(shown)))


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
    select = call.options.get("$select")
    names = ",".join(name.strip() for name in select.split(",")) if select else ""
    return f"{call.api}$metadata#{set_name}{f'({names})' if names else ''}{suffix}"
