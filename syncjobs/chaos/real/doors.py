"""How a world reaches its twin: over HTTP, or inside this process by the same addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import requests
from django.conf import settings

from connections import egress
from connections.connectors.dynamics.connector import DynamicsConnector
from syncjobs.bench.twin import served_apart
from syncjobs.chaos.real.inside import Inside, InsideSession
from syncjobs.chaos.real.mail import undelivered

_HOST, _HASHERS = "http://127.0.0.1", "PASSWORD_HASHERS"


@dataclass(frozen=True, slots=True)
class Door:
    """The address of this installation; `adapter` answers its requests where nobody serves."""

    base: str
    adapter: Inside | None = None

    def session(self) -> egress.Session:
        """Return a session for a connector."""
        return egress.session() if self.adapter is None else InsideSession(self.adapter)

    def requests(self) -> requests.Session:
        """Return a session for a user."""
        made = requests.Session()
        if self.adapter is not None:
            made.mount(_HOST, self.adapter.shared())
        return made


class InsideConnector(DynamicsConnector):
    """The Dynamics connector of the registry while worlds are played inside."""

    door: ClassVar[Door]

    def __init__(self, url: str, user_name: str, secret: str, **more: Any) -> None:
        """Take what the registry gives."""
        super().__init__(url, user_name, secret, session=self.door.session(), **more)


@contextmanager
def inside() -> Iterator[Door]:
    """Let this process answer itself. Changes settings: for a process or a test of its own."""
    path = f"{__name__}.{InsideConnector.__name__}"
    known = {name: getattr(settings, name, None) for name in ("RESCO_SYNC_CONNECTORS", _HASHERS)}
    with undelivered(), closing(Inside()) as adapter:
        InsideConnector.door = Door(_HOST, adapter)
        settings.RESCO_SYNC_CONNECTORS = {"dynamics": path}
        # Every world makes a secret, and a real hash of it takes as long as a run.
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        try:
            yield InsideConnector.door
        finally:
            for name, value in known.items():
                setattr(settings, name, value)


@contextmanager
def served() -> Iterator[Door]:
    """Serve this installation from processes of its own."""
    with undelivered(), served_apart() as base:
        yield Door(base)
