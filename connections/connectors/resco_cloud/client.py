"""HTTP with one Resco Cloud organization: addresses, login, faults (resco.md §0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlencode

from lxml import etree

from connections import egress
from connections.addresses import target_of
from connections.connectors.http import HttpClient, Patience
from connections.connectors.limits import Limiter
from connections.connectors.resco_cloud.faults import error_of, is_transient, not_understood
from connections.connectors.resco_cloud.markup import NotXml, parse
from connections.connectors.resco_cloud.roots import roots
from connections.egress import Session
from connections.errors import LoginFailed

_SETTLE_SECONDS = 10.0
_XML = {"Content-Type": "application/xml; charset=utf-8"}


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


class RescoClient:
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
        self._session = session or egress.session()
        self.patience = patience or Patience()
        self._http = HttpClient(
            self._session,
            BasicLogin(user_name, password),
            patience=self.patience,
            is_transient=is_transient,
        )

    @property
    def where(self) -> str:
        """The origin, for messages."""
        return str(target_of(self._roots.data))

    def close(self) -> None:
        """Close the connections, and the books."""
        self._session.close()
        if self._http.limiter:
            self._http.limiter.settle()

    def limit(self, limiter: Limiter) -> None:
        """Let every request from now on wait for its turn."""
        self._http.limiter = limiter

    def settle(self) -> None:
        """Let the ledger be written if it is time."""
        if self._http.limiter:
            self._http.limiter.settle(every=_SETTLE_SECONDS)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far, as far as a limiter counts them."""
        return self._http.limiter.usage().requests if self._http.limiter else 0

    def hurry(self, seconds: float) -> None:
        """Give up when all requests from now on together take longer."""
        self._session.hurry(seconds)

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
