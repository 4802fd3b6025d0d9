"""Two hundred worlds without a violation, and worlds that repeat."""

from __future__ import annotations

import pytest

from syncjobs.chaos import table
from syncjobs.chaos.many import Tally, tally
from syncjobs.chaos.play import play
from syncjobs.chaos.program import make_program
from syncjobs.chaos.weather import Fault

WORLDS = 200


@pytest.fixture(scope="module")
def many() -> Tally:
    return tally(range(WORLDS), processes=2)


def test_no_world_violates_an_invariant(many: Tally) -> None:
    assert many.worlds == WORLDS
    shown = {outcome.seed: [str(item) for item in outcome.violations] for outcome in many.broken}
    assert shown == {}


def test_worlds_are_long_and_meet_every_fault(many: Tally) -> None:
    assert many.median_steps >= 60
    struck = set(table.faults(many.struck))
    assert struck >= {fault.value for fault in Fault if fault is not Fault.CALL}
    assert struck >= {"expired checkpoint", "restored backup"}


def test_processes_die_at_every_boundary_of_a_transaction(many: Tally) -> None:
    places = table.kills(many.struck)
    assert places.keys() >= {"page", "hold", "links", "position", "commit", "after commit"}
    assert places.keys() >= {"transactions", "collected", "images", "server", "client"}


def test_a_world_is_the_same_again() -> None:
    program = make_program(7)
    assert make_program(7) == program
    assert make_program(8) != program
    assert play(program) == play(program)
