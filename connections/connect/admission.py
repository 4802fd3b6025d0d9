"""Who may connect a client organization: its administrator, or somebody who may register it.

Unknown names and wrong credentials get the same answer, and no name is given away by a
registration that is refused (design 5.1.14).
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac

from connections.connect import clients
from connections.connect.clients import NewClient, RemoteLogin, Wished
from connections.connect.errors import ClientRefused, RegistrationClosed
from connections.connect.request import Registration
from connections.models import Connection
from organizations import authentication, throttle
from organizations.errors import InvalidRequest
from organizations.members import check_login
from organizations.models import Organization
from organizations.models.organization import validate_name
from organizations.throttle import Attempt

CLOSED, INVITE, OPEN = "closed", "invite", "open"
LIMITS = {"address": 30, "name": 20, "target": 60}
"""Requests within a window by the caller's address, the client's name and the server's host."""
_SALT = "connections.registration"
_ELEMENTS = {"email": "Email", "password": "Authorization"}


def attempt(name: str, address: str, url: str) -> Attempt:
    """Count a request before anything is done for it. Raises Throttled.

    Every request makes us log in to a server of the caller's choice, and may try a registration
    key; neither is to be had without end.
    """
    subjects = {"address": address, "name": name, "target": urlsplit(url).hostname or ""}
    return throttle.attempt("connect", subjects, LIMITS)


def admit(
    name: str,
    user_name: str,
    password: str,
    address: str,
    registration: Registration | None,
    client_url: str = "",
) -> Wished:
    """Return the client organization, or the one to be made, that these credentials speak for.

    With `client_url`, and for a client that is connected from there, they are those of an
    organization elsewhere, which has still to let them in (`clients.prove`). Raises
    ClientRefused, RegistrationClosed, InvalidRequest, Throttled.
    """
    connected = clients.remote(name)
    if connected is not None:
        return _connected(connected, user_name, password, client_url)
    if client_url:
        login = RemoteLogin(name=name, url=client_url, user_name=user_name, password=password)
        return _new_remote(login, registration)
    organization = Organization.objects.filter(name=name, kind=Organization.Kind.CLIENT).first()
    if organization is not None:
        _administrator(name, user_name, password, address)
        return organization
    if registration is None:
        # The same work as for a name that exists, so that time tells nothing either.
        _administrator(name, user_name, password, address)
        raise ClientRefused
    check_registration(registration)
    return new_client(name, user_name, password, registration)


def check_registration(registration: Registration) -> None:
    """Raise RegistrationClosed unless this installation takes new organizations like that."""
    policy = settings.RESCO_SYNC_REGISTRATION
    if policy == CLOSED:
        raise RegistrationClosed(
            "This installation does not take new organizations. Ask its administrator to make "
            "one for you."
        )
    known = hmac.compare_digest(registration.key.encode(), registration_key().encode())
    if policy == INVITE and not known:
        raise RegistrationClosed(
            "New organizations need the registration key of this installation "
            "('RegistrationKey' in 'RegistrationInfo'). Ask its administrator for it."
        )


def registration_key() -> str:
    """Return the key that invited people give; without a set one it follows from SECRET_KEY."""
    return settings.RESCO_SYNC_REGISTRATION_KEY or salted_hmac(_SALT, "key").hexdigest()[:24]


def invitation() -> str:
    """Return the key to give to people who may register; '' where none is asked for."""
    return registration_key() if settings.RESCO_SYNC_REGISTRATION == INVITE else ""


def new_client(name: str, user_name: str, password: str, registration: Registration) -> NewClient:
    """Return a client to be made. Raises InvalidRequest for its name, e-mail or password."""
    check_name(name)
    if Organization.objects.filter(name=name).exists():
        raise ClientRefused
    try:
        check_login(user_name, password)
    except InvalidRequest as error:
        element = _ELEMENTS.get(error.element, "Authorization")
        raise InvalidRequest(f"The new administrator: {error}", element=element) from error
    person = {
        name: getattr(registration, name)
        for name in ("first_name", "last_name", "company", "job_title", "phone", "country")
    }
    return NewClient(name=name, email=user_name, password=password, person=person)


def _connected(connection: Connection, user_name: str, password: str, url: str) -> RemoteLogin:
    """Whoever has the login by which we reach the client may change it, and nobody else."""
    endpoint = connection.client
    is_elsewhere = bool(url) and url.rstrip("/").lower() != endpoint.url.rstrip("/").lower()
    # Another address could claim to be the organization, and let anybody in.
    if is_elsewhere or not clients.is_user_of(endpoint, user_name):
        raise ClientRefused
    return RemoteLogin(
        name=connection.name, url=endpoint.url, user_name=user_name, password=password
    )


def _new_remote(login: RemoteLogin, registration: Registration | None) -> RemoteLogin:
    """A new connection to a client elsewhere needs what a new organization here needs."""
    if registration is None:
        raise InvalidRequest(
            "'RegistrationInfo' is missing: a client that is not connected yet needs it.",
            element="RegistrationInfo",
        )
    check_registration(registration)
    check_name(login.name)
    if Organization.objects.filter(name=login.name).exists():
        raise ClientRefused
    return login


def check_name(name: str) -> None:
    """Raise InvalidRequest for a name that no client can have."""
    try:
        validate_name(name)
    except ValidationError as error:
        raise InvalidRequest(error.messages[0], element="ClientOrganization") from error


def _administrator(name: str, user_name: str, password: str, address: str) -> None:
    try:
        member = authentication.member(name, user_name, password, address)
    except authentication.AuthenticationFailed as error:
        raise ClientRefused from error
    if not member.is_administrator:
        raise ClientRefused
