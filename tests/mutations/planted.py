"""Thirty bugs to plant in engine, queue and store, each as one exact text and what it becomes."""

from __future__ import annotations

from typing import NamedTuple


class Planted(NamedTuple):
    """One bug: `old` stands exactly once in `file`; `why` is what users would suffer."""

    file: str
    old: str
    new: str
    why: str


_ENGINE = "syncjobs/engine"

PLANTED = (
    Planted(
        f"{_ENGINE}/plan.py",
        "elif record is not None and (aside or is_untouched(record, link)):",
        "elif record is not None:",
        "a pull overwrites what users of the client wrote",
    ),
    Planted(
        f"{_ENGINE}/plan.py",
        "if not is_alike and self._waits(client_id, record):",
        "if False and self._waits(client_id, record):",
        "a pull overwrites an unlinked record whose change is waiting",
    ),
    Planted(
        f"{_ENGINE}/plan.py",
        "if version != link.server_version or link.state != LinkState.CURRENT:",
        "if version != link.server_version:",
        "a record that came back keeps the mark that it is to be deleted",
    ),
    Planted(
        f"{_ENGINE}/plan.py",
        "return record.version == link.client_version or record.digest == link.digest",
        "return record.version >= link.client_version",
        "every edit of the client counts as none",
    ),
    Planted(
        f"{_ENGINE}/reading.py",
        "return replace(incoming, outside=frozenset(incoming.ids) - inside)",
        "return incoming",
        "records outside the filter are carried by incremental readings",
    ),
    Planted(
        f"{_ENGINE}/translation.py",
        "found = self._translations.get((str(entity), str(row[place])))",
        "found = None",
        "records are owned by ids that the client does not know",
    ),
    Planted(
        f"{_ENGINE}/pull.py",
        "self._is_read = page.resume is None and page.checkpoint is not None",
        "self._is_read = page.resume is None",
        "an answer that broke off counts as whole",
    ),
    Planted(
        f"{_ENGINE}/writing.py",
        "                self._state.hold()\n",
        "",
        "a worker that lost its run goes on writing",
    ),
    Planted(
        f"{_ENGINE}/writing.py",
        "expected=[item.expected for item in plan.updates],",
        "expected=[item.expected + 1 for item in plan.updates],",
        "updates are based on a version the record does not have",
    ),
    Planted(
        f"{_ENGINE}/starting.py",
        "if saved.scope != scope or not saved.token or not self._is_trusted(task, saved, highest):",
        "if not saved.token or not self._is_trusted(task, saved, highest):",
        "another filter reads only what changed since",
    ),
    Planted(
        f"{_ENGINE}/deletion.py",
        "elif is_untouched(record, link) or is_set_aside(record, waiting.get(link.client_id)):",
        "elif record.version:",
        "a deletion takes along what users of the client wrote",
    ),
    Planted(
        f"{_ENGINE}/deletion.py",
        "if not self._rules.is_deleted(link._replace(state=state)):",
        "if False:",
        "what is on the server again is deleted on the client",
    ),
    Planted(
        f"{_ENGINE}/deletion.py",
        "elif free:",
        "if free:",
        "what waits for a person is deleted all the same",
    ),
    Planted(
        f"{_ENGINE}/airbag.py",
        "if total > limits.floor and total * 100 > limits.percent * (linked + recent):",
        "if total > limits.most and total * 100 > limits.percent * (linked + recent):",
        "half of a small entity is deleted without asking",
    ),
    Planted(
        f"{_ENGINE}/compare.py",
        "        self.named = 0\n        with closing(",
        "        self.named = 1\n        with closing(",
        "a server that names nothing at all is believed",
    ),
    Planted(
        f"{_ENGINE}/folding.py",
        "if not waiting or is_attempted(waiting[-1]):",
        "if not waiting:",
        "a change folds into one that the server may have already",
    ),
    Planted(
        f"{_ENGINE}/folding.py",
        "joined[name] = Changed(first[name].old if name in first else old, new)",
        "joined[name] = Changed(first[name].old if name in first else old, "
        "first[name].new if name in first else new)",
        "the first of two changes is delivered, the last is lost",
    ),
    Planted(
        f"{_ENGINE}/folding.py",
        "changed = {name: pair for name, pair in both.items() if pair.old != pair.new}",
        "changed = {name: pair for name, pair in both.items() if pair.old == pair.new}",
        "changes cancel each other out although they do not",
    ),
    Planted(
        f"{_ENGINE}/collect.py",
        "if edit.version > self._positions[self._tasks[edit.entity].key]:",
        "if edit.version > self._positions[self._tasks[edit.entity].key] + 1:",
        "the first change after a collection is never collected",
    ),
    Planted(
        f"{_ENGINE}/collect.py",
        "if queue.collected(self._keys, hold=True) != self._saved:",
        "if False:",
        "two workers at once collect a change twice",
    ),
    Planted(
        f"{_ENGINE}/push/agreeing.py",
        "return 0 < link.server_version == server.version or server.digest == link.digest",
        "return True",
        "a push overwrites what users of the server wrote",
    ),
    Planted(
        f"{_ENGINE}/push/settling.py",
        "attempts=case.tried + 1,",
        "attempts=case.tried,",
        "what may be on the server is not known to be",
    ),
    Planted(
        f"{_ENGINE}/push/settling.py",
        "            self._added.append(_losing(case.transaction, send.lost))\n",
        "            pass\n",
        "values of the server that lost are kept nowhere",
    ),
    Planted(
        f"{_ENGINE}/push/settling.py",
        "self._drops.add(link.server_id)\n\n    def _link(",
        "pass\n\n    def _link(",
        "the link of a deleted record stays, and the record comes back",
    ),
    Planted(
        f"{_ENGINE}/conflicts.py",
        "free = meeting.columns - meeting.both",
        "free = meeting.columns",
        "a merge overwrites what both sides changed",
    ),
    Planted(
        f"{_ENGINE}/conflicts.py",
        "if client.replace(microsecond=0) > server:",
        "if client.replace(microsecond=0) < server:",
        "the older change wins",
    ),
    Planted(
        "syncjobs/state.py",
        "            fence=self._run.fence,\n",
        "",
        "a worker with an old fence writes",
    ),
    Planted(
        "syncjobs/transactions.py",
        "AND (next_attempt IS NULL OR next_attempt <= %(now)s)",
        "AND (next_attempt IS NULL OR next_attempt > %(now)s)",
        "what was postponed is tried at once, and never when its time has come",
    ),
    Planted(
        "syncjobs/transactions.py",
        'found.order_by("client_id", "-version", "-first_version", "-id")',
        'found.order_by("client_id", "version", "first_version", "id")',
        "an old transaction decides whether a record may be overwritten",
    ),
    Planted(
        "organizations/store/history.py",
        "AND entity = ANY(%(names)s) AND origin IS DISTINCT FROM %(origin)s",
        "AND entity = ANY(%(names)s)",
        "our own writes are collected and go back to the server",
    ),
)
