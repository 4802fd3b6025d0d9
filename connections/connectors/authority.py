"""Who may be shown a secret: token authorities, learned from a challenge and checked.

A Dynamics organization answers a request without token with 401 and
``WWW-Authenticate: Bearer authorization_uri=…, resource_id=…`` (observed; dataverse.md §1.1).
That answer comes from whoever runs the address, so it is not trusted: the secret goes only to a
known Microsoft authority, to the endpoint's own origin, or to an authority that a person has
confirmed for this endpoint; and a token is asked only for the endpoint itself, because a token
for another service would be handed to the address that named it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from connections.addresses import same_origin, target_of
from connections.errors import Refused

MICROSOFT_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoftonline.us",
        "login.microsoftonline.de",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
    }
)
_ENDPOINT = re.compile(r"/oauth2(?:/v2\.0)?/(?:authorize|token)/?$", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


class UnconfirmedAuthority(Refused):
    """The organization names a token authority that nobody has confirmed; `authority` shows it."""

    def __init__(self, authority: str, endpoint: str) -> None:
        """Name both, so that the form can ask."""
        self.authority = authority
        super().__init__(
            f"{endpoint} sends logins to {authority}, which is neither Microsoft's nor its own "
            "address. The password was not sent. Confirm this authority if you trust it."
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """A checked authority: its URL without the OAuth2 path, and the resource tokens are for."""

    url: str
    resource: str

    @property
    def is_microsoft(self) -> bool:
        """Return whether it is one of Microsoft's."""
        return urlsplit(self.url).hostname in MICROSOFT_HOSTS

    @property
    def token_url(self) -> str:
        """The token endpoint of version 2 (dataverse.md §1.1)."""
        return f"{self.url}/oauth2/v2.0/token"


def challenged(headers: Mapping[str, str], endpoint: str, confirmed: str = "") -> Authority:
    """Return the authority that a 401 answer of `endpoint` names, if it may be shown a secret.

    Raises UnconfirmedAuthority, or Refused when the answer is no usable challenge.
    """
    parameters = challenge(headers.get("WWW-Authenticate", ""))
    stated = parameters.get("authorization_uri") or parameters.get("authorization", "")
    if not stated or not _ENDPOINT.search(urlsplit(stated).path):
        raise Refused(
            f"{target_of(endpoint)} does not say where to log in, so it is probably not a "
            "Dynamics organization. Enter the organization's address, like "
            "https://contoso.crm4.dynamics.com."
        )
    url = _ENDPOINT.sub("", stated.partition("?")[0])
    _check_place(url, endpoint, confirmed)
    return Authority(url, _resource(parameters.get("resource_id", ""), endpoint))


def challenge(header: str) -> dict[str, str]:
    """Return the parameters of a Bearer challenge; empty for another scheme."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        return {}
    return {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}


def _check_place(url: str, endpoint: str, confirmed: str) -> None:
    place = target_of(url)
    if place.scheme == "https" and place.port == 443 and place.host in MICROSOFT_HOSTS:
        return
    if same_origin(url, endpoint) or (confirmed and url == confirmed.rstrip("/")):
        return
    raise UnconfirmedAuthority(url, str(target_of(endpoint)))


def _resource(stated: str, endpoint: str) -> str:
    """The endpoint itself; Dataverse names ``x.crm4…`` where the API is ``x.api.crm4…``."""
    own = target_of(endpoint)
    if not stated:
        return str(own)
    named = target_of(stated)
    if named.scheme != own.scheme or named.port != own.port:
        raise _foreign(stated, endpoint)
    if named.host.replace(".api.", ".", 1) != own.host.replace(".api.", ".", 1):
        raise _foreign(stated, endpoint)
    return stated.rstrip("/")


def _foreign(stated: str, endpoint: str) -> Refused:
    return Refused(
        f"{target_of(endpoint)} asks for a token for {target_of(stated)}, another service. "
        "Such a token is never fetched. Check the address."
    )
