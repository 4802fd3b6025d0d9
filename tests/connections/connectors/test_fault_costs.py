"""Whatever goes wrong, nothing is lost and nothing is written twice."""

from __future__ import annotations

import pytest

from tests.connections.connectors.fault_costs import DELETED, IDS, RECORDS, measure
from tests.fakes.faulty import FAULTS

CALM = "no fault"
MOST: dict[str, int] = {CALM: 0, "latency": 0}
"""Requests more than without a fault; of the others every third request is struck, and a struck
one costs itself and at most one look."""


@pytest.mark.parametrize("name", [CALM, *FAULTS])
def test_it_loses_nothing_and_writes_nothing_twice(name: str) -> None:
    cost = measure(*(() if name == CALM else (name,)))
    assert cost.writes == {"create": RECORDS, "change": RECORDS, "delete": DELETED}
    assert cost.left == dict.fromkeys(IDS[DELETED:], "changed")
    assert (cost.struck > 0) == (name != CALM)
    calm = measure()
    assert cost.requests - calm.requests <= MOST.get(name, 2 * cost.struck)


def test_all_faults_together_lose_nothing_either() -> None:
    cost = measure(*FAULTS)
    assert cost.writes == {"create": RECORDS, "change": RECORDS, "delete": DELETED}
    assert cost.left == dict.fromkeys(IDS[DELETED:], "changed")
