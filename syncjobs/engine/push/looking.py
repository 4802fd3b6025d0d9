"""Looking up what the decisions need: links, and the records of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connections.errors import CheckpointExpired
from syncjobs.engine.plan import ClientRecord, is_set_aside
from syncjobs.engine.push.cases import Case
from syncjobs.engine.push.deciding import needs_look
from syncjobs.engine.push.delivery import Delivery
from syncjobs.engine.push.ends import Ends
from syncjobs.engine.push.order import Node
from syncjobs.engine.transactions import Action


def cases_of(delivery: Delivery, ends: Ends, nodes: Sequence[Node]) -> list[Case]:
    """Return what is known of the records of these transactions, which are of one entity."""
    ids = [node.transaction.client_id for node in nodes]
    links = delivery.state.links_by_client(ends.task.key, ids)
    here = [node.transaction.client_id for node in nodes if _is_on_client(node)]
    clients = ends.on_client(here) if here else {}
    missing = [node for node in nodes if node.transaction.client_id not in clients]
    newer = _newer(nodes, clients)
    gone, aside = _gone(delivery, ends, missing), _aside(delivery, ends, newer)
    touched = _touched(delivery, ends, newer) - links.keys() - aside
    cases = [
        Case(
            transaction=node.transaction,
            ends=ends,
            link=links.get(node.transaction.client_id),
            client=clients.get(node.transaction.client_id),
            late=ends.together(node.late) if node.late else frozenset(),
            followers=node.followers,
            is_gone=node.transaction.client_id in gone,
            is_aside=node.transaction.client_id in aside,
            is_touched=node.transaction.client_id in touched and not node.followers,
            tried=node.transaction.attempts,
        )
        for node in nodes
    ]
    to_look = [case for case in cases if needs_look(case)]
    looked = {case.transaction.id: case for case in looked_at(ends, to_look)}
    return [looked.get(case.transaction.id, case) for case in cases]


def looked_at(ends: Ends, cases: Iterable[Case]) -> list[Case]:
    """Return the cases with what the server has of their records now."""
    asked = list(cases)
    found = ends.on_server([case.server_id for case in asked])
    return [replace(case, server=found.get(case.server_id), is_looked=True) for case in asked]


def _gone(delivery: Delivery, ends: Ends, nodes: Sequence[Node]) -> set[str]:
    """Return those whose record the client is known to have deleted.

    A person may want one delivered all the same. A deletion that is still to be collected is not
    known: it will follow.
    """
    kinds = (Action.CREATE, Action.UPDATE, Action.ASSOCIATE)
    made = [node for node in nodes if node.transaction.action in kinds and not node.followers]
    ids = {node.transaction.client_id for node in made}
    collected = delivery.queue.collected([ends.task.key]) if ids else {}
    if not collected:
        return set()
    try:
        later = delivery.client.edits([ends.name], collected[ends.task.key])
    except CheckpointExpired:
        return set()  # collecting has told of it
    return ids - {edit.id for edit in later.items} if later.is_last else set()


def _newer(nodes: Sequence[Node], clients: Mapping[str, ClientRecord]) -> dict[str, ClientRecord]:
    """Return the client's records that were written after what is delivered of them."""
    found = {node.transaction.client_id: node.transaction.version for node in nodes}
    return {
        item: clients[item]
        for item, version in found.items()
        if item in clients and clients[item].version > version
    }


def _aside(delivery: Delivery, ends: Ends, newer: Mapping[str, ClientRecord]) -> set[str]:
    """Return those whose record has a newer change that was set aside."""
    waiting = delivery.state.waiting(ends.task.key, list(newer)) if newer else {}
    return {item for item, record in newer.items() if is_set_aside(record, waiting.get(item))}


def _touched(delivery: Delivery, ends: Ends, newer: Mapping[str, ClientRecord]) -> set[str]:
    """Return those of which the newer write is collected, so that it was no change to deliver."""
    collected = delivery.queue.collected([ends.task.key]).get(ends.task.key, 0) if newer else 0
    return {item for item, record in newer.items() if record.version <= collected}


def _is_on_client(node: Node) -> bool:
    action = node.transaction.action
    return action is not Action.DISASSOCIATE and action is not Action.DELETE
