"""`manage.py bench WHAT`: measure speed on this machine, in a database of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.models import Connection
from organizations.query.nodes import Query
from organizations.store import Store
from syncjobs.bench import (
    compare,
    database,
    instant,
    limits,
    metadata,
    proof,
    pull,
    push,
    reading,
    recording,
    serve,
    world,
    writer,
)

WHAT = (
    "pull",
    "push",
    "compare",
    "serve",
    "read",
    "instant",
    "limits",
    "metadata",
    "verify",
    "memory",
    "peak",
    "user",
)


class Command(BaseCommand):
    """Speed, beside what the same work costs at least; never part of the tests."""

    help = (
        "Measure speed. pull: server to client, beside a fixed SQL script and plain download. "
        "push: client to server, beside requests one by one. "
        "serve: the twin's pages, beside plain download, then read. read: an organization's OData "
        "and REST, by 1, 8 and 64 readers while a sync runs. instant: a client's write until the "
        "server has it, --rounds times. limits: a first load under limits that "
        "bind. compare: ids of four entities with Sync Deletion, beside reading them alone. "
        "verify: one field in so many records, in full, quickly and by buckets. "
        "metadata: Update Server from an organization of many entities, twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is measured and how much of it."""
        parser.add_argument("what", choices=WHAT)
        parser.add_argument("--records", type=int, default=200_000)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--poison", action="store_true", help="for push: 1 %% are refused")
        parser.add_argument("--entities", type=int, default=1500, help="for metadata")
        parser.add_argument(
            "--memory-records",
            type=int,
            nargs=2,
            default=(50_000, 500_000),
            metavar=("SMALL", "LARGE"),
            help="loads whose peaks of memory are compared; 0 0 leaves it out",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--client", help="for user and peak: the connection")
        parser.add_argument("--folder", type=Path, help="for peak: where the pages are")
        parser.add_argument("--port", type=int, help="for peak: where they were recorded")
        parser.add_argument(database.INSIDE, action="store_true", help="the database is ours")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure inside a database of its own."""
        if options["what"] == "user":
            self._write_as_user(options["client"])
        elif options["what"] == "peak":
            connection = Connection.objects.get(name=options["client"])
            found = pull.memory(connection, options["folder"], options["port"])
            self.stdout.write(orjson.dumps(found).decode())
        elif options["inside"]:
            self._measure(options)
        else:
            self._outside(options)

    def _outside(self, options: dict[str, Any]) -> None:
        small, large = options["memory_records"]
        named = ("records", "rounds", "entities")
        plain = [text for name in named for text in (f"--{name}", str(options[name]))]
        plain += ["--poison"] if options["poison"] else []
        asked = [*plain, "--json"] if options["json"] else plain
        jobs = [[options["what"], *asked]]
        if options["what"] == "pull" and large:
            json = ["--json"] if options["json"] else []
            jobs += [["memory", "--records", str(n), *json] for n in (small, large)]
        if options["what"] == "serve":
            jobs += [["read", *asked]]
        for job in jobs:
            if database.run_inside(job):
                raise CommandError(f"bench {' '.join(job)} failed; the reason is above.")

    def _measure(self, options: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix="resco-bench-") as folder:
            found = self._found(Path(folder), options)
        if options["json"]:
            self.stdout.write(orjson.dumps(found).decode())
        else:
            self._print(found)

    def _found(self, folder: Path, options: dict[str, Any]) -> dict[str, Any]:
        records, rounds = options["records"], options["rounds"]
        if options["what"] == "serve":
            return serve.compare(folder, records=records, rounds=rounds, say=self._say)
        if options["what"] == "read":
            return reading.measure(records, self._say)
        if options["what"] == "push":
            measure = push.poison if options["poison"] else push.compare
            return measure(records, self._say)
        if options["what"] == "instant":
            return instant.compare(min(records, 1000), rounds, self._say)
        if options["what"] == "limits":
            return limits.compare(records, self._say)
        if options["what"] == "compare":
            return compare.measure(records, self._say)
        if options["what"] == "verify":
            return proof.measure(records, self._say)
        if options["what"] == "metadata":
            return metadata.measure(options["entities"])
        port = recording.free_port()
        self._say(f"Recording the pages of {records:,} records once…")
        connection = recording.record(folder, port, records)
        if options["what"] == "memory":
            return {"records": records} | self._peak(connection, folder, port)
        found = pull.compare(
            connection, folder, port, records=records, rounds=rounds, say=self._say
        )
        found |= {"runs": pull.quiet_runs(connection, folder, port)}
        return found | {"user": pull.user_writes(connection, folder, port)}

    def _peak(self, connection: Connection, folder: Path, port: int) -> dict[str, Any]:
        """Measure in a process that holds nothing of the recording."""
        command = [sys.executable, sys.argv[0], "bench", "peak", "--client", connection.name]
        where = ["--folder", str(folder), "--port", str(port)]
        done = subprocess.run([*command, *where], stdout=subprocess.PIPE, check=True)  # noqa: S603
        found: dict[str, Any] = orjson.loads(done.stdout)
        return found

    def _say(self, line: str) -> None:
        self.stderr.write(line)

    def _print(self, found: dict[str, Any], indent: str = "") -> None:
        for name, value in found.items():
            if isinstance(value, dict):
                self.stdout.write(f"{indent}{name}:")
                self._print(value, indent + "  ")
            else:
                self.stdout.write(f"{indent}{name}: {value}")

    def _write_as_user(self, client: str) -> None:
        """Create a record and change it until told to stop; print the seconds of each write."""
        organization = Connection.objects.get(name=client).client.organization
        if organization is None:
            raise CommandError(f"The client '{client}' is not hosted here.")
        store, going = Store(organization), [True]
        signal.signal(signal.SIGTERM, lambda *_: going.clear())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        # What a user wrote before the load would be delivered first, and no tape takes that.
        while going and not store.count(Query(entity=world.ENTITY)):
            time.sleep(writer.PAUSE)
        mine = store.create(world.ENTITY, {"name": "A user's"}).id
        while going:
            begun = time.perf_counter()
            store.update(world.ENTITY, mine, {"name": f"A user's at {begun}"})
            sys.stdout.write(f"{time.perf_counter() - begun}\n")
            time.sleep(writer.PAUSE)
        sys.stdout.flush()
