"""Which organization a request to a Resco Cloud service is for (resco.md §0).

The organization stands in the path, `https://{host}/rest/v1/data/{org}`, or in the host name,
`https://{org}.{host}/rest/v1/data`, where RESCO_SYNC_ORGANIZATION_HOST names that host; both
together work too.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def split(request: HttpRequest, path: str) -> tuple[str, str]:
    """Return the organization's name ('' where there is none) and the rest of the path."""
    first, _, rest = path.strip("/").partition("/")
    in_host = _in_host(request)
    if in_host and first != in_host:
        return in_host, path.strip("/")
    return first, rest


def _in_host(request: HttpRequest) -> str:
    ours = settings.RESCO_SYNC_ORGANIZATION_HOST
    if not ours:
        return ""
    name, dot, parent = request.get_host().partition(":")[0].lower().partition(".")
    return name if dot and parent == ours else ""
