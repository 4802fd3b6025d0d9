"""Addresses of an organization's services (resco.md §0).

The organization stands in the path, `https://{host}/{org}`, or in the host name,
`https://{org}.{host}`. The address of a service itself is understood too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connections.addresses import target_of
from connections.errors import Unreachable

_SERVICE = re.compile(r"/(?:rest/v1/(?:data|metadata|sync)|odata/v4)(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Roots:
    """The data, the metadata and the OData service, all without a slash at their end."""

    data: str
    metadata: str
    odata: str


def roots(url: str) -> Roots:
    """Return where the services of the organization at `url` are. Raises Unreachable.

    An address without scheme is meant with https, as its clients take it.
    """
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    target = target_of(text)
    if "?" in text or "#" in text:
        raise Unreachable("Enter the organization's address without '?' and '#'.")
    path = _SERVICE.sub("", urlsplit(text).path)
    before, _, organization = path.strip("/").rpartition("/")
    base = f"{target}/{before}" if before else str(target)
    end = f"/{organization}" if organization else ""
    return Roots(
        data=f"{base}/rest/v1/data{end}",
        metadata=f"{base}/rest/v1/metadata{end}",
        odata=f"{base}/odata/v4{end}",
    )
