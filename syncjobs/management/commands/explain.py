"""`manage.py explain CLIENT RECORD`: the story of one record."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.errors import ConnectorError
from organizations.errors import InvalidRequest
from organizations.query.explaining import Finding
from syncjobs.explain.document import document
from syncjobs.explain.explaining import explain
from syncjobs.explain.story import Event, SideNow, Story
from syncjobs.management.finding import find

_MARKS = {True: "+", False: "-", None: "?"}


class Command(BaseCommand):
    """Reads only."""

    help = (
        "Tell all that is known of RECORD: what both sides hold now, the sync filter's verdict "
        "condition by condition, what waits for it, and every write with its run and reason. "
        "Exit codes: 0 told, 1 failed, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument(
            "record", help="an id, 'entity id', or the address of the record on either side"
        )
        parser.add_argument("--json", action="store_true", help="print the story as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the story."""
        try:
            story = explain(find(options["client"]), options["record"])
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        except ConnectorError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(document(story)).decode())
            return
        for line in _lines(story):
            self.stdout.write(line)


def _lines(story: Story) -> Iterator[str]:
    yield f"{story.entity} {story.client_id}"
    if story.server_id != story.client_id:
        yield f"on the server: {story.server_id}"
    yield from filter(None, [story.summary, *story.notes, *story.waits])
    yield _side("server", story.server)
    yield _side("client", story.client)
    if story.link:
        yield (
            f"link: {story.link.state}; server version {story.link.server_version}, client version "
            f"{story.link.client_version}"
        )
    for field in story.fields:
        if not field.is_equal:
            yield f"  {field.name}: {field.server} on the server, {field.client} on the client"
    yield f"filter: {story.verdict or 'not known'}"
    if story.finding:
        yield from _conditions(story.finding, 1)
    for event in story.events:
        yield from _event(event)


def _side(name: str, side: SideNow) -> str:
    if side.problem:
        return f"{name}: {side.problem}"
    return f"{name}: version {side.version}" if side.is_there else f"{name}: not there"


def _conditions(finding: Finding, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{_MARKS[finding.is_true]} {finding.text}"
    for child in finding.children:
        yield from _conditions(child, depth + 1)


def _event(event: Event) -> Iterator[str]:
    run = f" [run {event.run}]" if event.run else ""
    yield f"{event.at:%Y-%m-%d %H:%M:%S} {event.what}{run}"
    for change in event.changes:
        yield f"    {change.name}: {change.old} → {change.new}"
