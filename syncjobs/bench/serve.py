"""`bench serve`: the twin's pages beside a plain download of the same bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import requests

from syncjobs.bench import recording, world
from syncjobs.bench.pull import Say
from syncjobs.bench.tape import Answer, Tape

PREFER = "odata.maxpagesize=5000"
SECONDS = 120


def compare(folder: Path, *, records: int, rounds: int, say: Say) -> dict[str, Any]:
    """Read all pages from the twin, then the same bytes from a plain server, in turn."""
    login = world.make_server(records)
    port = recording.free_port()
    seconds: dict[str, list[float]] = {"twin": [], "plain": []}
    with recording.twin_server() as host:
        bearer = token(host, login)
        tape = Tape(folder)
        size = 0
        for number, body in enumerate(_pages(host, bearer)):
            size += len(body)
            tape.answers[f"GET /{number}  stranger"] = Answer(200, {}, body)
        tape.save()
        for number in range(rounds):
            seconds["twin"].append(_timed(lambda: sum(map(len, _pages(host, bearer)))))
            with recording.replaying(folder, port):
                seconds["plain"].append(_timed(lambda: _download(port, len(tape.answers))))
            say(f"round {number + 1} of {rounds}: twin {records / seconds['twin'][-1]:,.0f}/s")
    return {
        "rates": {name: round(records / statistics.median(x)) for name, x in seconds.items()},
        "bytes_per_record": round(size / records),
    }


def _timed(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def token(host: str, login: world.Login) -> str:
    """Return a token of the twin's application user."""
    form = {
        "grant_type": "client_credentials",
        "client_id": login.client_id,
        "client_secret": login.secret,
        "scope": f"http://{host}/dynamics/{world.SERVER}/.default",
    }
    url = f"http://{host}/dynamics/{world.SERVER}/oauth2/v2.0/token"
    answer = requests.post(url, data=form, timeout=SECONDS)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _pages(host: str, token: str) -> Iterator[bytes]:
    names = [
        f"_{attribute.name}_value" if attribute.is_lookup else attribute.name
        for attribute in world.entity().attributes
    ]
    root = f"http://{host}/dynamics/{world.SERVER}/api/data/v9.2"
    link: str | None = f"{root}/{world.entity().set_name}?$select={','.join(names)}"
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {token}", "Prefer": PREFER})
        while link:
            answer = session.get(link, timeout=SECONDS)
            answer.raise_for_status()
            link = orjson.loads(answer.content).get("@odata.nextLink")
            yield answer.content


def _download(port: int, pages: int) -> None:
    with requests.Session() as session:
        for number in range(pages):
            session.get(f"http://127.0.0.1:{port}/{number}", timeout=SECONDS).raise_for_status()
