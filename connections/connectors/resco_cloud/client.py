"""HTTP with one Resco Cloud organization: addresses, login, faults (resco.md §0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlencode

from lxml import etree

from connections import egress
from connections.addresses import target_of
from connections.connectors.http import HttpClient, Patience
from connections.connectors.remote import RemoteClient
from connections.connectors.resco_cloud import odata_errors
from connections.connectors.resco_cloud.faults import error_of, is_transient, not_understood
from connections.connectors.resco_cloud.markup import NotXml, parse
from connections.connectors.resco_cloud.roots import roots
from connections.egress import Reply, Session
from connections.errors import LoginFailed

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class BasicLogin:
    """User name and password with every request (resco.md §0); there is nothing to renew."""

    def __init__(self, user_name: str, password: str) -> None:
        """Take the login; nothing is sent yet."""
        self._user_name, self._password = user_name.strip(), password

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header. Raises LoginFailed where there is no full login."""
        if not self._user_name or not self._password:
            raise LoginFailed("Enter the e-mail address and the password of a user.")
        token = base64.b64encode(f"{self._user_name}:{self._password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Say that there is no other proof to try."""
        return False


class RescoClient(RemoteClient):
    """Sends requests to one organization as one user. Close it at the end."""

    def __init__(
        self,
        url: str,
        user_name: str,
        password: str,
        *,
        session: Session | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`url`: the organization's address. Raises Unreachable where it is none."""
        self._roots = roots(url)
        self.patience = patience or Patience()
        session = session or egress.session()
        login = BasicLogin(user_name, password)
        http = HttpClient(session, login, patience=self.patience, is_transient=self._passes)
        super().__init__(session, http)

    def _passes(self, reply: Reply) -> bool:
        if reply.url.startswith(self._roots.odata):
            return odata_errors.is_transient(reply)
        return is_transient(reply)

    @property
    def where(self) -> str:
        """The origin, for messages."""
        return str(target_of(self._roots.data))

    def post(self, operation: str, body: bytes = b"", *, reads: bool = True) -> etree._Element:
        """Return the root of the data service's answer; '' is Fetch.

        `reads`: nothing is changed by it, so it may be sent twice. Raises errors of connectors;
        Retryable also where nobody knows whether it was carried out.
        """
        url = f"{self._roots.data}/{operation}" if operation else self._roots.data
        return self._answer("POST", url, body, repeatable=reads)

    def metadata(self, what: str, **options: str) -> etree._Element:
        """Return the root of a document of the metadata service."""
        query = f"?{urlencode(options)}" if options else ""
        return self._answer("GET", f"{self._roots.metadata}/{what}{query}", None, repeatable=True)

    def write_metadata(self, method: str, what: str, body: bytes | None = None) -> None:
        """Write by the metadata service; what is written twice is as if it were written once."""
        url = f"{self._roots.metadata}/{what}"
        reply = self._http.request(method, url, headers=_XML, body=body, idempotent=True)
        if not 200 <= reply.status < 300:
            raise error_of(reply)

    def odata(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeatable: bool = False,
    ) -> Reply:
        """Return the OData service's answer, whatever its status. Raises Retryable."""
        sent = {**_JSON, **(headers or {})}
        url = f"{self._roots.odata}/{path}"
        return self._http.request(method, url, headers=sent, body=body, idempotent=repeatable)

    def _answer(
        self, method: str, url: str, body: bytes | None, *, repeatable: bool
    ) -> etree._Element:
        attempt = 1
        while True:
            reply = self._http.request(method, url, headers=_XML, body=body, idempotent=repeatable)
            if not 200 <= reply.status < 300:
                raise error_of(reply)
            try:
                return parse(reply.body)
            except NotXml as error:
                if not repeatable or attempt >= self.patience.attempts:
                    raise not_understood(self.where, str(error)) from error
            self.patience.sleep(self.patience.wait(attempt))
            attempt += 1
