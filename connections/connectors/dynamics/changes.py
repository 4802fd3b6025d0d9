"""Changes without change tracking: by version, else by time of change (dataverse.md §3.4).

Dataverse hands out versions in order but commits them in any, so a reading looks back a little
behind its low-water mark and leaves out what was given already at the same version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.tokens import Checkpoint, Seen, Way
from connections.connectors.dynamics.values import Decoded
from organizations.records import Row
from organizations.schema import VERSION, Entity
from organizations.values import instant

LOOK_BACK_VERSIONS = 500
LOOK_BACK_SECONDS = 300
MODIFIED = "modifiedon"
_MOST_SEEN = 5000


def way_of(entity: Entity) -> Way:
    """Return how changes of the entity are found."""
    if entity.tracks_changes:
        return Way.TRACKED
    if entity.attribute(VERSION):
        return Way.VERSION
    return Way.MODIFIED if entity.attribute(MODIFIED) else Way.NONE


def low_water(client: DynamicsClient, entity: Entity, way: Way) -> int:
    """Return the highest version (or latest second of change) there is now; 0: none."""
    name = MODIFIED if way is Way.MODIFIED else VERSION
    if way is Way.NONE or not entity.attribute(name):
        return 0
    options = {"select": name, "orderby": f"{name} desc", "top": "1"}
    found = client.get_json(with_query(entity.set_name, **options)).get("value") or [{}]
    value = found[0].get(name)
    if way is Way.MODIFIED:
        return _seconds(value) if value else 0
    return int(value or 0)


def since_url(shape: Shape, since: Checkpoint) -> str:
    """Return the address of what changed above the low-water mark, less the look-back."""
    if since.way is Way.MODIFIED:
        moment = datetime.fromtimestamp(max(since.low - LOOK_BACK_SECONDS, 0), UTC)
        name, condition = MODIFIED, f"{MODIFIED} ge {instant(moment)}"
    else:
        name = VERSION
        condition = f"{VERSION} gt {max(since.low - LOOK_BACK_VERSIONS, 0)}"
    return with_query(
        shape.entity.set_name, select=shape.select, filter=condition, orderby=f"{name} asc"
    )


@dataclass(slots=True)
class Memory:
    """What a reading has given at which version, and what of it the next one must know."""

    seen: Seen = field(default_factory=dict)

    def fresh(self, found: Decoded) -> Decoded:
        """Leave out records given before at the very same version."""
        if not self.seen:
            return found
        pairs = zip(found.rows, found.versions, strict=True)
        kept = [at for at, (row, version) in enumerate(pairs) if not self._knows(row, version)]
        rows: Sequence[Row] = [found.rows[at] for at in kept]
        return replace(found, rows=rows, versions=[found.versions[at] for at in kept])

    def add(self, found: Decoded, low: int) -> None:
        """Remember the records above the low-water mark, less the look-back."""
        floor = low - LOOK_BACK_VERSIONS
        if not found.versions or max(found.versions) <= floor:
            return
        for row, version in zip(found.rows, found.versions, strict=True):
            if version > floor:
                self.seen[str(row[0])] = version

    def for_next(self, low: int) -> Seen:
        """Return what a reading that begins at `low` would meet again, the newest first."""
        floor = low - LOOK_BACK_VERSIONS
        recent = {id_: version for id_, version in self.seen.items() if version > floor}
        if len(recent) <= _MOST_SEEN:
            return recent
        newest = sorted(recent, key=recent.__getitem__, reverse=True)[:_MOST_SEEN]
        return {id_: recent[id_] for id_ in newest}

    def _knows(self, row: Row, version: int) -> bool:
        return version > 0 and self.seen.get(str(row[0])) == version


def _seconds(value: object) -> int:
    return int(datetime.fromisoformat(instant(value)).timestamp())
