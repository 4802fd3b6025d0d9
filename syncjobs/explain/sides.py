"""What both sides hold of a record now, and what the sync filter says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connections.connectors.base import Connector
from connections.errors import ConnectorError, UnknownEntity
from organizations.errors import NotFound, OrganizationError
from organizations.query.context import Context
from organizations.query.explaining import explain, why
from organizations.records import Row
from organizations.schema import Entity
from syncjobs.engine import reasons
from syncjobs.engine.layout import Layout
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import EntityTask, LinkRow
from syncjobs.explain.gathering import Gathered, only_the_server
from syncjobs.explain.history import text
from syncjobs.explain.story import Field, SideNow, Story


@dataclass(slots=True, kw_only=True)
class Now:
    """A record on one side: in that side's own terms, and in the client's."""

    version: int
    own: Mapping[str, Any]
    row: Row
    digest: str


class Look:
    """Looks at one record on both sides, and fills the story with what is there."""

    def __init__(
        self,
        server: Connector,
        client: Connector,
        task: EntityTask,
        translations: Translations,
        story: Story,
    ) -> None:
        """`translations` bring the server's record into the client's terms."""
        self._server, self._client, self._task, self._story = server, client, task, story
        self._layout = Layout(task)
        self._translator = Translator(task, self._layout, translations)
        self.server: Now | None = None
        self.client: Now | None = None

    def look(self, link: LinkRow | None, *, is_left: bool) -> None:
        """Fetch the record on both sides; what cannot be asked is said in the story."""
        story = self._story
        self.client = self._fetched(self._client, is_server=False)
        self.server = self._fetched(self._server, is_server=True)
        self._compare(link, is_left=is_left)
        if not story.server.problem:
            try:
                self._judge()
            except (ConnectorError, OrganizationError) as error:
                story.verdict = f"The filter cannot be explained: {error}"

    def _fetched(self, connector: Connector, *, is_server: bool) -> Now | None:
        try:
            found = self._fetch(connector, is_server=is_server)
            now = SideNow(version=found.version if found else 0, is_there=found is not None)
        except (ConnectorError, OrganizationError) as error:
            found, now = None, SideNow(problem=str(error))
        if is_server:
            self._story.server = now
        else:
            self._story.client = now
        return found

    def _fetch(self, connector: Connector, *, is_server: bool) -> Now | None:
        layout, story = self._layout, self._story
        entity = self._task.server if is_server else self._task.client
        attributes = layout.attributes if is_server else layout.client_attributes
        id_ = story.server_id if is_server else story.client_id
        page = connector.fetch(entity, attributes, [id_])
        rows = layout.align(page)
        if not rows:
            return None
        own = dict(zip(layout.columns, rows[0], strict=True))
        (row,) = self._translator.rows(rows) if is_server else rows
        (digest,) = layout.digests([row])
        return Now(version=page.versions[0], own=own, row=row, digest=digest)

    def _compare(self, link: LinkRow | None, *, is_left: bool) -> None:
        story, there, here = self._story, self.server, self.client
        if story.server.problem or story.client.problem:
            side = "server" if story.server.problem else "client"
            story.summary = f"The {side} could not be asked, so nothing is compared."
        elif there is None and here is None:
            story.summary = "Neither side has it."
        elif there and here and there.digest == here.digest:
            story.summary = "Both sides have it, and are equal."
        else:
            sides = reasons.Sides(server=_side(there), client=_side(here), link=link)
            story.summary = reasons.reason(sides, is_left=is_left)
        compared = self._layout.compared
        for place, name in enumerate(self._layout.columns):
            story.fields.append(
                Field(
                    name=name,
                    server=text(there.row[place]) if there else None,
                    client=text(here.row[place]) if here else None,
                    is_compared=name in compared,
                )
            )

    def _judge(self) -> None:
        story, query = self._story, self._task.query
        if self.server is None:
            story.verdict = "The server does not have it, or does not show it to our user."
            return
        if query is None:
            story.verdict = "included: the entity has no sync filter"
            return
        gathered = Gathered(self._server, self._schema)
        gathered.gather(query, self.server.own)
        finding = explain(
            query, self.server.own, context=Context(), linked=gathered, unknown=only_the_server
        )
        inside = self._server.matching(self._task.server, query, [story.server_id])
        story.finding, story.verdict = finding, why(finding)
        story.server_says = story.server_id in inside
        story.notes += _doubts(story, gathered)
        if self.client is None and not story.server_says:
            story.summary = "Only the server has it: it is outside the sync filter."

    def _schema(self, name: str) -> Entity:
        try:
            return next(iter(self._client.describe([name])))
        except UnknownEntity as error:
            raise NotFound("entity", name) from error


def _side(now: Now | None) -> reasons.Side | None:
    return None if now is None else (now.row, now.version, now.digest)


def _doubts(story: Story, gathered: Gathered) -> list[str]:
    found = [
        f"More '{name}' are linked than were looked at, so the explanation may be incomplete."
        for name in sorted(gathered.cut)
    ]
    verdict = story.finding.is_true if story.finding else None
    if verdict is not None and verdict is not story.server_says:
        found.append(
            "The server decides otherwise. It may count days in another time zone, or not show "
            "our user a linked record."
        )
    return found
