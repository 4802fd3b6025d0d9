"""What is to be done with one page of server records: the decision table (design 5.1.12).

Nothing here reads or writes; a run and its dry run decide by the same function.

=========  ==============================  =====================================================
link       client record                   decision
=========  ==============================  =====================================================
none       none                            create
none       none, and its change waits      conflict: left alone until that is decided
none       equal                           link only
none       differs                         update, based on its current version: the server wins
none       differs, and its change waits   conflict: left alone until that is decided
           or was not collected yet
digest =   (not looked at)                 unchanged; the link follows the server's version
digest ≠   equal                           link only: both sides were changed alike
digest ≠   at the link's version, or has   update, based on its current version
           the link's digest again
digest ≠   another, its change was set     update, based on its current version: the server wins
           aside
digest ≠   none, its deletion was set      create again
           aside
digest ≠   none, an undo removed it        create again
digest ≠   another, or none                conflict: left alone
=========  ==============================  =====================================================

*Equal* means the same digest. *Set aside* means that the client's change is an Archived
transaction. A record that left the filter, or that the server deleted, is only marked here:
deletions are carried last, and guarded (`deletion`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from organizations.records import Rejection, Rendered, Row
from syncjobs.engine.values import TAKEN_BACK, LinkRow, LinkState

UNDECIDED = (
    "Both sides have the record, and the client's change of it waits to be delivered. The client's "
    "was left alone."
)

GOING = (
    "The client's change of the record waits to be delivered, and the client does not have the "
    "record any more. It was not made again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One page of server records in the client's terms, in the layout's order.

    `ids`, `versions` and `digests` run parallel to `rows`; no id comes twice. `outside` are ids
    of the page whose records are not inside the filter. `deleted` are gone from the server.
    `absent` were asked for by id and are not there, which is no evidence of a deletion.
    `rendered` is the client's bulk form of all rows; where it is given, `rows` are not.
    """

    ids: Sequence[str]
    rows: Sequence[Row]
    versions: Sequence[int]
    digests: Sequence[str]
    rendered: Rendered | None = None
    outside: AbstractSet[str] = frozenset()
    deleted: Sequence[str] = ()
    absent: Sequence[str] = ()
    rejected: Sequence[Rejection] = ()
    resume: str | None = None
    checkpoint: str | None = None


class ClientRecord(NamedTuple):
    """What the client has now of one record; `row` in the layout's order."""

    version: int
    digest: str
    row: Row = ()


class Waiting(NamedTuple):
    """The newest undelivered change of a client record: a transaction.

    `version` is the client's of that change. Set aside means Archived: it will not be delivered.
    """

    version: int
    is_delete: bool = False
    is_set_aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known of a page's records besides the page.

    `records` is keyed by client id, and holds those records the decisions need. `counterparts`
    gives the client's id of unlinked records where it differs from the server's. `holders` are
    links that now hold such a counterpart. `waiting` are undelivered changes of the client, by
    client id. A `fresh` view promises that there is neither link nor
    client record. `collected` is up to which version the client's changes are known; None:
    nobody collects them.
    """

    links: Mapping[str, LinkRow] = field(default_factory=dict)
    records: Mapping[str, ClientRecord] = field(default_factory=dict)
    counterparts: Mapping[str, str] = field(default_factory=dict)
    holders: Mapping[str, LinkRow] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    fresh: bool = False
    collected: int | None = None


class Update(NamedTuple):
    """Write the page's record at `place` over the client's record at version `expected`."""

    place: int
    client_id: str
    expected: int
    is_linked: bool


class Clash(NamedTuple):
    """A client change that stands in the way; `is_told`: its transaction says so."""

    server_id: str
    message: str
    is_told: bool = False


@dataclass(slots=True)
class PagePlan:
    """The decisions of one page. Places are positions in the page's rows.

    `new_links` and `links` need no write to a record; `dropped` are server ids whose link goes.
    `older` are places whose version is below the link's: the server went back in time.
    """

    creates: Sequence[int] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    new_links: list[LinkRow] = field(default_factory=list)
    links: list[LinkRow] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    older: list[int] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the entity's settings allow.

    `deletes`: what the server deleted, `deletes_left`: what left the filter will be deleted by the
    same run, so it is not counted as kept. `independent`: records linked under different ids
    existed on the client by themselves, and are never deleted there. `any_version`: a server that
    went back in time is accepted.
    """

    deletes: bool = False
    deletes_left: bool = False
    independent: bool = False
    any_version: bool = False

    def is_deleted(self, link: LinkRow) -> bool:
        """Return whether the client record of a marked link is to be deleted."""
        if link.state == LinkState.CURRENT:
            return False
        if self.independent and link.client_id != link.server_id:
            return False
        return self.deletes_left if link.state == LinkState.LEFT_FILTER else self.deletes


def plan_page(view: View, page: Incoming, rules: Rules) -> PagePlan:
    """Decide what happens to each record of the page."""
    if view.fresh:
        return PagePlan(creates=range(len(page.ids)))
    return _Planner(view, page, rules).plan()


class _Planner:
    def __init__(self, view: View, page: Incoming, rules: Rules) -> None:
        self._view, self._page, self._rules = view, page, rules
        self._creates: list[int] = []
        self._plan = PagePlan(creates=self._creates)

    def plan(self) -> PagePlan:
        links, outside = self._view.links, self._page.outside
        for place, server_id in enumerate(self._page.ids):
            link = links.get(server_id)
            if server_id in outside:
                self._mark(link, LinkState.LEFT_FILTER)
            elif link is None:
                self._meet(place, server_id)
            else:
                self._compare(place, link)
        moved = set(self._plan.dropped)
        for server_id in self._page.deleted:
            if server_id not in moved:
                self._mark(links.get(server_id), LinkState.SERVER_DELETED)
        if self._rules.any_version:
            self._accept_unread()
        return self._plan

    def _accept_unread(self) -> None:
        # What nobody can read may be of an older copy too: no version of it was agreed on.
        for rejection in self._page.rejected:
            link = self._view.links.get(rejection.id)
            if link is not None and link.server_version:
                self._plan.links.append(link._replace(server_version=0))

    def _meet(self, place: int, server_id: str) -> None:
        client_id = self._view.counterparts.get(server_id, server_id)
        record, digest = self._view.records.get(client_id), self._page.digests[place]
        is_alike = record is not None and record.digest == digest
        if not is_alike and self._waits(client_id, record):
            self._plan.clashes.append(Clash(server_id, UNDECIDED if record else GOING))
            return
        if record is None:
            self._creates.append(place)
            return
        if client_id in self._view.holders:
            self._plan.dropped.append(self._view.holders[client_id].server_id)
        if not is_alike:
            self._plan.updates.append(Update(place, client_id, record.version, is_linked=False))
            return
        self._plan.unchanged += 1
        self._plan.new_links.append(self._link(place, client_id, record.version))

    def _make_again(self, place: int, server_id: str) -> None:
        if server_id in self._view.counterparts:  # the client has the pair in another row by now
            self._meet(place, server_id)
        else:
            self._creates.append(place)

    def _waits(self, client_id: str, record: ClientRecord | None) -> bool:
        waiting, collected = self._view.waiting.get(client_id), self._view.collected
        if record is not None and collected is not None and record.version > collected:
            return True
        return waiting is not None and not waiting.is_set_aside

    def _compare(self, place: int, link: LinkRow) -> None:
        version, digest = self._page.versions[place], self._page.digests[place]
        if 0 < version < link.server_version and not self._rules.any_version:
            self._plan.unchanged += 1
            self._plan.older.append(place)
        elif digest == link.digest:
            self._plan.unchanged += 1
            if version != link.server_version or link.state != LinkState.CURRENT:
                self._plan.links.append(self._link(place, link.client_id, link.client_version))
        else:
            self._change(place, link)

    def _change(self, place: int, link: LinkRow) -> None:
        record = self._view.records.get(link.client_id)
        aside = is_set_aside(record, self._view.waiting.get(link.client_id))
        if record is None and (aside or link.client_version == TAKEN_BACK):
            self._plan.dropped.append(link.server_id)
            self._make_again(place, link.server_id)
        elif record is not None and record.digest == self._page.digests[place]:
            self._plan.unchanged += 1
            self._plan.links.append(self._link(place, link.client_id, record.version))
        elif record is not None and (aside or is_untouched(record, link)):
            update = Update(place, link.client_id, record.version, is_linked=True)
            self._plan.updates.append(update)
        else:
            waiting = self._view.waiting.get(link.client_id)
            is_told = waiting is not None and not waiting.is_set_aside
            self._plan.clashes.append(clash(link, record)._replace(is_told=is_told))
            is_older = self._page.versions[place] < link.server_version
            if is_older or link.state != LinkState.CURRENT:
                # The server has it again, whoever wins. Of an older copy that was accepted no
                # version was agreed on.
                version = 0 if is_older else link.server_version
                still = link._replace(state=LinkState.CURRENT, server_version=version)
                self._plan.links.append(still)

    def _mark(self, link: LinkRow | None, state: LinkState) -> None:
        if link is None or link.state == state:
            return
        marked = link._replace(state=state)
        if not self._rules.is_deleted(marked):
            self._plan.kept += 1
        self._plan.links.append(marked)

    def _link(self, place: int, client_id: str, client_version: int) -> LinkRow:
        page = self._page
        return LinkRow(
            page.ids[place], client_id, page.versions[place], client_version, page.digests[place]
        )


def is_untouched(record: ClientRecord, link: LinkRow) -> bool:
    """Return whether the client record is as it was when it was last carried."""
    return record.version == link.client_version or record.digest == link.digest


def clash(link: LinkRow, record: ClientRecord | None) -> Clash:
    """Return the sentence for a client record that is not as it was."""
    what = "deleted" if record is None else "changed"
    return Clash(
        link.server_id,
        f"The record was {what} on the client since it was last carried, and on the server too. "
        "The client's was left alone.",
    )


def is_set_aside(record: ClientRecord | None, waiting: Waiting | None) -> bool:
    """Return whether the client's last change is one that will not be delivered."""
    if waiting is None or not waiting.is_set_aside:
        return False
    if record is None:
        return waiting.is_delete
    return not waiting.is_delete and record.version <= waiting.version
