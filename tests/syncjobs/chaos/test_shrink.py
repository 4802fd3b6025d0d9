"""A failing program becomes short, and says what it was."""

from __future__ import annotations

from syncjobs.chaos.many import Broken
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.program import Program, Step, make_program
from syncjobs.chaos.shrink import shrink
from syncjobs.chaos.table import story


def make_failing(*needed: int) -> Program:
    """A program of which only these steps matter."""
    steps = [Step("sync", number) for number in range(70)]
    return make_program(3)._replace(steps=steps)


def test_it_keeps_only_what_is_needed() -> None:
    needed = {5, 33, 69}

    def fails(program: Program) -> str:
        return "I1" if needed <= {step.which for step in program.steps} else ""

    small = shrink(make_failing(), fails)
    assert [step.which for step in small.steps] == [5, 33, 69]


def test_it_does_not_go_on_with_another_invariant() -> None:
    def fails(program: Program) -> str:
        steps = {step.which for step in program.steps}
        return "I1" if {1, 2} <= steps else "I2" if 1 in steps else ""

    small = shrink(make_failing(), fails)
    assert [step.which for step in small.steps] == [1, 2]


def test_it_tells_the_seed_the_steps_and_what_was_violated() -> None:
    program = make_program(3)._replace(steps=[Step("edit meanwhile", 1, 2, 3, "owner")])
    told = list(story(Broken(3, Violation("I2", "something differs."), program)))
    assert told[0] == "seed 3: I2: something differs."
    assert "rule=" in told[1]
    assert told[2:] == ["  edit meanwhile [owner] 1 2 3"]
