"""Which connector speaks to which back end, and which ProviderID means which back end.

Adding a back end: one package in `connections.connectors` and one line here. Both tables can be
extended by settings: `RESCO_SYNC_CONNECTORS` (back end → dotted path of a class that is made with
``url, user_name, secret, authority=…``, and ``kind=…, keeper=…`` for a login of another kind than
a password) and `RESCO_SYNC_PROVIDER_IDS` (ProviderID → back end).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from connections import ledger, secrets
from connections.connectors.base import Connector, VersionCheck
from connections.errors import Refused
from connections.keeping import EndpointKeeper
from connections.logins import Keeper, LoginKind
from connections.models import Endpoint

CONNECTORS: Mapping[str, str] = {
    "dynamics": "connections.connectors.dynamics.connector.DynamicsConnector",
    "hosted": "connections.connectors.hosted.HostedConnector",
    "resco_cloud": "connections.connectors.resco_cloud.connector.RescoCloudConnector",
}

PROVIDER_IDS: Mapping[str, str] = {
    "60650fb3-5d8b-45dd-b82e-459f3b019e9a": "dynamics",
    "2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a01": "resco_cloud",
    "2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a02": "odata",
    "2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a03": "salesforce",
}
"""Dynamics has the id of the published example of ConnectAsync; the others are our own."""

HOSTED = Endpoint.Backend.HOSTED.value


class UnknownProvider(Refused):
    """No back end has that ProviderID, or the back end is not supported by this installation."""


def provider_ids() -> dict[str, str]:
    """Return ProviderID → back end, with those of the settings."""
    extra = getattr(settings, "RESCO_SYNC_PROVIDER_IDS", None) or {}
    return {**PROVIDER_IDS, **{key.lower(): backend for key, backend in extra.items()}}


def backend_of(provider_id: str) -> str:
    """Return the back end a ProviderID means; braces and letter case do not matter.

    Raises UnknownProvider when there is none, or none that this installation can connect.
    """
    known = provider_ids()
    try:
        backend = known.get(str(UUID(provider_id.strip())), "")
    except ValueError as error:
        raise UnknownProvider(f"ProviderID '{provider_id[:60]}' is not a GUID.") from error
    if backend not in _connectors():
        usable = ", ".join(f"{key} ({name})" for key, name in known.items() if is_usable(name))
        raise UnknownProvider(
            f"ProviderID {provider_id.strip()[:60]} is not one this installation can connect. "
            f"Known: {usable}."
        )
    return backend


def is_usable(backend: str) -> bool:
    """Return whether this installation has a connector for the back end."""
    return backend in _connectors()


def choices() -> list[tuple[str, str]]:
    """Return ProviderID and name of each back end that can be connected, for a form."""
    labels = dict(Endpoint.Backend.choices)
    known = provider_ids().items()
    return [(key, labels.get(name, name)) for key, name in known if is_usable(name)]


def connector(endpoint: Endpoint, *, origin: str = "") -> Connector:
    """Return the (not yet opened) connector of a saved endpoint.

    `origin` marks the writes where the target can tell: the connection's id. Raises Refused when
    the stored secret cannot be opened or there is no connector.
    """
    if endpoint.backend == HOSTED:
        return _hosted(endpoint, origin)
    secret = secrets.open_(endpoint.sealed_secret, endpoint.pk)
    made = unsaved(
        endpoint.backend,
        endpoint.url,
        endpoint.user_name,
        secret,
        authority=endpoint.authority,
        kind=endpoint.login_kind,
        keeper=EndpointKeeper(endpoint),
        is_atomic=endpoint.is_atomic,
    )
    made.limit(ledger.limiter(endpoint))
    made.mark(origin, bypass=endpoint.bypass_logic, is_quiet=endpoint.is_quiet)
    return made


def unsaved(
    backend: str,
    url: str,
    user_name: str,
    secret: str,
    *,
    authority: str = "",
    kind: str = LoginKind.SECRET,
    keeper: Keeper | None = None,
    is_atomic: bool = False,
) -> Connector:
    """Return a connector for a login that is proved before anything is saved.

    `authority`: a token authority that a person has confirmed for this endpoint. `kind` says what
    the secret is; only back ends that know more than one kind are told, with the keeper. Nor is
    `is_atomic` told to others than those that can check versions in two ways.
    """
    more: dict[str, Any] = {} if kind == LoginKind.SECRET else {"kind": kind, "keeper": keeper}
    more |= {"is_atomic": True} if is_atomic else {}
    made = _class(backend)(url, user_name, secret, authority=authority, **more)
    if not isinstance(made, Connector):
        raise TypeError(f"{_connectors()[backend]} is not a Connector.")
    return made


def version_check(endpoint: Endpoint) -> VersionCheck:
    """Return how well an organization checks the version of what we change there.

    Raises Refused where there is no connector.
    """
    found = _class(endpoint.backend)
    if not issubclass(found, Connector):
        raise TypeError(f"{_connectors()[endpoint.backend]} is not a Connector.")
    return VersionCheck.ATOMIC if endpoint.is_atomic else found.version_check


def _hosted(endpoint: Endpoint, origin: str) -> Connector:
    if endpoint.organization is None:
        raise Refused(f"Endpoint {endpoint.pk} is hosted here but names no organization.")
    made = _class(HOSTED)(endpoint.organization, origin=origin)
    if not isinstance(made, Connector):
        raise TypeError(f"{_connectors()[HOSTED]} is not a Connector.")
    return made


def _class(backend: str) -> type:
    path = _connectors().get(backend)
    if path is None:
        raise Refused(f"There is no connector for back end '{backend}' in this installation.")
    found: type = import_string(path)
    return found


def _connectors() -> dict[str, str]:
    return {**CONNECTORS, **(getattr(settings, "RESCO_SYNC_CONNECTORS", None) or {})}
