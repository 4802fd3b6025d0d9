"""The Celery app and its clock: one entry per periodic task."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, Task, signals
from celery.schedules import crontab

from resco_sync import pulse, services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resco_sync.settings")

TICK = "syncjobs.tasks.tick"
TICK_SECONDS = 3.0
WATCH = "syncjobs.tasks.watch"
WATCH_SECONDS = 60.0
RETAIN = "syncjobs.tasks.retain"

app = Celery("resco_sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "wake what is due": {
        "task": TICK,
        "schedule": TICK_SECONDS,
        # a tick that nobody took is worth nothing when the next one comes
        "options": {"expires": TICK_SECONDS},
    },
    "look for silence": {
        "task": WATCH,
        "schedule": WATCH_SECONDS,
        "options": {"expires": WATCH_SECONDS},
    },
    "forget what is old": {
        "task": RETAIN,
        "schedule": crontab(hour="2", minute="17"),
        "options": {"expires": 12 * 3600},
    },
}


@signals.celeryd_init.connect
@signals.beat_init.connect
def use_services(**kwargs: Any) -> None:
    """Have the embedded services, where they are wanted, before a worker or beat connects."""
    services.ensure()


@signals.setup_logging.connect
def leave_logging(**kwargs: Any) -> None:
    """Keep the logging of the settings; Celery sets up its own only where nobody listens here."""


@signals.task_prerun.connect
def note_pulse(*, task: Task[Any, Any], **kwargs: Any) -> None:
    """Note that a periodic task runs."""
    if task.name in (TICK, WATCH, RETAIN):
        pulse.beat(task.name)
