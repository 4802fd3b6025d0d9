"""From what is due to an order: who waits for whom, and who for something that is not due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from syncjobs.engine.push.delivery import Delivery, Entities, in_chunks
from syncjobs.engine.push.ends import Ends, Record, ServerRecord
from syncjobs.engine.push.order import Node, named, wait_for_creates, wait_for_deletes
from syncjobs.engine.transactions import Action, Status, Transaction

_CHUNK = 5000
Blocked = dict[int, Transaction]
"""Id of a transaction → the one it waits for, which is not delivered now."""


def nodes_of(
    delivery: Delivery, entities: Entities, due: Sequence[Transaction]
) -> tuple[list[Node], Blocked]:
    """Return what is due with all it waits for, and what cannot be delivered now."""
    nodes = [Node(item, entities.by_key[item.entity], entities.ranks[item.entity]) for item in due]
    blocked: Blocked = {}
    for ends, group in _by_entity(nodes):
        for chunk in in_chunks(group, _CHUNK):
            _wait_for_earlier(delivery, ends, chunk, blocked)
    others = wait_for_creates(nodes)
    missing = _waiting_creates(delivery, entities, others)
    for node in nodes:
        found = (missing.get(item.record) for item in named(node))
        first = next((item for item in found if item is not None), None)
        if first is not None and first.id != node.transaction.id:
            blocked.setdefault(node.transaction.id, first)
    _order_deletes(delivery, entities, nodes, blocked)
    return nodes, blocked


def _by_entity(nodes: Sequence[Node]) -> Iterator[tuple[Ends, list[Node]]]:
    found: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        found[node.transaction.entity].append(node)
    for group in found.values():
        yield group[0].ends, group


def _wait_for_earlier(
    delivery: Delivery, ends: Ends, nodes: Sequence[Node], blocked: Blocked
) -> None:
    """Let each wait for the one before it of the same record."""
    records = list(dict.fromkeys(node.transaction.client_id for node in nodes))
    known = delivery.queue.of_records(ends.task.key, records)
    due = {node.transaction.id for node in nodes}
    for node in nodes:
        chain = known.get(node.transaction.client_id, ())
        ids = [item.id for item in chain]
        place = ids.index(node.transaction.id) if node.transaction.id in ids else len(ids)
        earlier, node.followers = chain[:place], chain[place + 1 :]
        if not earlier:
            continue
        if earlier[-1].id in due:
            node.after[earlier[-1].id] = set()
        else:
            blocked[node.transaction.id] = earlier[-1]


def _waiting_creates(
    delivery: Delivery, entities: Entities, named: Mapping[str, set[str]]
) -> dict[Record, Transaction]:
    """Return the creates, not due, of those records that are not on the server."""
    found: dict[Record, Transaction] = {}
    for name, ids in named.items():
        ends = entities.by_name.get(name)
        if ends is None or ends.is_matched:
            continue
        for chunk in in_chunks(sorted(ids), _CHUNK):
            linked = delivery.state.links_by_client(ends.task.key, chunk)
            unlinked = [item for item in chunk if item not in linked]
            for item, chain in delivery.queue.of_records(ends.task.key, unlinked).items():
                if chain and chain[0].action is Action.CREATE:
                    found[name, item] = chain[0]
    return found


def _order_deletes(
    delivery: Delivery, entities: Entities, nodes: Sequence[Node], blocked: Blocked
) -> None:
    """Let deletes wait for those of what names their records; what is not due holds them back."""
    due = {node.record: node for node in nodes if node.transaction.action is Action.DELETE}
    parents = {name for name, _ in due}
    keys = [key for key, ends in entities.by_key.items() if parents & ends.targets]
    known = delivery.queue.deletions(keys) if keys else ()
    waiting = {(entities.by_key[item.entity].name, item.client_id): item for item in known}
    if len(due.keys() | waiting.keys()) < 2:
        return
    naming = list(_naming(delivery, entities, waiting))
    wait_for_deletes(due, naming)
    for child, parent in naming:
        if child not in due and parent in due:
            blocked.setdefault(due[parent].transaction.id, waiting[child])


def _naming(
    delivery: Delivery, entities: Entities, records: Iterable[Record]
) -> Iterator[tuple[Record, Record]]:
    """Yield which of these records names which on the server, in the client's terms."""
    of_entity: dict[str, list[str]] = defaultdict(list)
    for name, client_id in records:
        of_entity[name].append(client_id)
    for name, ids in of_entity.items():
        for chunk in in_chunks(ids, _CHUNK):
            yield from _named_by(delivery, entities.by_name[name], chunk)


def _named_by(
    delivery: Delivery, ends: Ends, ids: Sequence[str]
) -> Iterator[tuple[Record, Record]]:
    links = delivery.state.links_by_client(ends.task.key, ids)
    to_client = {link.server_id: link.client_id for link in links.values()}
    for server_id, record in ends.on_server(list(to_client)).items():
        if isinstance(record, ServerRecord):
            values = dict(zip(ends.layout.columns[1:], record.row[1:], strict=True))
            for reference in ends.references(values):
                yield (ends.name, to_client[server_id]), reference.record


def waits_for(item: Transaction, ends: Ends) -> str:
    """Return the sentence for a transaction that waits for another."""
    what = f"the {item.action} of {ends.name} {item.client_id}"
    if item.status is Status.ERROR:
        return f"It waits for {what}, which was not accepted: {item.message}"
    return f"It waits for {what}, which was not delivered yet."
