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
WINDOWS_SCHEMES = ("Negotiate", "NTLM")
"""Windows-integrated authentication, in order of preference (dataverse.md §1.2)."""
_NO_TENANT = frozenset({"common", "organizations"})
_ENDPOINT = re.compile(r"/oauth2(?:/v2\.0)?/(?:authorize|token)/?$", re.IGNORECASE)
_ITEM = re.compile(
    r"(?:(?P<scheme>[A-Za-z][\w-]*)(?=\s*(?:,|$)|\s+[^\s=,]))?\s*"
    r'(?:(?P<name>\w+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s,"]+)))?\s*(?:,|$)'
)


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
    """A checked authority: its URL without the OAuth2 path, and the resource tokens are for.

    `confirmed` is what a person has confirmed for the endpoint, empty if nothing.
    """

    url: str
    resource: str
    confirmed: str = ""

    @property
    def is_microsoft(self) -> bool:
        """Return whether it is one of Microsoft's."""
        return _is_microsoft(self.url)

    @property
    def is_adfs(self) -> bool:
        """Return whether it is an AD FS, which takes a resource in the place of a scope."""
        return self._last == "adfs" and not self.is_microsoft

    @property
    def names_tenant(self) -> bool:
        """Return whether an application can log in there; ``common`` is for people only."""
        return not (self.is_microsoft and self._last in _NO_TENANT)

    @property
    def token_url(self) -> str:
        """The token endpoint: version 2, or the only one AD FS has (dataverse.md §1.1, §1.2)."""
        return f"{self.url}{self._path}/token"

    @property
    def authorize_url(self) -> str:
        """The page on which people sign in."""
        return f"{self.url}{self._path}/authorize"

    def may_see(self, url: str) -> bool:
        """Return whether a secret may be sent to `url` when this authority asks for it."""
        if same_origin(url, self.url) or _is_microsoft(url):
            return True
        return bool(self.confirmed) and same_origin(url, self.confirmed)

    @property
    def _last(self) -> str:
        return urlsplit(self.url).path.rpartition("/")[2].lower()

    @property
    def _path(self) -> str:
        return "/oauth2" if self.is_adfs else "/oauth2/v2.0"


def normal(text: str) -> str:
    """Return an authority as people type or copy it, without the OAuth2 path."""
    return _ENDPOINT.sub("", text.strip().partition("?")[0]).rstrip("/")


def challenged(headers: Mapping[str, str], endpoint: str, confirmed: str = "") -> Authority:
    """Return the authority that a 401 answer of `endpoint` names, if it may be shown a secret.

    A confirmed tenant takes the place of Microsoft's ``common``. Raises UnconfirmedAuthority, or
    Refused when the answer is no usable challenge.
    """
    parameters = challenge(headers.get("WWW-Authenticate", ""))
    stated = parameters.get("authorization_uri") or parameters.get("authorization", "")
    if not stated or not _ENDPOINT.search(urlsplit(stated).path):
        raise Refused(
            f"{target_of(endpoint)} does not say where to log in, so it is probably not a "
            "Dynamics organization. Enter the organization's address, like "
            "https://contoso.crm4.dynamics.com."
        )
    url, confirmed = normal(stated), normal(confirmed)
    _check_place(url, endpoint, confirmed)
    resource = _resource(parameters.get("resource_id", ""), endpoint)
    found = Authority(url, resource, confirmed)
    if not found.names_tenant and confirmed and _is_microsoft(confirmed):
        return Authority(confirmed, resource, confirmed)
    return found


def challenge(header: str) -> dict[str, str]:
    """Return the parameters of a Bearer challenge; empty when there is none."""
    return _challenges(header).get("bearer", {})


def windows_scheme(header: str) -> str:
    """Return the Windows-integrated scheme that a server wants; empty if it wants a token."""
    offered = _challenges(header)
    if offered.get("bearer"):
        return ""
    return next((name for name in WINDOWS_SCHEMES if name.lower() in offered), "")


def _challenges(header: str) -> dict[str, dict[str, str]]:
    """Return scheme (lower case) → parameters (names in lower case) of a WWW-Authenticate."""
    found: dict[str, dict[str, str]] = {}
    scheme = ""
    for item in _ITEM.finditer(header):
        if item["scheme"]:
            scheme = item["scheme"].lower()
            found.setdefault(scheme, {})
        if item["name"] and scheme:
            value = item["bare"] if item["quoted"] is None else item["quoted"]
            found[scheme][item["name"].lower()] = value
    return found


def _is_microsoft(url: str) -> bool:
    place = target_of(url)
    return place.scheme == "https" and place.port == 443 and place.host in MICROSOFT_HOSTS


def _check_place(url: str, endpoint: str, confirmed: str) -> None:
    if _is_microsoft(url) or same_origin(url, endpoint) or (confirmed and url == confirmed):
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
