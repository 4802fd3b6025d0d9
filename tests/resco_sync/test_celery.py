"""The Celery app: one entry per periodic task, JSON only, quick to find lost tasks."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from kombu.exceptions import EncodeError

from resco_sync import pulse
from resco_sync.celery import RETAIN, TICK, WATCH, app
from syncjobs.dispatch import WAKE_TASK


def test_it_knows_every_task_that_is_called_by_name() -> None:
    app.loader.import_default_modules()
    scheduled = [entry["task"] for entry in app.conf.beat_schedule.values()]
    assert sorted(scheduled) == sorted({TICK, WATCH, RETAIN})
    assert {*scheduled, WAKE_TASK} <= set(app.tasks)


def test_it_gives_periodic_tasks_a_queue_of_their_own() -> None:
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in (TICK, WATCH, RETAIN)}
    assert set(queues.values()) == {"clock"}
    assert app.amqp.router.route({}, WAKE_TASK)["queue"].name == "runs"
    assert set(app.amqp.queues) == {"clock", "deliveries", "runs"}


def test_no_queue_gets_copies_of_what_is_sent_to_another() -> None:
    keys = {queue.routing_key for queue in settings.CELERY_TASK_QUEUES}
    assert keys == {"clock", "deliveries", "runs"}


def test_it_sends_json_only() -> None:
    assert list(app.conf.accept_content) == ["json"]
    with pytest.raises(EncodeError):
        app.send_task(WAKE_TASK, (object(),))


def test_it_keeps_a_task_until_it_is_done() -> None:
    assert app.conf.task_acks_late is True
    assert app.conf.worker_prefetch_multiplier == 1


def test_it_notes_when_a_periodic_task_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pulse.age(TICK) is None
    done: list[Any] = []
    monkeypatch.setattr("syncjobs.periodic.tick", lambda: done.append(1))
    app.tasks[TICK].apply()
    assert done == [1]
    age = pulse.age(TICK)
    assert age is not None
    assert 0 <= age < 60
