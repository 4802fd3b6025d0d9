"""Workers of worlds over the database: called late, twice or in any order, and killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncjobs import dispatch, recycle_bin
from syncjobs.chaos.ledger import By, Write
from syncjobs.chaos.oracle import judge
from syncjobs.chaos.play import populate
from syncjobs.chaos.program import Setting, Step
from syncjobs.chaos.real import calling, persons, undoing
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.mail import Call
from syncjobs.chaos.real.program import OWN, make_program
from syncjobs.chaos.real.workers import KILLED, LOST
from syncjobs.chaos.real.world import RealWorld, world
from syncjobs.chaos.resting import come_to_rest
from syncjobs.chaos.schema import ACCOUNT
from syncjobs.engine.values import Side
from syncjobs.models import Run

pytestmark = pytest.mark.usefixtures("no_organizations_left")


@pytest.fixture
def rested(door: Door) -> Iterator[RealWorld]:
    """A world with one account, in which everything was carried once."""
    setting = Setting(records=1, is_deleting=True, is_instant=True)
    with world(door, setting) as made:
        populate(made)
        made.sync()
        made.tell_modes()
        yield made


def started(rested: RealWorld, *, full: bool = False) -> tuple[Run, Call]:
    run = dispatch.start_sync(rested.connection, reason="test", full=full)
    return run, Call(dispatch.WAKE_TASK, str(run.pk))


def states(*runs: Run) -> list[str]:
    for run in runs:
        run.refresh_from_db()
    return [run.state for run in runs]


def test_programs_of_real_worlds_have_steps_of_their_own() -> None:
    assert make_program(3, 40) == make_program(3, 40)
    kinds = [step.kind for seed in range(20) for step in make_program(seed, 40).steps]
    assert set(kinds) >= set(OWN)
    assert 36 * 20 <= len(kinds) <= 44 * 20


def test_calls_come_twice_and_in_any_order(rested: RealWorld) -> None:
    (first, one), (second, two) = started(rested), started(rested, full=True)
    assert rested.mail.fetch() == [one, two]
    assert calling.deliver(rested, two) == ()
    assert states(first, second) == ["queued", "queued"]
    assert calling.deliver(rested, one) == ()
    assert states(first, second) == ["succeeded", "queued"]
    for call in (one, two, two, one):
        assert calling.deliver(rested, call) == ()
    assert states(first, second) == ["succeeded", "succeeded"]
    assert (first.fence, second.fence) == (1, 1)


def test_a_call_that_comes_meanwhile_does_nothing(rested: RealWorld) -> None:
    run, call = started(rested)
    step = Step("task meanwhile", which=0, how=0)
    calling.act(rested, step)
    rested.call(call)
    assert (states(run), run.fence) == (["succeeded"], 1)
    assert not rested.weather.planned
    assert rested.late == []


def test_a_worker_that_does_what_is_done_is_seen(
    rested: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, call = started(rested)
    monkeypatch.setattr(rested, "is_over", lambda call: True)
    (found,) = calling.deliver(rested, call)
    assert found.invariant == "I4"


def test_another_worker_goes_on_where_one_was_killed(rested: RealWorld) -> None:
    made = rested.client.create(ACCOUNT, {"name": "new"})
    run, call = started(rested)
    rested.workers.plan(KILLED, 60)
    assert rested.call(call).ended == f"Crash: {KILLED}"
    assert states(run) == ["running"]
    rested.call(call)
    assert (states(run), run.fence) == (["running"], 1)
    rested.end_leases()
    rested.call(call)
    assert (states(run), run.fence) == (["succeeded"], 2)
    assert rested.server.values(ACCOUNT, made)["name"] == "new"
    come_to_rest(rested)
    assert judge(rested) == []


def test_a_worker_that_loses_the_database_gives_the_run_back(rested: RealWorld) -> None:
    run, call = started(rested)
    rested.workers.plan(LOST, 60)
    rested.call(call)
    assert states(run) == ["running"]
    rested.call(call)
    assert (states(run), run.fence) == (["succeeded"], 2)


def test_a_change_is_delivered_by_the_call_that_it_made(rested: RealWorld) -> None:
    made = rested.client.create(ACCOUNT, {"name": "new"}, actor="user")
    (call,) = rested.mail.fetch()
    rested.call(call)
    assert rested.server.values(ACCOUNT, made)["name"] == "new"


def test_what_was_restored_stands_apart(rested: RealWorld) -> None:
    (account,) = rested.server.tables[ACCOUNT]
    rested.server.delete(ACCOUNT, account)
    rested.sync()
    assert account not in rested.client.tables[ACCOUNT]
    persons.act(rested, Step("recycle"))
    assert account in rested.client.tables[ACCOUNT]
    come_to_rest(rested)
    assert judge(rested) == []
    assert account in rested.client.tables[ACCOUNT]
    persons.act(rested, Step("choose restored", how=0))
    assert not recycle_bin.undecided(rested.connection).exists()
    come_to_rest(rested)
    assert rested.memory.decide(rested.key(ACCOUNT), approve=True)
    come_to_rest(rested)
    assert account not in rested.client.tables[ACCOUNT]
    assert judge(rested) == []


def test_a_plan_is_applied_and_nothing_else(
    rested: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested.client.create(ACCOUNT, {"name": "new"})
    assert persons.act(rested, Step("apply plan", how=1)) == []
    assert len(rested.server.tables[ACCOUNT]) == 2
    rested.client.create(ACCOUNT, {"name": "newer"})
    monkeypatch.setattr(persons, "_records", lambda dry: iter(()))
    (found,) = persons.act(rested, Step("apply plan", how=1))
    assert found.invariant == "I8"


def test_a_backup_is_restored(rested: RealWorld) -> None:
    (account,) = rested.server.tables[ACCOUNT]
    rested.make_backup()
    made = rested.server.create(ACCOUNT, {"name": "new"})
    rested.server.update(ACCOUNT, account, {"name": "other"})
    rested.sync()
    version = rested.server.version
    assert rested.restore_backup()
    rested.has_gone_back = True
    assert list(rested.server.tables[ACCOUNT]) == [account]
    undone = rested.ledger.events[-2:]
    assert [isinstance(event, Write) and (event.side, event.by) for event in undone] == [
        (Side.SERVER, By.SYSTEM)
    ] * 2
    assert rested.sync().ended.startswith("ServerChanged")
    rested.server.update(ACCOUNT, account, {"city": "Wien"})
    assert rested.server.version > version
    come_to_rest(rested)
    assert judge(rested) == []
    assert made not in rested.client.tables[ACCOUNT]
    assert not rested.restore_backup()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_is_taken_back(rested: RealWorld, seed: int) -> None:
    assert undoing.take_back(rested, seed) == []
    kinds = list(rested.connection.runs.order_by("created").values_list("kind", "state"))
    assert [kind for kind, _ in kinds[-2:]] == [Run.Kind.UNDO] * 2
    assert {state for _, state in kinds[-2:]} <= {"succeeded", "partly"}


def test_a_run_that_was_not_taken_back_is_seen() -> None:
    key = (Side.SERVER, ACCOUNT, "1")
    (found,) = undoing.differences({key}, {key: {"name": "a"}}, {key: {"name": "b"}})
    assert found.invariant == "I2"
    assert undoing.differences({key}, {key: {"name": "a"}}, {key: {"name": "a", "new": 1}}) == []
    assert undoing.differences({key}, {key: {"name": "a"}}, {}) != []
