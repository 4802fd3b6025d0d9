"""Records by OData: `$filter` on the row version, `$orderby`, a page at a time (resco.md §3.2).

What OData does not say is asked by Fetch, from the same records: filters on texts, dates and
linked records, lists too long for an address, and lookups to several entities, of which the
published service does not tell which. The same goes for an entity that the OData service refuses
to read: nothing published says that it serves every entity, or every row version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from connections.connectors.resco_cloud import odata_rows
from connections.connectors.resco_cloud.fetching import Fetching
from connections.connectors.resco_cloud.odata_asking import ask
from connections.connectors.resco_cloud.odata_filter import NotSaid, filter_of
from connections.connectors.resco_cloud.odata_names import property_of
from connections.connectors.resco_cloud.queries import PAGE, selecting
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from connections.connectors.resco_cloud.ways import Answer, Way
from connections.errors import LoginFailed, Refused, Unreachable
from organizations.query.nodes import Query
from organizations.schema import VERSION, Entity

LONGEST = 4000
"""Characters of an address; no limit is published (assumed)."""
_ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}
Asked = tuple[str, tuple[str, ...]]
"""An entity, and what is asked of its records."""


@dataclass(slots=True)
class ODataReading(Way):
    """Asks by OData, and by Fetch what OData does not say."""

    fetching: Fetching
    _by_fetch: set[Asked] = field(default_factory=set)
    """What OData did not answer before."""

    def page(self, shape: Shape, query: Query, *, min_active: bool = False) -> Answer:
        """Ask for a page. The lowest active version is told by Fetch only, and before it."""
        asked = (shape.entity.name, shape.selected)
        if asked in self._by_fetch:
            return self.fetching.page(shape, query, min_active=min_active)
        try:
            path = _path(shape, query)
        except NotSaid:
            return self.fetching.page(shape, query, min_active=min_active)
        lowest = self._min_active(shape.entity) if min_active else 0
        try:
            return replace(self._page(shape, query, path), min_active=lowest)
        except (LoginFailed, Unreachable):
            raise
        except (NotSaid, Refused):
            answer = self.fetching.page(shape, query)
            self._by_fetch.add(asked)
            return replace(answer, min_active=lowest)

    def count(self, entity: Entity, query: Query | None) -> int:
        """Ask for the number with one record at most."""
        wanted = selecting(entity, (), query, size=1)
        try:
            path = f"{_path(Shape.of(entity, ()), wanted)}&$count=true"
            return ask(self.fetching.client, path, lambda told: int(told["@odata.count"]))
        except (LoginFailed, Unreachable):
            raise
        except (NotSaid, Refused):
            return self.fetching.count(entity, query)

    def _page(self, shape: Shape, query: Query, path: str) -> Answer:
        def read(document: Any) -> Answer:
            records = document["value"]
            is_full = len(records) >= (query.count or PAGE) or "@odata.nextLink" in document
            found: Decoded = odata_rows.decode(shape, records)
            return Answer(found, more=bool(records) and is_full)

        return ask(self.fetching.client, path, read, _headers(shape))

    def _min_active(self, entity: Entity) -> int:
        asked = selecting(entity, (entity.primary_id,), None, size=1)
        return self.fetching.page(Shape.of(entity, ()), asked, min_active=True).min_active


def _headers(shape: Shape) -> Mapping[str, str]:
    """Annotations are asked for only where a lookup needs them: they cost the server its labels."""
    return _ANNOTATED if len(shape.columns) > len(shape.attributes) else {}


def _path(shape: Shape, query: Query) -> str:
    """Return the address of the first page. Raises NotSaid."""
    if query.links:
        raise NotSaid
    names = dict.fromkeys((*map(property_of, shape.attributes), VERSION))
    (order,) = query.order
    options = {
        "$select": ",".join(names),
        "$filter": filter_of(shape.entity, query.filter),
        "$orderby": f"{order.attribute}{' desc' if order.descending else ''}",
        "$top": str(query.count or PAGE),
    }
    written = "&".join(f"{name}={quote(text)}" for name, text in options.items() if text)
    if len(written) > LONGEST:
        raise NotSaid
    return f"{shape.entity.name}?{written}"
