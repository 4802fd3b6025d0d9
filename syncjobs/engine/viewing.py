"""Looking up what a page's decisions need: links, and client records where they matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connections.connectors.base import Connector
from organizations.records import Row
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS, pairs_on_client, same_pairs
from syncjobs.engine.plan import ClientRecord, Incoming, View
from syncjobs.engine.protocols import State
from syncjobs.engine.translation import Translations
from syncjobs.engine.values import TAKEN_BACK, EntityTask, LinkRow


class Viewer:
    """Makes the view of a page of one entity. Takes no locks."""

    def __init__(
        self,
        client: Connector,
        state: State,
        task: EntityTask,
        layout: Layout,
        translations: Translations,
        *,
        collected: int | None = None,
    ) -> None:
        """`translations` names the client's ids of matched records.

        `collected`: up to which version the client's changes are known, None if nobody collects.
        """
        self._client, self._state = client, state
        self._task, self._layout = task, layout
        self._translations, self._collected = translations, collected

    def view(self, page: Incoming) -> View:
        """Return links and client records of the page.

        Client records are fetched only where the link alone does not decide.
        """
        rejected = [rejection.id for rejection in page.rejected]
        links = self._state.links(self._task.key, [*page.ids, *page.deleted, *rejected])
        counterparts = self._counterparts(page, links)
        wanted = list(_wanted(page, links, counterparts))
        return View(
            links=links,
            records=self.records(wanted),
            counterparts=counterparts,
            holders=self._holders(counterparts),
            waiting=self._state.waiting(self._task.key, wanted) if wanted else {},
            collected=self._collected,
        )

    def records(self, client_ids: Sequence[str]) -> dict[str, ClientRecord]:
        """Return what the client has of these records now, by client id."""
        if not client_ids:
            return {}
        page = self._client.fetch(self._task.client, self._layout.client_attributes, client_ids)
        rows = self._layout.align(page)
        ids = (str(row[0]) for row in rows)
        found = map(ClientRecord, page.versions, self._layout.digests(rows), rows)
        return dict(zip(ids, found, strict=True))

    def _counterparts(self, page: Incoming, links: Mapping[str, LinkRow]) -> dict[str, str]:
        name = self._task.name
        if not self._task.server.is_intersect and name not in MATCH_KEYS:
            return {}
        unlinked = [
            row
            for server_id, row in zip(page.ids, page.rows, strict=True)
            if server_id not in links or links[server_id].client_version == TAKEN_BACK
        ]
        if self._task.server.is_intersect:
            return self._pairs(unlinked)
        known = ((str(row[0]), self._translations.get((name, str(row[0])))) for row in unlinked)
        return {server_id: client_id for server_id, client_id in known if client_id}

    def _pairs(self, unlinked: Sequence[Row]) -> dict[str, str]:
        """Return the client's pairs; also those it does not have, and of which a change waits.

        Their rows have another id there, so nothing else tells that they are the same.
        """
        task, layout = self._task, self._layout
        found = pairs_on_client(self._client, task, layout, unlinked)
        others = [row for row in unlinked if str(row[0]) not in found]
        if others:
            found |= same_pairs(task, layout, others, self._state.waiting_pairs(task.key))
        return found

    def _holders(self, counterparts: Mapping[str, str]) -> Mapping[str, LinkRow]:
        if not counterparts or not self._task.server.is_intersect:
            return {}
        return self._state.links_by_client(self._task.key, list(counterparts.values()))


def _wanted(
    page: Incoming, links: Mapping[str, LinkRow], counterparts: Mapping[str, str]
) -> Iterator[str]:
    for server_id, digest in zip(page.ids, page.digests, strict=True):
        if server_id in page.outside:
            continue
        link = links.get(server_id)
        if link is None:
            yield counterparts.get(server_id, server_id)
        elif link.digest != digest:
            yield counterparts.get(server_id, link.client_id)
