"""A generated Dynamics organization of many entities, served from a process of its own.

It answers what Update Server asks (dataverse.md §1.3, §2.1, §2.4), makes each definition when it
is asked for, and counts what it was asked. Its metadata never change.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

import orjson

from organizations.dynamics.codec import entity_to_json
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    Label,
    OneToMany,
    Option,
    OptionSet,
)

ATTRIBUTES = 80
OPTIONS = 12
STAMP = "1000!01/01/2026 00:00:00"
_ID = "00000000-0000-0000-0000-00000000000{}"
_API = "/api/data/v9.2/"
_T = AttributeType
_KINDS = (_T.STRING, _T.PICKLIST, _T.LOOKUP, _T.DATETIME, _T.MONEY, _T.BOOLEAN, _T.INTEGER, _T.MEMO)


def name_of(number: int) -> str:
    """Return the logical name of an entity."""
    return f"new_table{number:05}"


def make(number: int, count: int) -> Entity:
    """Return one of `count` entities, as large as an ordinary custom table."""
    name = name_of(number)
    key = Attribute(name=f"{name}id", type=_T.UNIQUEIDENTIFIER, is_primary_id=True)
    attributes = tuple(_attribute(position, number, count) for position in range(ATTRIBUTES))
    links = tuple(
        OneToMany(
            name=f"{name}_{item.name}",
            referenced_entity=item.targets[0],
            referenced_attribute=f"{item.targets[0]}id",
            referencing_entity=name,
            referencing_attribute=item.name,
        )
        for item in attributes
        if item.is_lookup
    )
    return Entity(
        name=name,
        primary_id=key.name,
        primary_name=attributes[0].name,
        set_name=f"{name}s",
        schema_name=name.title(),
        label=_label(f"Table {number}"),
        is_custom=True,
        tracks_changes=True,
        attributes=(key, *attributes),
        keys=(Key(name=f"{name}_key", attributes=(attributes[0].name,)),),
        relationships=links,
    )


def _attribute(position: int, number: int, count: int) -> Attribute:
    kind = _KINDS[position % len(_KINDS)]
    name = f"new_column{position:03}"
    target = name_of((number + position) % count)
    return Attribute(
        name=name,
        type=kind,
        schema_name=name.title(),
        label=_label(f"Column {position}"),
        description=_label(f"What column {position} of table {number} is for."),
        is_custom=True,
        max_length=200 if kind in (_T.STRING, _T.MEMO) else None,
        precision=2 if kind is _T.MONEY else None,
        targets=(target,) if kind is _T.LOOKUP else (),
        option_set=_options(kind, name) if kind in (_T.PICKLIST, _T.BOOLEAN) else None,
    )


def _options(kind: AttributeType, name: str) -> OptionSet:
    values = (0, 1) if kind is _T.BOOLEAN else range(OPTIONS)
    options = (Option(value=value, label=_label(f"Choice {value}")) for value in values)
    return OptionSet(name=name, options=tuple(options), label=_label(name))


def _label(text: str) -> Label:
    return Label.of({1033: text, 1031: f"{text} auf Deutsch"})


@dataclass(frozen=True, slots=True)
class Served:
    """Where the organization is served."""

    url: str

    def asked(self) -> Counter[str]:
        """Return how often each part of it was asked since the last call of this."""
        with urlopen(f"{self.url}/asked", timeout=60) as answer:  # noqa: S310 - our own server
            return Counter(orjson.loads(answer.read()))


@contextmanager
def served(count: int) -> Iterator[Served]:
    """Serve an organization of so many entities from another process while the block runs."""
    command = [sys.executable, "-m", "syncjobs.bench.organization", str(count)]
    with Popen(command, stdout=PIPE) as process:  # noqa: S603 - our own module
        try:
            port = process.stdout.readline() if process.stdout else b""
            if not port:
                raise RuntimeError("The generated organization could not be served.")
            yield Served(f"http://127.0.0.1:{int(port)}")
        finally:
            process.kill()


class _Organization:
    """Answers by path; `asked` counts what was asked of the Web API, and signing in."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: Counter[str] = Counter()

    def answer(self, path: str, query: dict[str, list[str]]) -> object:
        if path == "/asked":
            told, self.asked = dict(self.asked), Counter()
            return told
        what = unquote(path.removeprefix(_API)).partition("(")[0]
        self.asked[what] += 1
        if what == "RetrieveMetadataChanges":
            return self._changes(unquote(path), query)
        return {"value": self._listed()} if what == "EntityDefinitions" else _FIXED[what]

    def _changes(self, path: str, query: dict[str, list[str]]) -> object:
        asked = orjson.loads(query["@p1"][0])
        found: list[Any] = []
        if "ClientVersionStamp" not in path:
            names = [item["Value"]["Value"] for item in asked["Criteria"]["Conditions"]]
            known = {name_of(number): number for number in range(self.count)}
            kept = [known[name] for name in names if name in known]
            found = [entity_to_json(make(number, self.count)) for number in kept]
        deleted = {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []}
        return {
            "ServerVersionStamp": STAMP,
            "DeletedMetadata": deleted,
            "EntityMetadata": found,
        }

    def _listed(self) -> list[object]:
        return [
            {"LogicalName": name, "EntitySetName": f"{name}s", "IsCustomEntity": True}
            for name in map(name_of, range(self.count))
        ]


_FIXED: dict[str, object] = {
    "WhoAmI": {"OrganizationId": _ID.format(1), "UserId": _ID.format(2)},
    "RetrieveVersion": {"Version": "9.2.0.0"},
    "RetrieveAvailableLanguages": {"LocaleIds": [1033, 1031]},
    "organizations": {"value": [{"name": "generated"}]},
}


class _Handler(BaseHTTPRequestHandler):
    organization: _Organization
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        """Answer, or ask for a token first."""
        parts = urlsplit(self.path)
        if parts.path != "/asked" and "Authorization" not in self.headers:
            self.organization.asked["signing in"] += 1
            host = f"http://{self.headers['Host']}"
            uri = f"Bearer authorization_uri={host}/oauth2/authorize, resource_id={host}/"
            self._send(401, {}, {"WWW-Authenticate": uri})
            return
        self._send(200, self.organization.answer(parts.path, parse_qs(parts.query)))

    def do_POST(self) -> None:  # noqa: N802 - the name is the library's
        """Give a token."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.organization.asked["signing in"] += 1
        self._send(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600})

    def _send(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        body = orjson.dumps(document)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def main() -> None:
    """Serve as many entities as the first argument says; print the port."""
    _Handler.organization = _Organization(int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
