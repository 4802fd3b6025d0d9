"""Questions to the OData service, asked again where an answer cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import not_understood
from connections.connectors.resco_cloud.odata_errors import error_of

Found = TypeVar("Found")


def ask(
    client: RescoClient,
    path: str,
    read: Callable[[Any], Found],
    headers: Mapping[str, str] | None = None,
) -> Found:
    """Return what `read` makes of the document; numbers keep all their digits.

    An answer without what `read` looks for may have been cut. Raises Refused, Retryable.
    """
    attempt = 1
    while True:
        reply = client.odata("GET", path, headers=headers, repeatable=True)
        if reply.status != 200:
            raise error_of(reply)
        try:
            return read(json.loads(reply.body, parse_float=Decimal))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if attempt >= client.patience.attempts:
                raise not_understood(client.where, str(error)) from error
        client.patience.sleep(client.patience.wait(attempt))
        attempt += 1
