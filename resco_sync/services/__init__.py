"""The embedded services of the default set-up: a PostgreSQL and a Valkey from Python packages.

One supervisor process owns both and starts, watches and stops them; every other process calls
`ensure`, which starts a supervisor where there is none, waits for an answer, and holds a shared
lock that tells the supervisor that somebody still needs the services. All locks are the
kernel's, so that a kill -9 of anything leaves nothing that the next start does not repair.
With DATABASE_URL and REDIS_URL set nothing here starts.
"""

from resco_sync.services.client import ensure, release, wait_stopped
from resco_sync.services.layout import ServicesError, find_layout, is_default_setup

__all__ = ["ServicesError", "ensure", "find_layout", "is_default_setup", "release", "wait_stopped"]
