"""Looking at one record while it is being written: its version and some of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from connections.connectors.dynamics import errors
from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.batch_rounds import Steps
from connections.connectors.dynamics.client import with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import error_of, fault, meaning_of, rejected
from connections.connectors.dynamics.values import PageDecoder
from organizations.records import Value
from organizations.schema import Entity


class Found(NamedTuple):
    """A record as it is now; version 0: there is none. Values are canonical."""

    version: int
    values: Mapping[str, Value]


@dataclass(slots=True)
class Look:
    """Reads single records of one entity."""

    entity: Entity
    _decoders: dict[frozenset[str], PageDecoder] = field(default_factory=dict)

    def at(self, record_id: str, names: Sequence[str]) -> Steps[Found]:
        """Return a record with the values of these columns, read as one step."""
        decoder = self._decoder(names)
        shape = decoder.shape
        path = with_query(f"{self.entity.set_name}({record_id})", select=shape.select)
        prefer = f'odata.include-annotations="{shape.annotations}"'
        reply = yield Part("GET", path, {"Prefer": prefer} if shape.annotations else {})
        if reply.status == 404 and error_of(reply)[0] in {errors.NOT_FOUND, ""}:
            return Found(0, {})
        if reply.status != 200:
            refused = meaning_of(reply).recovery is Recovery.REFUSE
            raise fault(reply) if refused else rejected(reply, record_id)
        decoded = decoder.decode(b'{"value":[' + reply.body + b"]}")
        if not decoded.rows:
            return Found(-1, {})
        return Found(decoded.versions[0], dict(zip(shape.names, decoded.rows[0], strict=True)))

    def _decoder(self, names: Sequence[str]) -> PageDecoder:
        wanted = frozenset(name.removesuffix("__type") for name in names)
        if wanted not in self._decoders:
            attributes = (item for item in self.entity.attributes if item.name in wanted)
            self._decoders[wanted] = PageDecoder(Shape.of(self.entity, attributes))
        return self._decoders[wanted]


def holds(found: Found, values: Mapping[str, Value]) -> bool:
    """Return whether a record has these values."""
    return all(_plain(found.values.get(name)) == _plain(value) for name, value in values.items())


def _plain(value: Value) -> Value:
    if isinstance(value, float):
        return Decimal(str(value))
    return None if value == "" else value
