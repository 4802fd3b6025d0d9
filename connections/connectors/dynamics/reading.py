"""One reading of an entity: its phases, their pages, and the checkpoint at its end.

1. everything, tracked: pages with ``Prefer: odata.track-changes``; the last gives a delta link.
2. everything, tracked, filtered: change tracking takes no filter (dataverse.md §3.4), so a walk
   over the ids obtains the delta link first, then FetchXML reads what is inside the filter.
3. everything, not tracked: plain pages, or FetchXML where there is a filter.
4. changes: the delta link; or by version, or by time of change, where there is no tracking.
   The filter is not applied to changes: the caller asks `matching` (design decision 6).

A large entity far away is read in several ranges at once (`ranges`). Change tracking takes no
ranges either, so the walk over the ids comes first there too.

The low-water mark is taken before the first page; what changed above it while a first load ran
is read again by the next reading, less what the load has given already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import msgspec

from connections.connectors.base import ReadRequest
from connections.connectors.dynamics import changes, queries, ranges, sources, tokens
from connections.connectors.dynamics.changes import Memory
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.fetching import fetch
from connections.connectors.dynamics.parties import Parties
from connections.connectors.dynamics.streams import Ask, Streams
from connections.connectors.dynamics.tokens import Checkpoint, Phase, Resume, Way
from connections.connectors.dynamics.values import Decoded, PageDecoder
from connections.errors import CheckpointExpired
from organizations.records import Page

_TRACK = "odata.track-changes"


@dataclass(slots=True)
class Reading:
    """Reads what one request asks for. Use once."""

    client: DynamicsClient
    request: ReadRequest
    shape: Shape = field(init=False)
    decoder: PageDecoder = field(init=False)
    parties: Parties = field(init=False)
    memory: Memory = field(init=False, default_factory=Memory)
    given: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Prepare the decoder."""
        self.shape = Shape.of(self.request.entity, self.request.attributes)
        self.decoder = PageDecoder(self.shape)
        self.parties = Parties(self.client, self.shape)

    def pages(self) -> Iterator[Page]:
        """Yield the pages, of all phases from the first or resumed one on."""
        position = self._position()
        self.memory.seen.update(position.goal.seen)
        phases: dict[Phase, Callable[[Resume], Iterator[Page]]] = {
            Phase.WALK: self._walk,
            Phase.ROWS: self._rows,
            Phase.FETCH: self._fetch,
            Phase.CHANGES: self._changes,
            Phase.DELTA: self._delta,
            Phase.SLICES: self._slices,
        }
        yield from phases[position.phase](position)

    def _position(self) -> Resume:
        if self.request.resume:
            return tokens.from_text(self.request.resume, Resume)
        if self.request.since:
            return self._beginning_of_changes(tokens.from_text(self.request.since, Checkpoint))
        return self._beginning()

    def _beginning(self) -> Resume:
        entity, filtered = self.request.entity, self.request.query is not None
        way = changes.way_of(entity)
        slices = ranges.plan(
            self.client, self.shape, self._prefer(""), is_tracked=way is Way.TRACKED
        )
        if way is Way.TRACKED and (filtered or slices):
            return Resume(Phase.WALK, Checkpoint(way, slim=True), slices=slices)
        low = changes.low_water(self.client, entity, way)
        goal = Checkpoint(way, low=max(low, 1))
        if slices:
            return Resume(Phase.SLICES, goal, slices=slices)
        return Resume(Phase.FETCH if filtered else Phase.ROWS, goal)

    def _beginning_of_changes(self, since: Checkpoint) -> Resume:
        if since.way is Way.NONE:
            return Resume(Phase.FETCH if self.request.query else Phase.ROWS, since)
        if since.way is Way.TRACKED and not since.low:
            return Resume(Phase.DELTA, since, link=since.link)
        link = changes.since_url(self.shape, since)
        if since.way is Way.TRACKED:
            return Resume(Phase.CHANGES, since, link=link)
        low = changes.low_water(self.client, self.request.entity, since.way)
        return Resume(Phase.CHANGES, _with(since, low=max(low, since.low)), link=link)

    def _walk(self, position: Resume) -> Iterator[Page]:
        """Obtain a delta link; the empty pages let the caller stop, and resume, in between."""
        entity = self.request.entity
        url = position.link or with_query(entity.set_name, select=entity.primary_id)
        link = ""
        for page in sources.linked(self.client, url, self._prefer(_TRACK)):
            link = page.delta_link
            if page.next_link:
                yield self._page(Decoded(), _at(position, link=page.next_link))
        goal = _with(position.goal, link=self._required(link))
        if position.slices:
            following = Resume(Phase.SLICES, goal, slices=position.slices)
            yield self._page(Decoded(), following)
            yield from self._slices(following)
        else:
            yield self._page(Decoded(), Resume(Phase.FETCH, goal))
            yield from self._fetch(Resume(Phase.FETCH, goal))

    def _slices(self, position: Resume) -> Iterator[Page]:
        goal = position.goal
        count = ranges.streams(self.client)
        with closing(Streams(self._ask(), position.slices, count)) as streams:
            for got in streams:
                decoded = self._not_given(self.decoder.decode(got.body), is_cut=got.is_cut)
                found = self._complete(decoded)
                self._remember(found, goal)
                goal = _with(goal, seen=self.memory.for_next(goal.low) if goal.low else {})
                if got.left:
                    yield self._page(found, Resume(Phase.SLICES, goal, slices=got.left))
                else:
                    yield self._last(found, goal)

    def _ask(self) -> Ask:
        request = self.request
        if request.query is None:
            return sources.ranged(self.client, self.shape, self._prefer(""))
        query = queries.selecting(
            request.entity, self.shape.fetched, request.query, page_size=request.page_size
        )
        return sources.ranged_fetch(self.client, request.entity, query)

    def _not_given(self, found: Decoded, *, is_cut: bool) -> Decoded:
        """Leave out what a page has given that was cut; remember this one if it is cut."""
        known = self.given
        if known:
            kept = [at for at, row in enumerate(found.rows) if row[0] not in known]
            found = replace(
                found,
                rows=[found.rows[at] for at in kept],
                versions=[found.versions[at] for at in kept],
            )
        if is_cut:
            known.update(str(row[0]) for row in found.rows)
        return found

    def _rows(self, position: Resume) -> Iterator[Page]:
        goal = position.goal
        tracking = _TRACK if goal.way is Way.TRACKED else ""
        url = position.link or with_query(self.request.entity.set_name, select=self.shape.select)
        for page in sources.linked(self.client, url, self._prefer(tracking)):
            found = self._complete(self.decoder.decode(page.body))
            self._remember(found, goal)
            goal = _with(goal, seen=self.memory.for_next(goal.low))
            if page.next_link:
                yield self._page(found, _at(position, link=page.next_link, goal=goal))
            else:
                link = self._required(page.delta_link) if tracking else ""
                yield self._last(found, _with(goal, link=link))

    def _fetch(self, position: Resume) -> Iterator[Page]:
        goal, entity = position.goal, self.request.entity
        query = queries.selecting(
            entity, self.shape.fetched, self.request.query, page_size=self.request.page_size
        )
        for page in sources.fetched(self.client, entity, query, position):
            found = self._complete(self.decoder.decode(page.body))
            self._remember(found, goal)
            goal = _with(goal, seen=self.memory.for_next(goal.low) if goal.low else {})
            if page.page:
                yield self._page(
                    found, _at(position, page=page.page, cookie=page.cookie, goal=goal)
                )
            else:
                yield self._last(found, goal)

    def _changes(self, position: Resume) -> Iterator[Page]:
        """Read what lies above the low-water mark; goes on with the delta where there is one."""
        goal = position.goal
        for page in sources.linked(self.client, position.link, self._prefer("")):
            decoded = self.decoder.decode(page.body)
            found = self._complete(self.memory.fresh(decoded))
            self._remember(decoded, goal)
            goal = _with(goal, seen=self.memory.for_next(goal.low))
            if page.next_link:
                yield self._page(found, _at(position, link=page.next_link, goal=goal))
            elif goal.way is Way.TRACKED:
                following = Resume(Phase.DELTA, _with(goal, low=0), link=goal.link)
                yield self._page(found, following)
                yield from self._delta(following)
            else:
                yield self._last(found, goal)

    def _delta(self, position: Resume) -> Iterator[Page]:
        goal = position.goal
        decoder = PageDecoder(self.shape.only_id()) if goal.slim else self.decoder
        for page in sources.linked(self.client, position.link, self._prefer("")):
            fresh = self.memory.fresh(decoder.decode_delta(page.body))
            found = self._fetched(fresh) if goal.slim else self._complete(fresh)
            if page.next_link:
                yield self._page(found, _at(position, link=page.next_link))
            else:
                link = self._required(page.delta_link)
                yield self._last(found, Checkpoint(Way.TRACKED, link=link, slim=goal.slim))

    def _complete(self, found: Decoded) -> Decoded:
        return self.parties.fill(found)

    def _fetched(self, found: Decoded) -> Decoded:
        """Read the changed records of a slim delta; those gone meanwhile come as deleted later."""
        ids = [str(row[0]) for row in found.rows]
        full = fetch(self.client, self.decoder, ids)
        rejected = [*found.rejected, *full.rejected]
        return self._complete(replace(full, rejected=rejected, deleted=found.deleted))

    def _remember(self, found: Decoded, goal: Checkpoint) -> None:
        if goal.low and goal.way in {Way.TRACKED, Way.VERSION}:
            self.memory.add(found, goal.low)

    def _required(self, delta_link: str) -> str:
        if not delta_link:
            raise CheckpointExpired(
                f"The server gave no delta link for '{self.request.entity.name}', although "
                "change tracking was asked for; everything is read again."
            )
        return delta_link

    def _page(self, found: Decoded, resume: Resume) -> Page:
        return self._made(found, resume=tokens.to_text(resume))

    def _last(self, found: Decoded, checkpoint: Checkpoint) -> Page:
        return self._made(found, checkpoint=tokens.to_text(checkpoint))

    def _made(
        self, found: Decoded, *, resume: str | None = None, checkpoint: str | None = None
    ) -> Page:
        return Page(
            entity=self.request.entity.name,
            columns=self.shape.names,
            rows=found.rows,
            versions=found.versions,
            deleted=found.deleted,
            rejected=found.rejected,
            resume=resume,
            checkpoint=checkpoint,
        )

    def _prefer(self, tracking: str) -> str:
        parts = [tracking, f"odata.maxpagesize={min(self.request.page_size, queries.PAGE_SIZE)}"]
        if self.shape.annotations:
            parts.append(f'odata.include-annotations="{self.shape.annotations}"')
        return ",".join(filter(None, parts))


def _with(goal: Checkpoint, **changes_: object) -> Checkpoint:
    return msgspec.structs.replace(goal, **changes_)


def _at(position: Resume, **changes_: object) -> Resume:
    return msgspec.structs.replace(position, **changes_)
