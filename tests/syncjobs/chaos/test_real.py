"""Worlds over a hosted client, a Dynamics twin and the database, and what they stand on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.models import Connection
from organizations.models import Organization
from syncjobs.bench import database
from syncjobs.chaos.ledger import By, Write
from syncjobs.chaos.many import Tally
from syncjobs.chaos.oracle import Violation, judge
from syncjobs.chaos.play import Outcome, populate
from syncjobs.chaos.program import Setting
from syncjobs.chaos.real import many
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.play import LEFT_OUT, play
from syncjobs.chaos.real.play import STEPS as STEPS_OF_COMMAND
from syncjobs.chaos.real.program import make_program
from syncjobs.chaos.real.world import RealWorld, world
from syncjobs.chaos.resting import come_to_rest
from syncjobs.chaos.schema import ACCOUNT, PAIR, RELATIONSHIP, TAG
from syncjobs.chaos.weather import Fault
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import Side

pytestmark = pytest.mark.usefixtures("no_organizations_left")

WORLDS, STEPS = 8, 12


@pytest.fixture
def rested(door: Door) -> Iterator[RealWorld]:
    """A world in which everything was carried once."""
    with world(door, Setting(records=3, page_size=50, is_strict=True)) as made:
        populate(made)
        made.sync()
        yield made


def writes(rested: RealWorld, side: Side, entity: str) -> list[Write]:
    events = [event for event in rested.ledger.events if isinstance(event, Write)]
    return [event for event in events if (event.side, event.entity) == (side, entity)]


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("seed", range(WORLDS))
def test_no_world_violates_an_invariant(seed: int, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    found = many.tally(range(seed, seed + 1), STEPS)
    assert [str(item) for outcome in found.broken for item in outcome.violations] == []
    assert found.worlds == 1
    assert not Organization.objects.exists()
    assert not Connection.objects.exists()


def test_a_world_can_be_played_over_http(live_server: LiveServer, settings: Settings) -> None:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    door = Door(live_server.url.replace("localhost", "127.0.0.1"))
    assert list(play(door, make_program(1, 10)).violations) == []


def test_it_rests_with_both_sides_equal(rested: RealWorld) -> None:
    come_to_rest(rested)
    assert judge(rested) == []
    (made,) = writes(rested, Side.CLIENT, ACCOUNT)
    (given,) = writes(rested, Side.SERVER, ACCOUNT)
    assert (given.by, made.by) == (By.USER, By.ENGINE)
    assert given.after == made.after


def test_a_difference_is_seen(rested: RealWorld) -> None:
    (account,) = rested.server.tables[ACCOUNT]
    rested.server.update(ACCOUNT, account, {"city": "Wien"}, actor="user")
    assert {item.invariant for item in judge(rested)} == {"I2"}


def test_what_the_twin_deletes_with_a_record_is_its_own_doing(rested: RealWorld) -> None:
    (account,), (tag,) = rested.server.tables[ACCOUNT], rested.server.tables[TAG]
    rested.server.associate(RELATIONSHIP, account, tag)
    rested.server.delete(ACCOUNT, account)
    assert [item.by for item in writes(rested, Side.SERVER, PAIR)] == [By.USER, By.SYSTEM]
    assert writes(rested, Side.SERVER, ACCOUNT)[-1].by is By.USER


def test_a_page_that_broke_was_never_told(rested: RealWorld) -> None:
    (account,) = rested.server.tables[ACCOUNT]
    rested.server.update(ACCOUNT, account, {"name": "new"})
    rested.weather.plan(Fault.KILL, 12)
    assert rested.sync().ended.startswith("Crash")
    assert [item.by for item in writes(rested, Side.CLIENT, ACCOUNT)] == [By.ENGINE]
    come_to_rest(rested)
    assert rested.client.values(ACCOUNT, account)["name"] == "new"
    assert judge(rested) == []


def test_a_second_worker_takes_the_run_over(rested: RealWorld) -> None:
    def take_over() -> None:
        rested.sync()

    rested.weather.plan(Fault.TAKEOVER, 3, take_over)
    assert rested.sync().ended.startswith("LostLease")
    assert [run.fence for run in rested.connection.runs.all()][0] == 2
    assert not rested.connection.runs.exclude(state="succeeded").exists()


def test_a_poisoned_record_is_refused_by_either_side(rested: RealWorld) -> None:
    (account,) = rested.server.tables[ACCOUNT]
    rested.client.faults.always_rejected.add(account)
    rested.server.update(ACCOUNT, account, {"name": "new"})
    assert [report.counts.rejected for report in rested.sync().reports] == [0, 0, 1, 0, 0]
    assert account in rested.client.refused
    rested.heal()
    rested.server.faults.always_rejected.add(account)
    rested.sync()
    rested.client.update(ACCOUNT, account, {"name": "newer"})
    rested.sync()
    (failed,) = rested.memory.transactions()
    assert (failed.status, failed.message) == (Status.ERROR, "Poisoned.")
    rested.heal()
    rested.memory.change(failed)
    come_to_rest(rested)
    assert judge(rested) == []


def test_an_expired_token_is_read_in_full(rested: RealWorld) -> None:
    rested.sync()
    assert sum(report.counts.read for report in rested.sync().reports) == 0
    rested.expire_checkpoints()
    assert sum(report.counts.read for report in rested.sync().reports) == 6


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("chaos", "--real", *arguments, stdout=out)
    return out.getvalue()


def play_nothing(seeds: range, steps: int, **more: bool) -> Tally:
    violations = (Violation("I2", "planted."),) if seeds.start else ()
    outcome = Outcome(seed=seeds.start, steps=steps, violations=violations)
    found = Tally()
    found.take(outcome)
    return found


@pytest.fixture
def no_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "tally", play_nothing)


@pytest.mark.usefixtures("no_play")
def test_the_command_tells_what_is_left_out() -> None:
    told = run("--inside")
    assert "Left out: advanced sync deletion. Mobile Tracking" in told
    assert "1 worlds, median 30 steps, 0 violations." in told
    assert json.loads(run("--inside", "--json"))["left_out"] == LEFT_OUT


@pytest.mark.usefixtures("no_play")
def test_a_violation_shows_the_whole_program() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="1 worlds violate an invariant: 5."):
        call_command("chaos", "--real", "--inside", "--seed", "5", stdout=out)
    assert "seed 5: I2: planted." in out.getvalue()
    assert out.getvalue().count("\n  ") == 1 + len(make_program(5, STEPS_OF_COMMAND).steps)


def test_the_command_has_a_database_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def run_inside(arguments: list[str], command: str, *, is_durable: bool) -> int:
        given.append((command, *arguments))
        assert not is_durable
        return 1

    monkeypatch.setattr(database, "run_inside", run_inside)
    with pytest.raises(CommandError, match="not played without a violation"):
        run("--seed", "4", "--json")
    numbers = ("--seed=4", "--worlds=10", "--steps=30", "--processes=1")
    assert given == [("chaos", *numbers, "--real", "--json")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--real", "--processes", "2"), "--real plays one world at a time"),
        (("--http",), "--http is for --real only"),
    ],
)
def test_it_refuses_what_does_not_fit(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        call_command("chaos", *arguments)
    assert caught.value.returncode == 2
