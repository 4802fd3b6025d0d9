"""`/healthz`: whether this installation can do its work."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from resco_sync import pulse
from resco_sync.celery import TICK, TICK_SECONDS

SILENT_AFTER_SECONDS = 20 * TICK_SECONDS


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and Redis work, else 503.

    `worker` tells whether workers and clock are heard: `ok`, `silent` (none for a minute) or
    `unknown`; it does not change the status, since the pages work without them.
    """
    checks = {"database": _database(), "redis": _redis()}
    checks["worker"] = _worker() if checks["redis"] == "ok" else "unknown"
    ready = checks["database"] == checks["redis"] == "ok"
    status = "ok" if ready else "unavailable"
    return JsonResponse({"status": status, **checks}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


def _redis() -> str:
    try:
        cache.get("healthz")
    except RedisError:
        return "unavailable"
    return "ok"


def _worker() -> str:
    age = pulse.age(TICK)
    return "ok" if age is not None and age < SILENT_AFTER_SECONDS else "silent"
