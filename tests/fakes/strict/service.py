"""The strict Dataverse as an HTTP handler: token, headers, routes, ``$batch``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from tests.fakes.server import Answer, Request
from tests.fakes.strict.metadata import definitions
from tests.fakes.strict.reading import Asked, collection, dumped, selected, shown
from tests.fakes.strict.records import DUPLICATE, NOT_FOUND, Organization, Refusal
from tests.fakes.strict.tables import Table

API = "/api/data/v9.2/"
TOKEN = "strict"  # noqa: S105 - a test's
_ALWAYS = {"accept": "application/json", "odata-version": "4.0", "odata-maxversion": "4.0"}
_RECORD = re.compile(r"(\w+)\(([0-9a-f-]{36})\)\Z")
_REFERENCE = re.compile(r"(\w+)\(([0-9a-f-]{36})\)/(\w+)(?:\(([0-9a-f-]{36})\))?/\$ref\Z")
_ETAG = re.compile(r'W/"(\d+)"\Z')
_FUNCTIONS: dict[str, Any] = {
    "WhoAmI": {"UserId": str(uuid4()), "BusinessUnitId": str(uuid4())},
    "RetrieveVersion()": {"Version": "9.2.26031.1"},
    "RetrieveAvailableLanguages()": {"LocaleIds": [1033, 1030]},
}


@dataclass
class StrictDataverse:
    """Answers requests to one organization. `requests` counts those that reached it."""

    organization: Organization
    url: str = ""
    has_bulk: bool = False
    requests: list[str] = field(default_factory=list)
    identity: str = field(default_factory=lambda: str(uuid4()))

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/oauth2/v2.0/token"):
            return Answer(200, dumped({"access_token": TOKEN, "expires_in": 3599}))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            uri = f"{self.url}/oauth2/authorize"
            bearer = f"Bearer authorization_uri={uri}, resource_id={self.url}/"
            return Answer(401, headers={"WWW-Authenticate": bearer})
        self.requests.append(f"{request.method} {unquote(request.target)}")
        try:
            _check_headers(request)
            if request.path == f"{API}$batch":
                return self._batch(request)
            return self._answer(request)
        except Refusal as error:
            return _refused(error)

    def _batch(self, request: Request) -> Answer:
        kind = request.headers["content-type"]
        found = re.match(r'multipart/mixed; boundary="?([^"]+)"?\Z', kind)
        if found is None:
            raise Refusal(400, "0x80048d19", f"'{kind}' is no batch.")
        mark = f"--{found.group(1)}".encode()
        head, *parts = request.body.split(mark)
        if head.strip() or not parts or parts[-1] != b"--\r\n":
            raise Refusal(400, "0x80048d19", "Stream was not readable.")
        if len(parts) - 1 > 1000:
            raise Refusal(400, "0x80048d19", "The batch holds more than 1000 operations.")
        continues = "odata.continue-on-error" in request.headers.get("prefer", "")
        boundary, answers = f"batchresponse_{uuid4()}", b""
        for part in parts[:-1]:
            answer = self._inside(part)
            answers += _part(boundary, answer)
            if answer.status >= 400 and not continues:
                break
        body = answers + f"--{boundary}--\r\n".encode()
        return Answer(200, body, {"Content-Type": f"multipart/mixed; boundary={boundary}"})

    def _inside(self, part: bytes) -> Answer:
        outer, _, message = part.partition(b"\r\n\r\n")
        if b"Content-Type: application/http" not in outer:
            raise Refusal(400, "0x80048d19", "A part is no HTTP request.")
        top, _, body = message.partition(b"\r\n\r\n")
        first, *lines = top.decode().split("\r\n")
        method, url, version = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        if version != "HTTP/1.1" or len(url) > 65536 or "content-id" not in outer.decode().lower():
            raise Refusal(400, "0x80048d19", f"'{first[:80]}' is no request.")
        body = body.removesuffix(b"\r\n")
        if bool(body) != (headers.get("content-type") == "application/json"):
            raise Refusal(400, "0x80048d19", "A body goes with its Content-Type.")
        target = url.removeprefix(self.url) if url.startswith("http") else url
        try:
            return self._answer(Request(method, target, headers, body))
        except Refusal as error:
            return _refused(error)

    def _answer(self, request: Request) -> Answer:
        parts = urlsplit(request.target)
        if not parts.path.startswith(API):
            raise Refusal(404, "", "No HTTP resource was found that matches the request URI.")
        path = unquote(parts.path).removeprefix(API)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Asked(query, request.headers.get("prefer", ""), self.url + request.target)
        if request.method == "GET":
            return Answer(200, dumped(self._get(path, asked)))
        query.pop("tag", None)
        body = json.loads(request.body) if request.body else None
        return self._write(request, path, replace(asked, query=query), body)

    def _get(self, path: str, asked: Asked) -> Any:
        if path in _FUNCTIONS:
            return {**_FUNCTIONS[path], "OrganizationId": self.identity}
        if path == "organizations":
            return {"value": [{"name": "Strict"}]}
        if path == "sdkmessagefilters":
            names = ["CreateMultiple"] if self.has_bulk else []
            return {"value": [{"sdkmessageid": {"name": name}} for name in names]}
        if path.startswith("EntityDefinitions"):
            return definitions(self.organization.tables, path, asked.query)
        if path.endswith("/$count"):
            table = self.organization.by_set(path.removesuffix("/$count"))
            return len(self.organization.of(table))
        if record := _RECORD.match(path):
            table = self.organization.by_set(record.group(1))
            row = self.organization.row(table, record.group(2))
            return shown(table, row, selected(table, asked), asked)
        return collection(self.organization, self.organization.by_set(path), asked)

    def _write(self, request: Request, path: str, asked: Asked, body: Any) -> Answer:
        if reference := _REFERENCE.match(path):
            return self._reference(request.method, body, *reference.groups())
        if path.endswith("/Microsoft.Dynamics.CRM.CreateMultiple") and self.has_bulk:
            return self._create_many(path.partition("/")[0], body)
        record = _RECORD.match(path)
        if request.method == "POST" and record is None:
            table = self.organization.by_set(path)
            return self._written(table, self._create(table, body), asked, 201)
        if record is None or request.method not in {"PATCH", "DELETE"}:
            raise Refusal(405, "0x8004023b", f"{request.method} of {path} is not allowed.")
        table, record_id = self.organization.by_set(record.group(1)), record.group(2)
        self._check_match(table, record_id, request.headers)
        if request.method == "DELETE":
            self.organization.remove(table, record_id)
            return Answer(204)
        values = self.organization.values(table, body, creating=False)
        self.organization.put(table, record_id, values)
        return self._written(table, record_id, asked, 200)

    def _create(self, table: Table, body: Any) -> str:
        if table.definition["IsIntersect"]:
            raise Refusal(405, "0x80040315", "Pairs are made by references.")
        values = self.organization.values(table, body, creating=True)
        record_id = str(values.pop(table.primary_id, uuid4()))
        if record_id in self.organization.of(table):
            message = "A record with matching key values already exists."
            raise Refusal(412, DUPLICATE, message)
        self.organization.put(table, record_id, values)
        return record_id

    def _create_many(self, set_name: str, body: Any) -> Answer:
        """All or nothing: what was made before a refusal is taken back."""
        table = self.organization.by_set(set_name)
        before = dict(self.organization.of(table)), list(self.organization.writes)
        ids = []
        try:
            for target in body["Targets"]:
                kind = target.pop("@odata.type")
                if kind != f"Microsoft.Dynamics.CRM.{table.name}":
                    raise Refusal(400, "0x80048d19", f"'{kind}' is not in {set_name}.")
                ids.append(self._create(table, target))
        except Refusal:
            self.organization.rows[table.name], self.organization.writes = before
            raise
        return Answer(200, dumped({"Ids": ids}))

    def _written(self, table: Table, record_id: str, asked: Asked, status: int) -> Answer:
        link = {"OData-EntityId": f"{self.url}{API}{table.set_name}({record_id})"}
        if "return=representation" not in asked.prefer:
            return Answer(204, headers=link)
        row = self.organization.row(table, record_id)
        return Answer(status, dumped(shown(table, row, selected(table, asked), asked)), link)

    def _check_match(self, table: Table, record_id: str, headers: Mapping[str, str]) -> None:
        """Without If-Match a change could make a record anew: refused here."""
        given = headers.get("if-match", "")
        row = self.organization.row(table, record_id)
        etag = _ETAG.match(given)
        if etag is None:
            raise Refusal(400, "0x80060888", f"If-Match '{given}' names no version.")
        if int(etag.group(1)) != row["versionnumber"]:
            message = "The version of the existing record doesn't match the RowVersion property."
            raise Refusal(412, "0x80060882", message)

    def _reference(
        self, method: str, body: Any, set_name: str, first: str, navigation: str, second: str | None
    ) -> Answer:
        table = self.organization.by_set(set_name)
        self.organization.row(table, first)
        relationship = table.pairs.get(navigation)
        if relationship is None:
            raise Refusal(404, "0x80060888", f"'{navigation}' is no navigation of {table.name}.")
        second = second or self._linked(body)
        pair = {
            relationship["Entity1IntersectAttribute"]: first,
            relationship["Entity2IntersectAttribute"]: second,
        }
        self._pair(method, self.organization.by_name(relationship["IntersectEntityName"]), pair)
        return Answer(204)

    def _linked(self, body: Any) -> str:
        link = str((body or {}).get("@odata.id", ""))
        found = _RECORD.match(link.removeprefix(self.url + API))
        if found is None:
            raise Refusal(400, "0x80048d19", "@odata.id is missing.")
        self.organization.row(self.organization.by_set(found.group(1)), found.group(2))
        return found.group(2)

    def _pair(self, method: str, intersect: Table, pair: dict[str, str]) -> None:
        rows = self.organization.of(intersect)
        there = [row_id for row_id, row in rows.items() if pair.items() <= row.items()]
        if method == "POST" and there:
            raise Refusal(412, DUPLICATE, "Cannot insert duplicate key.")
        if method == "POST":
            self.organization.put(intersect, str(uuid4()), pair)
        elif there:
            self.organization.remove(intersect, there[0])
        else:
            raise Refusal(404, NOT_FOUND, "The records are not associated.")


def _check_headers(request: Request) -> None:
    for name, value in _ALWAYS.items():
        if request.headers.get(name) != value:
            raise Refusal(400, "0x80048d19", f"The header {name} must be '{value}'.")
    if request.method == "GET" and request.headers.get("if-none-match") != "null":
        raise Refusal(400, "0x80048d19", "If-None-Match must be 'null': a GET may be cached.")
    if len(request.target) > 32768:
        raise Refusal(414, "", "The URL is too long.")
    kind = request.headers.get("content-type", "").partition(";")[0]
    wanted = "multipart/mixed" if request.path.endswith("$batch") else "application/json"
    if request.body and kind != wanted:
        raise Refusal(415, "", f"A body must be {wanted}, not '{kind}'.")


def _refused(error: Refusal) -> Answer:
    body = {"error": {"code": error.code, "message": error.message}}
    return Answer(error.status, dumped(body))


def _part(boundary: str, answer: Answer) -> bytes:
    lines = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"HTTP/1.1 {answer.status} Said",
        *(["Content-Type: application/json; odata.metadata=minimal"] if answer.body else []),
        "OData-Version: 4.0",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + answer.body + b"\r\n"
