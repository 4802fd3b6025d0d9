"""Looking up what the decisions need: links, and the records of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from syncjobs.engine.protocols import State
from syncjobs.engine.push.cases import Case
from syncjobs.engine.push.deciding import needs_look
from syncjobs.engine.push.ends import Ends
from syncjobs.engine.push.order import Node
from syncjobs.engine.transactions import Action


def cases_of(state: State, ends: Ends, nodes: Sequence[Node]) -> list[Case]:
    """Return what is known of the records of these transactions, which are of one entity."""
    ids = [node.transaction.client_id for node in nodes]
    links = state.links_by_client(ends.task.key, ids)
    here = [node.transaction.client_id for node in nodes if _is_on_client(node)]
    clients = ends.on_client(here) if here else {}
    cases = [
        Case(
            transaction=node.transaction,
            ends=ends,
            link=links.get(node.transaction.client_id),
            client=clients.get(node.transaction.client_id),
            late=ends.together(node.late) if node.late else frozenset(),
            followers=node.followers,
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


def _is_on_client(node: Node) -> bool:
    action = node.transaction.action
    return action is not Action.DISASSOCIATE and action is not Action.DELETE
