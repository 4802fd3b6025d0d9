"""Delivering what waits: in order, many of a kind at once, one bad record at its own cost.

1. What is due is put in order (`order`); what waits for something that is not, is told so.
2. Of those that wait for nobody, as many of one entity and kind as fit are looked up on both
   sides and decided (`deciding`).
3. What is to be sent is noted as attempted, and committed; then it is sent; then what came of it
   is saved. Whoever dies between, or loses the answer, finds out the next time by looking.
4. A record that was not as expected is looked at and decided again.
5. What was left out to cut a cycle has become changes of its own, which are delivered likewise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.errors import (
    MetadataChanged,
    Rejected,
    Retryable,
    UnknownEntity,
)
from organizations.errors import OrganizationError
from organizations.records import Action
from syncjobs.engine import transactions
from syncjobs.engine.push.agreeing import agreed, still_unseen
from syncjobs.engine.push.cases import Case, Send, Settle
from syncjobs.engine.push.deciding import decide
from syncjobs.engine.push.delivery import Delivery, Entities
from syncjobs.engine.push.ends import Ends, ServerRecord
from syncjobs.engine.push.looking import cases_of, looked_at
from syncjobs.engine.push.order import Node, Order
from syncjobs.engine.push.settling import Results
from syncjobs.engine.push.waiting import nodes_of, waits_for
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import Counts, EntityTask, LinkRow, Problem

_ROUNDS = 4
"""How often a record that keeps changing on the server is tried within one push."""
_RESTLESS = "The record changed on the server again and again while it was written."
_ENTITY_ERRORS = (MetadataChanged, UnknownEntity, OrganizationError)
"""What ends the delivery of one entity and lets the others go on."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to, by entity's name: counts, and why what is left was not delivered."""

    counts: Mapping[str, Counts] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def push(delivery: Delivery, tasks: Sequence[EntityTask]) -> Pushed:
    """Deliver all that is due of these entities.

    A fault that passes (Retryable) stops it: what was under way stays Pending with the time of
    its next attempt, and the reporter is told. Raises Refused, Cancelled, LostLease.
    """
    return _Push(delivery, Entities.of(delivery, tasks)).run()


@dataclass(slots=True)
class _Push:
    """One push.

    `_open` are the cases under way, as they were saved last. `_told` are those that were told what
    they wait for.
    """

    delivery: Delivery
    entities: Entities
    counts: dict[str, Counts] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _tried: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)
    _broken: set[int] = field(default_factory=set)
    _order: Order = field(default_factory=lambda: Order(()))
    _open: dict[int, Case] = field(default_factory=dict)
    _waits: dict[int, Results] = field(default_factory=dict)
    _is_stopped: bool = False

    def run(self) -> Pushed:
        while not self._is_stopped and (due := self._due()):
            self._tried.update(item.id for item in due)
            self._deliver_all(due)
        return Pushed(self.counts, self._failed)

    def _due(self) -> list[Transaction]:
        keys = [key for key in self.entities.by_key if key not in self._broken]
        due = self.delivery.queue.due(keys, self.delivery.options.clock())
        return [item for item in due if item.id not in self._tried]

    def _deliver_all(self, due: Sequence[Transaction]) -> None:
        nodes, blocked = nodes_of(self.delivery, self.entities, due)
        self._order = Order(nodes)
        by_id = {node.transaction.id: node for node in nodes}
        for item, before in blocked.items():
            self._order.drop(item)
            self._wait(by_id[item], before)
            self._stop(by_id[item].transaction)
        self._save_waits()
        while not self._is_stopped:
            taken = self._order.take(self.delivery.options.push_size)
            if not taken:
                return
            self.delivery.reporter.checkpoint()
            self._deliver(taken)
            self._save_waits()

    def _deliver(self, nodes: Sequence[Node]) -> None:
        ends = nodes[0].ends
        self._open = {node.transaction.id: _case(node) for node in nodes}
        try:
            self._in_rounds(ends, cases_of(self.delivery, ends, nodes))
        except Retryable as error:
            self._is_stopped = True
            self._problem(ends, error)
            self._postpone(ends, error, is_tried=True)
        except _ENTITY_ERRORS as error:
            self._broken.add(ends.task.key)
            self._problem(ends, error)
            self._hold_back(ends, str(error))

    def _in_rounds(self, ends: Ends, cases: Sequence[Case]) -> None:
        for number in range(_ROUNDS):
            moved = self._round(ends, cases, is_first=number == 0)
            if not moved:
                return
            cases = looked_at(ends, moved)
        self._postpone(ends, Retryable(_RESTLESS, code="restless"), is_tried=False)

    def _round(self, ends: Ends, cases: Sequence[Case], *, is_first: bool) -> list[Case]:
        """Decide and send; return the cases whose record was not as expected."""
        results = Results(self.delivery, ends)
        sends: dict[Action, list[tuple[Case, Send]]] = {}
        for case in cases:
            decision = _decided(case)
            if isinstance(decision, Send):
                is_noted = is_first or decision.late or decision.lost
                sent = results.attempted(case, decision) if is_noted else case
                sends.setdefault(decision.action, []).append((sent, decision))
            else:
                self._settled(results.settle(case, decision))
        self._save(results)
        self._open |= {case.transaction.id: case for rows in sends.values() for case, _ in rows}
        again: list[Case] = []
        for action in Action:
            if action in sends:
                again += self._send(ends, action, sends[action])
        return again

    def _send(self, ends: Ends, action: Action, sends: Sequence[tuple[Case, Send]]) -> list[Case]:
        result = self.delivery.server.write(ends.task.server, _batch(ends, action, sends))
        results, again = Results(self.delivery, ends), []
        links = self._agreed(ends, sends, result)
        done: list[int] = []
        for at, (case, send) in enumerate(sends):
            failure = result.failed.get(at)
            if failure is None:
                done.append(at)
                self._settled(results.deliver(case, send, links.get(at)))
            elif _is_moved(failure):
                again.append(case)
            else:
                self._settled(results.reject(case, failure.code, failure.message))
        results.remember(
            action,
            [result.ids[at] for at in done],
            [result.versions[at] for at in done],
            [sends[at][1].before for at in done if sends[at][1].before],
        )
        self._save(results)
        return again

    def _agreed(
        self, ends: Ends, sends: Sequence[tuple[Case, Send]], result: BatchResult
    ) -> dict[int, LinkRow]:
        """Return the links of what was written, by place in the batch."""
        places = [
            at
            for at, (_, send) in enumerate(sends)
            if at not in result.failed and send.action is not Action.DELETE
        ]
        moved = {
            at: result.ids[at]
            for at in places
            if not _is_still(sends[at][0]) and not sends[at][1].late
        }
        there = ends.on_server(list(moved.values()))
        found = {}
        for at in places:
            case, send = sends[at]
            read = there.get(moved.get(at, ""))
            digest = _digest(ends, send)
            if isinstance(read, ServerRecord) and read.version == result.versions[at]:
                digest = read.digest
            link = agreed(case, result.versions[at], digest, is_whole=not send.late)
            if send.is_conflict and send.action is Action.UPDATE and not send.asked:
                link = still_unseen(case, link, send.sent)
            found[at] = link._replace(server_id=result.ids[at])
        return found

    def _settled(self, transaction: Transaction) -> None:
        del self._open[transaction.id]
        if transaction.status is Status.ERROR:
            self._stop(transaction)
        else:
            self._order.done(transaction.id)

    def _stop(self, transaction: Transaction) -> None:
        """Tell all that waits for this one, which is not delivered now."""
        for follower in self._order.stop(transaction.id):
            self._wait(follower, transaction)

    def _wait(self, node: Node, before: Transaction) -> None:
        if node.transaction.id in self._told:
            return
        self._told.add(node.transaction.id)
        sentence = waits_for(before, self.entities.by_key[before.entity])
        self._waits_of(node.ends).wait(node.transaction, sentence)

    def _waits_of(self, ends: Ends) -> Results:
        return self._waits.setdefault(ends.task.key, Results(self.delivery, ends))

    def _save_waits(self) -> None:
        waits, self._waits = self._waits, {}
        for results in waits.values():
            results.save()

    def _postpone(self, ends: Ends, error: Retryable, *, is_tried: bool) -> None:
        """Leave what is under way Pending, to be tried again later."""
        results = Results(self.delivery, ends)
        for case in self._open.values():
            attempts = max(case.transaction.attempts, case.tried + is_tried)
            results.postpone(case.transaction, error, attempts)
            self._stop(case.transaction)
        results.save()

    def _hold_back(self, ends: Ends, reason: str) -> None:
        """Leave what is under way Pending; the entity cannot be delivered now."""
        for case in self._open.values():
            self._waits_of(ends).wait(case.transaction, reason)
            self._stop(case.transaction)

    def _problem(self, ends: Ends, error: Exception) -> None:
        self._failed[ends.name] = str(error)
        code = getattr(error, "code", "") or type(error).__name__
        self.delivery.reporter.problem(
            Problem(entity=ends.name, record="", code=code, message=str(error))
        )

    def _save(self, results: Results) -> None:
        results.save()
        self.counts.setdefault(results.ends.name, Counts()).add(results.counts)


def _decided(case: Case) -> Send | Settle:
    try:
        return decide(case)
    except Rejected as error:
        return Settle(status=Status.ERROR, code=error.code, message=str(error))


def _batch(ends: Ends, action: Action, sends: Sequence[tuple[Case, Send]]) -> Batch:
    columns = ends.layout.columns
    is_update = action is Action.UPDATE
    return Batch(
        action=action,
        columns=columns[:1] if action is Action.DELETE else columns,
        rows=[send.row for _, send in sends],
        expected=[send.expected for _, send in sends],
        changed=[send.changed for _, send in sends] if is_update else (),
    )


def _is_moved(failure: Failure) -> bool:
    return failure.kind is FailureKind.CONFLICT


def _is_still(case: Case) -> bool:
    """Return whether the client's record is what is delivered, as far as it is known."""
    if case.is_followed:
        return False
    client = case.client
    is_pair = case.transaction.action is transactions.Action.ASSOCIATE
    return is_pair or (client is not None and client.version == case.transaction.version)


def _digest(ends: Ends, send: Send) -> str:
    return ends.layout.digests([send.sent])[0]


def _case(node: Node) -> Case:
    return Case(transaction=node.transaction, ends=node.ends, tried=node.transaction.attempts)
