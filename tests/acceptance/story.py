"""The authors' steps, carried out once for all entities under the same circumstances.

Each cell's test then looks at what became of its own entity.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from syncjobs.models import OfflineTransaction
from tests.acceptance.cells import DELETIONS, ENTITIES, Circumstances
from tests.acceptance.place import Place
from tests.acceptance.recipes import filters, recipe


@dataclass
class Records:
    """What was done with one entity: ids by what happened to them, and what was seen when."""

    created_there: str = ""
    outside: str = ""
    changed_there: str = ""
    created_here: str = ""
    changed_here: str = ""
    before_sync: dict[str, str | None] = field(default_factory=dict)
    refused: str = ""


class DataStory:
    """(1) create and update on the server, (2) on the client, (3) Sync All."""

    def __init__(self, place: Place, circumstances: Circumstances) -> None:
        self.place, self.circumstances = place, circumstances
        self.records = {entity: Records() for entity in ENTITIES}
        self.recipes = {entity: recipe(place, entity) for entity in ENTITIES}

    def tell(self) -> None:
        """Carry the steps out; what `prepare` made is on both sides."""
        self.place.under(self.circumstances, filters())
        self._on_server()
        self._on_client()
        self.place.deliver()
        self._look()
        self.place.sync_all()

    def _text(self, what: str, *, inside: bool = True) -> str:
        return f"{'In' if inside else 'Out'} {what} {self.circumstances.tag}"

    def prepare(self) -> None:
        """Make what is changed later, on the server."""
        for entity, found in self.records.items():
            how = self.recipes[entity]
            if how.updates:
                found.changed_there = how.on_server(self._text("first there"))
                found.changed_here = how.on_server(self._text("first here"))
            else:
                found.created_here = "/".join(how.make_ends(self._text("linked here")))

    def _on_server(self) -> None:
        for entity, found in self.records.items():
            how = self.recipes[entity]
            found.created_there = how.on_server(self._text("created there"))
            found.outside = how.on_server(self._text("created there", inside=False))
            if how.updates:
                how.change_on_server(found.changed_there, self._text("changed there"))

    def _on_client(self) -> None:
        for entity, found in self.records.items():
            how = self.recipes[entity]
            if how.updates:
                how.change_on_client(found.changed_here, self._text("changed here"))
                found.created_here = how.on_client(self._text("created here"))
            elif how.creates_from_client:
                how.on_client(found.created_here)

    def _look(self) -> None:
        """What the server has before Sync All."""
        for entity, found in self.records.items():
            how = self.recipes[entity]
            for item in filter(None, (found.created_here, found.changed_here)):
                found.before_sync[item] = how.text_on_server(item)


class DeletionStory:
    """(1) delete on the server (and client), (2) enable Sync Deletion, (3) Sync All."""

    def __init__(self, place: Place, circumstances: Circumstances) -> None:
        self.place, self.circumstances = place, circumstances
        self.names = sorted({cell.entity for cell in DELETIONS})
        self.recipes = {entity: recipe(place, entity) for entity in self.names}
        self.there: dict[str, str] = {}
        self.here: dict[str, str] = {}
        self.kept: dict[str, str] = {}
        self.before: dict[str, bool] = {}
        self.seen: dict[str, str | None] = {}

    def prepare(self) -> None:
        """Make what is deleted later, on the server."""
        tag = self.circumstances.tag
        for entity, how in self.recipes.items():
            self.there[entity] = how.on_server(f"In to delete there {tag}")
            self.here[entity] = how.on_server(f"In to delete here {tag}")
            self.kept[entity] = how.on_server(f"In to keep {tag}")

    def tell(self) -> None:
        """Carry the steps out; what `prepare` made is on both sides."""
        self.place.under(self.circumstances, filters())
        for entity, how in self.recipes.items():
            self.before[entity] = how.text_on_client(self.there[entity]) is not None
        self._delete()
        self.place.deliver()
        for entity, how in self.recipes.items():
            self.seen[entity] = how.text_on_server(self.here[entity])
        chosen = self.place.connection.entities.filter(name__in=self.names)
        chosen.update(sync_deletion=True)
        self.place.sync_all()

    def _delete(self) -> None:
        # Pairs before what they join.
        for entity in sorted(self.names, key=lambda name: self.recipes[name].updates):
            self.recipes[entity].delete_on_server(self.there[entity])
            if self.recipes[entity].creates_from_client:
                self.recipes[entity].delete_on_client(self.here[entity])


def undelivered(place: Place) -> list[tuple[str, str]]:
    """Entity and message of what could not be delivered."""
    rows = OfflineTransaction.objects.filter(connection=place.connection, status="error")
    return list(rows.values_list("entity__name", "message"))
