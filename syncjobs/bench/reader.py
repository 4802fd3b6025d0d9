"""Readers of one hosted organization, in a process of their own: pages to the end, and again.

`python -m syncjobs.bench.reader`, with a `Task` as JSON on stdin; prints a `Reading` as JSON.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import requests

_WAIT = 120
_LINK = re.compile(rb'"@odata\.nextLink":"([^"]+)"')
_MORE = b"<MoreRecords>True</MoreRecords>"
_FETCH = (
    '<fetch version="1.0" count="{page}" page="{number}">'
    '<entity name="{entity}"><all-attributes/></entity></fetch>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Whom to read, how, by how many readers, and for how many seconds."""

    host: str
    organization: str
    entity: str
    user: str
    password: str
    protocol: str
    readers: int
    seconds: float
    page: int = 1000


@dataclass(slots=True)
class Reading:
    """What all readers read: seconds of each page, and answers that were none."""

    pages: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def odata(session: requests.Session, task: Task) -> Iterator[requests.Response]:
    """Yield the answers to reading a set by OData, one page after the other."""
    link = f"{task.host}/odata/v4/{task.organization}/{task.entity}"
    while link:
        answer = session.get(link, timeout=_WAIT)
        yield answer
        found = _LINK.search(answer.content)
        link = found.group(1).decode() if found else ""


def rest(session: requests.Session, task: Task) -> Iterator[requests.Response]:
    """Yield the answers to Fetch, one page after the other."""
    url, number, more = f"{task.host}/rest/v1/data/{task.organization}", 1, True
    while more:
        query = _FETCH.format(page=task.page, number=number, entity=task.entity)
        answer = session.post(url, data=query, timeout=_WAIT)
        yield answer
        number, more = number + 1, _MORE in answer.content


PROTOCOLS: dict[str, Callable[[requests.Session, Task], Iterator[requests.Response]]] = {
    "odata": odata,
    "rest": rest,
}


def read(task: Task) -> Reading:
    """Read with all readers until the time is over."""
    reading, until = Reading(), time.monotonic() + task.seconds
    threads = [
        threading.Thread(target=_read, args=(task, until, reading)) for _ in range(task.readers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reading


def _read(task: Task, until: float, reading: Reading) -> None:
    with requests.Session() as session:
        session.auth = (task.user, task.password)
        while time.monotonic() < until:
            begun = time.monotonic()
            for answer in PROTOCOLS[task.protocol](session, task):
                if answer.status_code == requests.codes.ok:
                    reading.pages.append(time.monotonic() - begun)
                else:
                    reading.refused.append(answer.status_code)
                begun = time.monotonic()
                if begun > until:
                    return


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(read(asked)))
