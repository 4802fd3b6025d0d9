"""What a delivery came to, saved in one transaction: links, transactions, images, counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connections.errors import Retryable
from organizations.records import Action, Row
from syncjobs.engine import transactions
from syncjobs.engine.push.cases import Case, Send, Settle
from syncjobs.engine.push.delivery import Delivery
from syncjobs.engine.push.ends import Ends, ServerRecord
from syncjobs.engine.transactions import Changed, Conflict, Status, Transaction
from syncjobs.engine.values import Counts, Images, LinkRow, Problem, Side

_FOLLOWS = "Its record was made; what names records of a loop, its state and its owner follow."
_LOSING = "The server's values, which the client's replaced. Set to Pending, they are written back."


@dataclass(slots=True)
class Results:
    """Collects what became of transactions of one entity, and saves it at once."""

    delivery: Delivery
    ends: Ends
    counts: Counts = field(default_factory=Counts)
    _saved: dict[str, list[Transaction]] = field(default_factory=lambda: defaultdict(list))
    _added: list[Transaction] = field(default_factory=list)
    _links: dict[str, LinkRow] = field(default_factory=dict)
    _drops: set[str] = field(default_factory=set)
    _again: list[str] = field(default_factory=list)
    _problems: list[Problem] = field(default_factory=list)
    _images: list[Images] = field(default_factory=list)

    def attempted(self, case: Case, send: Send) -> Case:
        """Note that it is sent now, before it is: so a lost answer is recognised afterwards.

        What is left out of it becomes changes of its own, which follow.
        """
        raised = replace(
            case.transaction,
            attempts=case.tried + 1,
            conflict=_overwritten(case, send),
        )
        self._keep_lost(case)
        follow = _following(case, send)
        if follow:
            raised = replace(raised, changes=_kept(case, send))
            self._added += follow
        self.keep(raised)
        return replace(case, transaction=raised, followers=(*follow, *case.followers))

    def _keep_lost(self, case: Case) -> None:
        """Keep the server's values that an earlier attempt replaced, if it did.

        Those that are still there it did not replace; of others nobody knows who did.
        """
        row = case.server.row if isinstance(case.server, ServerRecord) else ()
        there = {name: row[place] for name, place in case.ends.place.items()} if row else {}
        lost = {
            name: changed
            for name, changed in _lost_before(case.transaction).items()
            if name not in there or there[name] != changed.new
        }
        if lost:
            self._added.append(_losing(case.transaction, lost))

    def keep(self, transaction: Transaction, why: str = "") -> None:
        """Save a transaction as it is given."""
        self._saved[why].append(transaction)

    def settle(self, case: Case, settled: Settle) -> Transaction:
        """Take a decision that needs no write, and return the transaction as it is now."""
        self._keep_lost(case)
        transaction = replace(
            case.transaction,
            status=settled.status,
            code=settled.code,
            message=settled.message,
            next_attempt=None,
            conflict=settled.conflict,
            choices={},
            changes=_told(case, settled),
        )
        self.keep(transaction, settled.why or settled.message)
        self._count(settled.status, is_conflict=settled.is_conflict)
        if settled.status is Status.ERROR:
            self._problem(transaction)
        if settled.drops:
            self._unlink(case)
        if settled.link is not None:
            self._link(case, settled.link)
        if settled.reads_again:
            self._again.append(case.server_id)
        return transaction

    def _count(self, status: Status, *, is_conflict: bool) -> None:
        self.counts.conflicts += is_conflict
        self.counts.rejected += status is Status.ERROR and not is_conflict
        self.counts.pushed += status is Status.PROCESSED

    def reject(self, case: Case, code: str, message: str) -> Transaction:
        """Take the server's refusal."""
        refused = Settle(status=Status.ERROR, code=code or "rejected", message=message)
        return self.settle(case, refused)

    def postpone(self, transaction: Transaction, error: Retryable, attempts: int) -> None:
        """Leave it Pending, to be tried again later, after so many attempts."""
        postponed = replace(
            transaction,
            next_attempt=self.delivery.later(attempts, error),
            code=error.code or type(error).__name__,
            message=str(error),
            attempts=attempts,
        )
        self.keep(postponed)

    def wait(self, transaction: Transaction, message: str) -> None:
        """Leave it Pending, and say what it waits for; nothing is saved if that stands there."""
        if transaction.message != message:
            self.keep(replace(transaction, code="waits", message=message))

    def deliver(self, case: Case, send: Send, link: LinkRow | None) -> Transaction:
        """Take a write that was carried out; `link`: what both sides agreed on by it."""
        transaction = replace(
            case.transaction,
            status=Status.PROCESSED,
            code="",
            message="",
            next_attempt=None,
            choices={},
        )
        self._count(Status.PROCESSED, is_conflict=send.is_conflict)
        if send.lost:
            self._added.append(_losing(case.transaction, send.lost))
        if send.action is Action.DELETE:
            self._unlink(case)
        elif send.asked:
            transaction = self._asked(transaction, send, link)
        elif link is not None:
            self._link(case, link)
        self.keep(transaction, send.why or (_FOLLOWS if send.late else ""))
        return transaction

    def remember(
        self, action: Action, ids: list[str], versions: list[int], before: list[Row]
    ) -> None:
        """Keep what the server had, so that it can be taken back."""
        if ids:
            self._images.append(
                Images(
                    side=Side.SERVER,
                    action=action,
                    ids=ids,
                    versions=versions,
                    columns=self.ends.layout.columns,
                    before=before,
                )
            )

    def save(self) -> None:
        """Save all of it in one transaction, while the run is ours."""
        if not (self._saved or self._added or self._links or self._drops):
            return
        delivery, key = self.delivery, self.ends.task.key
        with delivery.state.page():
            delivery.state.hold()
            if self._drops:
                delivery.state.drop_links(key, sorted(self._drops))
            if self._links:
                delivery.state.save_links(key, list(self._links.values()))
            for images in self._images:
                delivery.state.remember(key, images)
            if self._again:
                delivery.state.leave_behind(key, self._again)
            for why, saved in self._saved.items():
                delivery.queue.save(saved, why)
            if self._added:
                delivery.queue.add(self._added)
            self._report()

    def _report(self) -> None:
        reporter = self.delivery.reporter
        for problem in self._problems:
            reporter.problem(problem)
        if self.counts != Counts():
            reporter.progress(self.ends.name, self.counts)

    def _asked(self, transaction: Transaction, send: Send, link: LinkRow | None) -> Transaction:
        """Return what is left of a transaction of which a part went: it waits for a person.

        Its link stays as it was, so that both sides count as changed until then.
        """
        conflict, told = send.conflict, transaction.changes or {}
        if conflict is not None and link is not None:
            conflict = replace(conflict, server_version=link.server_version)
        asked = replace(
            transaction,
            status=Status.ERROR,
            code="Conflict",
            message=send.why,
            conflict=conflict,
            changes={name: changed for name, changed in told.items() if name in send.asked},
        )
        self._problem(asked)
        return asked

    def _problem(self, transaction: Transaction) -> None:
        self._problems.append(
            Problem(
                entity=self.ends.name,
                record=transaction.client_id,
                code=transaction.code,
                message=transaction.message,
            )
        )

    def _unlink(self, case: Case) -> None:
        """Forget the link of a record that was deleted, unless the client has it again since.

        Then the next pull marks it as deleted on the server, and it goes, or stays, as others do.
        """
        link = case.link
        if link is not None and link.client_version <= case.transaction.version:
            self._drops.add(link.server_id)

    def _link(self, case: Case, link: LinkRow) -> None:
        if case.link is not None and case.link.server_id != link.server_id:
            self._drops.add(case.link.server_id)
        self._links[link.server_id] = link


def _kept(case: Case, send: Send) -> dict[str, Changed]:
    """Return the changes without what follows."""
    held, changes = frozenset[str]().union(*send.late), case.transaction.changes
    if changes is None:
        sent = zip(case.ends.layout.columns[1:], send.sent[1:], strict=True)
        changes = {name: Changed(None, value) for name, value in sent if value is not None}
    return {name: changed for name, changed in changes.items() if name not in held}


def _following(case: Case, send: Send) -> list[Transaction]:
    """Return the changes that follow: one for each group of columns that were left out.

    Those of an earlier round of the same push are there already. What the client gives is the
    client's change, also where it follows values of the server.
    """
    own = (case.transaction.changes or {}).keys()
    known = {frozenset(item.changes or ()) for item in case.followers if not item.id}
    values = (_values(case, names) for names in send.late)
    return [
        replace(
            case.transaction,
            id=0,
            action=transactions.Action.UPDATE,
            changes=changes,
            attempts=0,
            next_attempt=None,
            message="",
            code="",
            conflict=None,
            choices={},
            side=case.transaction.side if own >= changes.keys() else Side.CLIENT,
        )
        for changes in values
        if frozenset(changes) not in known
    ]


def _values(case: Case, names: frozenset[str]) -> dict[str, Changed]:
    """Return what these columns are to become, from nothing."""
    changes, place = case.transaction.changes or {}, case.ends.place
    row = case.client.row if case.client is not None else ()
    news = {
        name: changes[name].new if name in changes else row[place[name]]
        for name in names
        if name in changes or row
    }
    return {name: Changed(None, value) for name, value in news.items() if value is not None}


def _losing(transaction: Transaction, lost: Mapping[str, Changed]) -> Transaction:
    """Return the server's losing values as a change that would write them back."""
    is_delete = transaction.action is transactions.Action.DELETE
    return replace(
        transaction,
        id=0,
        action=transactions.Action.CREATE if is_delete else transactions.Action.UPDATE,
        changes=lost,
        actor="",
        attempts=0,
        status=Status.ARCHIVED,
        code=transactions.LOST,
        side=Side.SERVER,
        message=_LOSING,
        next_attempt=None,
        conflict=None,
        choices={},
    )


def _overwritten(case: Case, send: Send) -> Conflict | None:
    """Return what is noted with an attempt: the server's values that it is about to replace.

    If the answer is lost, nobody else can tell them any more.
    """
    if not send.lost:
        return case.transaction.conflict if case.transaction.choices else None
    return Conflict(
        base={},
        server={name: changed.new for name, changed in send.lost.items()},
        client={name: changed.old for name, changed in send.lost.items()},
        server_version=send.expected,
    )


def _lost_before(transaction: Transaction) -> dict[str, Changed]:
    """Return the server's values that an attempt replaced of which no answer came."""
    conflict = transaction.conflict
    if conflict is None or not transaction.attempts:
        return {}
    return {
        name: Changed(conflict.client.get(name), value)
        for name, value in conflict.server.items()
        if transaction.choices.get(name) is not Side.SERVER
    }


def _told(case: Case, settled: Settle) -> Mapping[str, Changed] | None:
    """Return the changes; of one in conflict that did not tell its columns, what the client has.

    The client's record is about to be overwritten, so it could not tell them later.
    """
    conflict, changes = settled.conflict, case.transaction.changes
    if conflict is None or case.ends.is_told(changes):
        return changes
    if case.transaction.action is transactions.Action.DELETE:
        return None
    if settled.status is Status.ERROR:  # still in conflict: what it was before is not known
        return changes or {name: Changed(None, value) for name, value in conflict.client.items()}
    return {
        name: Changed(conflict.server.get(name), value) for name, value in conflict.client.items()
    }
