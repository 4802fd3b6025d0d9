"""What every back end that is reached by HTTP shares: one session, its pace, its books, its end."""

from __future__ import annotations

from types import TracebackType

from connections.connectors.base import Connector
from connections.connectors.http import HttpClient
from connections.connectors.limits import Limiter
from connections.egress import Session

_SETTLE_SECONDS = 10.0


class RemoteClient:
    """Sends requests to one organization as one user. Close it at the end."""

    def __init__(self, session: Session, http: HttpClient) -> None:
        """`http` sends over `session`, which ends with this client."""
        self._session, self._http = session, http

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


class RemoteConnector(Connector):
    """A connector whose `client` sends requests; it ends with the connector."""

    client: RemoteClient

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.client.close()

    def limit(self, limiter: Limiter) -> None:
        """Let every request wait for its turn."""
        self.client.limit(limiter)

    def settle(self) -> None:
        """Let the ledger be written if it is time."""
        self.client.settle()

    def hurry(self, seconds: float) -> None:
        """Give up, by Retryable, when all from now on together takes longer."""
        self.client.hurry(seconds)

    def requests_sent(self) -> int:
        """Return what the limiter counted."""
        return self.client.requests_sent
