"""A client of the OData service."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from django.http import HttpResponse
from django.test import Client

from organizations.models import Organization
from organizations.store import Store
from tests.organizations.rest.office import EMAIL, basic


class OData:
    """Sends and reads JSON. Paths are as the service has them, options unencoded."""

    def __init__(self, organization: Organization) -> None:
        self.organization, self.store = organization, Store(organization)
        self.root = f"/odata/v4/{organization.name}/"
        self._client = Client()

    def send(
        self, path: str, body: object = None, *, method: str = "GET", **headers: str
    ) -> HttpResponse:
        address, _, query = path.partition("?")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(  # type: ignore[return-value]
            method,
            f"{self.root}{address}" + (f"?{quote(query, safe='$&=%')}" if query else ""),
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers={"Authorization": basic(EMAIL)} | given,
        )

    def post_text(
        self, path: str, body: str | bytes, content_type: str, **headers: str
    ) -> HttpResponse:
        """Send what is not JSON."""
        data = body.encode() if isinstance(body, str) else body
        return self._client.post(  # type: ignore[return-value]
            f"{self.root}{path}",
            data,
            content_type=content_type,
            headers={"Authorization": basic(EMAIL)} | headers,
        )

    def get(self, path: str, **headers: str) -> Any:
        response = self.send(path, **headers)
        assert response.status_code == 200, response.content.decode()
        return orjson.loads(response.content)

    def follow(self, link: str) -> Any:
        parts = urlsplit(link)
        response = self._client.get(
            f"{parts.path}?{parts.query}", headers={"Authorization": basic(EMAIL)}
        )
        assert response.status_code == 200, response.content.decode()
        return orjson.loads(response.content)

    def error(self, path: str, status: int, *args: object, **more: Any) -> dict[str, str]:
        response = self.send(path, *args, **more)
        assert response.status_code == status, response.content.decode()
        told: dict[str, str] = orjson.loads(response.content)["error"]
        return told
