"""The services of the fake over HTTP: Basic login, operations, faults with status 500."""

from __future__ import annotations

import base64
import threading
from urllib.parse import unquote
from xml.sax.saxutils import escape

from lxml import etree

from tests.fakes.resco import fetching, odata, tables
from tests.fakes.resco.records import FaultError, Organization, Row
from tests.fakes.resco.tables import Table
from tests.fakes.server import Answer, Request

USER, PASSWORD = "anna@example.com", "the password of Anna"
_XML = "application/xml; charset=utf-8"
_ODATA = "/odata/v4/strict/"
_EXECUTE = "{http://schemas.resco.net/XRM/Execute}"


class StrictResco:
    """Answers as the sheet says, and refuses whatever it does not know.

    With `is_older` the results of ExecuteMultiple stand in the root, without `Response`.
    """

    def __init__(self, organization: Organization, *, is_older: bool = False) -> None:
        self.organization, self.is_older = organization, is_older
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {token}":
            return Answer(401, headers={"WWW-Authenticate": "Basic"})
        if request.path.startswith(_ODATA):
            return self._odata(request)
        service, found, rest = request.path.partition("/rest/v1/")
        name, _, after = rest.partition("/")
        organization, _, operation = after.partition("/")
        if service or not found or organization != "strict":
            return Answer(404, b"<html>Not found</html>")
        with self._lock:
            self.asked.append(f"{request.method} {name}/{operation}")
            try:
                body = self._answer(request, name, operation)
            except FaultError as error:
                return Answer(500, _fault(error).encode(), {"Content-Type": _XML})
        return Answer(200, body.encode(), {"Content-Type": _XML})

    def _odata(self, request: Request) -> Answer:
        path = unquote(request.path.removeprefix(_ODATA))
        with self._lock:
            self.asked.append(f"{request.method} odata/{path.partition('(')[0]}")
            return odata.answer(self.organization, request, path)

    def _answer(self, request: Request, service: str, operation: str) -> str:
        if service == "metadata":
            return self._metadata(request, operation)
        if request.method != "POST" or request.headers.get("content-type") != _XML:
            raise FaultError(105, "POST application/xml.")
        if operation == "WhoAmI":
            return self._who()
        if operation == "GetMaxRowVersion":
            return f"<Version>{self.organization.version}</Version>"
        root = etree.fromstring(request.body)
        if operation == "":
            return fetching.fetch(self.organization, root)
        if operation == "ExecuteMultiple":
            return self._all(root)
        raise FaultError(106, f"Unknown operation {operation}.")

    def _metadata(self, request: Request, operation: str) -> str:
        if request.method != "GET":
            raise FaultError(106, "Metadata are read.")
        if operation == "$localizations":
            return tables.labels_xml(request.query["lcid"])
        if operation != "$entities":
            raise FaultError(106, f"Unknown operation {operation}.")
        return tables.entities_xml(self.organization.tables)

    def _who(self) -> str:
        return (
            '<WhoAmI xmlns="urn:any" OrganizationName="Strict">'
            f"<OrganizationId>{{{self.organization.id.upper()}}}</OrganizationId>"
            f"<UserId>{self.organization.user}</UserId>"
            "<OrganizationVersion>17</OrganizationVersion></WhoAmI>"
        )

    def _all(self, root: etree._Element) -> str:
        if root.tag != f"{_EXECUTE}ExecuteMultiple" or root.get("ContinueOnError") != "true":
            raise FaultError(107, "Not an ExecuteMultiple that goes on.")
        if len(root) > 100:
            raise FaultError(108, "More than 100 records.")
        results = [self._one(item) for item in root]
        if not self.is_older:
            results = [f"<Response>{result}</Response>" for result in results]
        return f"<Responses>{''.join(results)}</Responses>"

    def _one(self, item: etree._Element) -> str:
        try:
            return self._executed(item)
        except FaultError as error:
            return _fault(error)

    def _executed(self, item: etree._Element) -> str:
        if item.tag != f"{_EXECUTE}Entity":
            raise FaultError(107, f"Not an Entity of Execute: {item.tag}.")
        table, action = self.organization.table(item.get("EntityName", "")), item.get("Action")
        keys = item.get("PrimaryKey", "id").split(";")
        given: Row = {etree.QName(child).localname: _value(table, child) for child in item}
        if table.flags == "Intersect" and keys == [end.name for end in table.lookups]:
            return self._pair(table, action, given)
        if keys != [table.key]:
            raise FaultError(109, f"The key of {table.name} is {table.key}, not {keys}.")
        record_id = given.pop(table.key, "")
        if {"statecode", "versionnumber"} & given.keys():
            raise FaultError(110, "The state follows from the status; versions are not written.")
        return self._carried_out(table, action, record_id, given)

    def _carried_out(self, table: Table, action: str | None, record_id: str, given: Row) -> str:
        if action == "Create":
            made = self.organization.create(table, record_id, given)
            return f'<Result Type="guid">{made}</Result>'
        if action == "Update":
            self.organization.update(table, record_id, given)
        elif action == "Delete" and not given:
            self.organization.delete(table, record_id)
        else:
            raise FaultError(107, f"{action} with {list(given)}.")
        return '<Result Type="bool">True</Result>'

    def _pair(self, table: Table, action: str | None, ends: Row) -> str:
        if action == "Create":
            return self._carried_out(table, action, "", ends)
        return self._carried_out(table, action, self.organization.pair(table, ends), {})


def _value(table: Table, element: etree._Element) -> object:
    attribute = table.attribute(etree.QName(element).localname)
    if attribute is not None and attribute.type == "PartyList" and len(element):
        return [(item.text or "", unquote(item.get("addressused", ""))) for item in element]
    if len(element):
        raise FaultError(107, f"{element.tag} holds elements.")
    return element.text or ""


def _fault(error: FaultError) -> str:
    return (
        f"<Fault><Code>{error.code}</Code><Reason>{escape(error.reason)}</Reason>"
        f"<Detail>{error.detail}</Detail></Fault>"
    )
