"""The client of a connection: hosted here, to be made here, or an organization somewhere else.

One that is elsewhere is proved by its own login (WhoAmI) before anything is saved.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password

from connections import registry, secrets
from connections.connect.errors import ClientUnproven
from connections.connectors.base import Identity
from connections.errors import ConnectorError, LoginFailed
from connections.models import Connection, Endpoint
from organizations import throttle
from organizations.authentication import AuthenticationFailed
from organizations.models import Organization

BACKEND = Endpoint.Backend.RESCO_CLOUD.value
"""What a client that is not hosted here speaks; the other back ends are servers only."""

DEADLINE = 30.0
LIMITS = {"address": 60, "name": 20}
"""Failed attempts within a window to be taken for the user of a remote client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A client organization to make, with its first administrator."""

    name: str
    email: str
    password: str = field(repr=False)
    person: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLogin:
    """A client organization elsewhere, and who we are there. `name` is the connection's."""

    name: str
    url: str
    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoteClient:
    """A client organization elsewhere that let us in, and said who it is."""

    login: RemoteLogin
    identity: Identity

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.login.name


Wished = Organization | NewClient | RemoteLogin
"""A client as somebody names it."""

Client = Organization | NewClient | RemoteClient
"""A client that can be connected."""


def named(name: str, *, url: str = "", user_name: str = "", password: str = "") -> Wished | None:
    """Return the client that somebody means whom we trust; None if it has to be made.

    A remote client that is connected already needs its address and login only if they changed.
    """
    connected = remote(name)
    if connected is not None and _is_place_of(connected.client, url):
        endpoint = connected.client
        return RemoteLogin(
            name=name,
            url=endpoint.url,
            user_name=user_name or endpoint.user_name,
            password=password or secrets.open_(endpoint.sealed_secret, endpoint.pk),
        )
    if url:
        return RemoteLogin(name=name, url=url, user_name=user_name, password=password)
    return Organization.objects.filter(name=name, kind=Organization.Kind.CLIENT).first()


def _is_place_of(endpoint: Endpoint, url: str) -> bool:
    """Return whether an address is that of the endpoint; its secret goes nowhere else."""
    return url.rstrip("/") in ("", endpoint.url.rstrip("/"))


def prove(wished: Wished) -> Client:
    """Return the client, after a remote one let us in. Raises ClientUnproven; saves nothing."""
    if not isinstance(wished, RemoteLogin):
        return wished
    try:
        with registry.unsaved(BACKEND, wished.url, wished.user_name, wished.password) as client:
            client.hurry(DEADLINE)
            return RemoteClient(wished, client.identify())
    except LoginFailed as error:
        raise ClientUnproven(
            f"The client organization refused the login: {error}", "ClientPassword"
        ) from error
    except ConnectorError as error:
        raise ClientUnproven(
            f"The client organization cannot be reached: {error}", "ClientUrl"
        ) from error


def remote(name: str) -> Connection | None:
    """Return the connection of that name if its client is not hosted here."""
    found = Connection.objects.select_related("client").filter(name=name)
    return found.filter(client__organization=None).first()


def authenticate(connection: Connection, user_name: str, password: str, address: str) -> None:
    """Prove that somebody has the login by which we reach a remote client.

    Raises AuthenticationFailed, Throttled. The client itself is not asked, and unknown users cost
    the same work as those of hosted organizations.
    """
    endpoint = connection.client
    who = f"{connection.name}\0{user_name.lower()}"
    attempt = throttle.attempt("remote", {"address": address, "name": who}, LIMITS)
    kept = secrets.open_(endpoint.sealed_secret, endpoint.pk)
    is_same_user = is_user_of(endpoint, user_name)
    if not hmac.compare_digest(kept.encode(), password.encode()) or not is_same_user:
        make_password(password)
        raise AuthenticationFailed
    attempt.forgive()


def is_user_of(endpoint: Endpoint, user_name: str) -> bool:
    """Return whether this is the user by whom we reach the organization."""
    pair = (endpoint.user_name.strip().lower(), user_name.strip().lower())
    return hmac.compare_digest(*(text.encode() for text in pair))
