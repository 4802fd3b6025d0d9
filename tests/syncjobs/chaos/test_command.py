"""`manage.py chaos`, for people and for machines."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from syncjobs.chaos import many
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.play import Outcome
from syncjobs.chaos.program import Program


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("chaos", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_the_table() -> None:
    told = run("--seed", "1", "--worlds", "2")
    assert "update on client" in told
    assert "\nLeast often: " in told
    assert "Killed at: " in told
    assert "2 worlds, median " in told
    assert "0 violations." in told


def test_it_prints_for_machines() -> None:
    told = json.loads(run("--worlds", "1", "--steps", "20", "--json"))
    assert told["worlds"] == 1
    assert told["violations"] == told["programs"] == []
    assert all(item["count"] > 0 for item in told["faults"])


def test_a_violation_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(program: Program) -> Outcome:
        kinds = {step.kind for step in program.steps}
        broken = (Violation("I2", "planted."),) if "sync" in kinds else ()
        return Outcome(seed=program.seed, steps=len(program.steps), violations=broken)

    monkeypatch.setattr(many, "play", play)
    out = StringIO()
    with pytest.raises(CommandError, match="1 worlds violate an invariant: 5."):
        call_command("chaos", "--seed", "5", "--worlds", "1", stdout=out)
    assert "seed 5: I2: planted." in out.getvalue()
    assert out.getvalue().count("\n  sync ") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--worlds", "0"), "--worlds must be at least 1."),
        (("--steps", "9"), "--steps must be at least 10."),
        (("--processes", "0"), "--processes must be at least 1."),
        (("--seed", "-1"), "--seed must be at least 0."),
    ],
)
def test_it_refuses_what_makes_no_worlds(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        run(*arguments)
    assert caught.value.returncode == 2


def test_it_can_end_with_the_first_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(program: Program) -> Outcome:
        return Outcome(seed=program.seed, steps=70, violations=(Violation("I2", "planted."),))

    monkeypatch.setattr(many, "play", play)
    out = StringIO()
    with pytest.raises(CommandError, match="1 worlds violate an invariant: 2."):
        call_command("chaos", "--seed", "2", "--worlds", "9", "--first", stdout=out)
    assert "1 worlds, median 70 steps" in out.getvalue()
