"""The environment of a test run, set before the settings are read.

Tests use the servers of DATABASE_URL and REDIS_URL where these are set. Where one is missing,
embedded services are started in a folder of this run and stopped at its end.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from resco_sync import services

_made: list[Path] = []
_DATABASE = re.compile(r"(\b(?:db|virtual_host)=)\d+")


def prepare() -> None:
    """Give the variables that tests need, without touching those that are set."""
    os.environ.setdefault("SECRET_KEY", "only for tests, and long enough for them")
    os.environ.setdefault("RESCO_SYNC_SECRET_KEYS", "only-for-tests-key-one")
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        _keep_apart()
        return
    var = Path(tempfile.mkdtemp(prefix="resco-sync-tests-", dir="/tmp"))
    _made.append(var)
    os.environ["RESCO_SYNC_VAR"] = str(var)
    services.ensure()
    place = services.find_layout()
    # From here on, programs that tests start see servers like any other.
    os.environ.setdefault("DATABASE_URL", place.database_url)
    os.environ.setdefault("REDIS_URL", place.redis_url)


def _keep_apart() -> None:
    """Give each process of a parallel run a part of its own of the Redis server they share."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker:
        own = rf"\g<1>{int(worker) + 1}"
        os.environ["REDIS_URL"] = _DATABASE.sub(own, os.environ["REDIS_URL"])


def clean_up() -> None:
    """Stop what `prepare` started."""
    services.release()
    for var in _made:
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        services.wait_stopped()
        shutil.rmtree(var, ignore_errors=True)
    _made.clear()
