"""What somebody asks for when connecting: a validated value, whichever door it came through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from connections import registry
from connections.connectors import authority as authorities
from connections.connectors.certificate import LONGEST
from connections.logins import LoginKind
from organizations.errors import InvalidRequest

_FIELDS = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Company": "company",
    "JobTitle": "job_title",
    "Phone": "phone",
    "Country": "country",
}
_LENGTHS = {"first_name": 64, "last_name": 64, "company": 160, "job_title": 100, "phone": 50}
_ENTITY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who asks for a new client organization. `key` is the installation's registration key."""

    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    job_title: str = ""
    phone: str = ""
    country: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChoice:
    """An entity to enable; a switch that is None stays as it is.

    `names` are server attribute → client attribute, of those that differ. None: what is kept
    stays, and where nothing is kept, names are suggested.
    """

    name: str
    sync_deletion: bool | None = None
    write_offline: bool | None = None
    names: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """The server organization, and what to take from it.

    `entities`, `filters_xml` and `write_offline` are None when absent: then what is set stays as
    it is. `client_url` is the address of a client that is not hosted here.
    `login_kind` says what the password is; `authority` is one that a person has confirmed.
    """

    backend: str
    url: str
    user_name: str
    password: str = field(repr=False)
    login_kind: LoginKind = LoginKind.SECRET
    authority: str = ""
    registration: Registration | None = None
    entities: tuple[EntityChoice, ...] | None = None
    filters_xml: str | None = None
    write_offline: bool | None = None
    client_url: str = ""


def from_document(document: object) -> ConnectRequest:
    """Return the request from nested dictionaries with the published names as keys.

    Raises InvalidRequest; its `element` is the name of what is missing or wrong.
    """
    root = _mapping(document, "ConnectRequest")
    root = _mapping(root.get("ConnectRequest", root), "ConnectRequest")
    if "SyncSetup" not in root:
        raise InvalidRequest("'SyncSetup' is missing.", element="SyncSetup")
    setup = _mapping(root["SyncSetup"], "SyncSetup")
    password = _limited(_required(setup, "Password"), "Password", LONGEST)
    return ConnectRequest(
        backend=_backend(_required(setup, "ProviderID")),
        url=server_url(_required(setup, "Url")),
        user_name=_limited(_required(setup, "UserName"), "UserName", 254),
        password=password,
        login_kind=LoginKind.of(password),
        authority=_authority(setup.get("Authority")),
        registration=_registration(setup.get("RegistrationInfo")),
        entities=_entities(root.get("Entities", setup.get("Entities"))),
        filters_xml=_filters(root.get("SyncFiltersXml", setup.get("SyncFiltersXml"))),
        write_offline=_switch(root.get("WriteOffline", setup.get("WriteOffline")), "WriteOffline"),
        client_url=_client_url(root.get("ClientUrl", setup.get("ClientUrl"))),
    )


def _client_url(value: object) -> str:
    text = "" if value is None else _text(value, "ClientUrl")
    return server_url(text, "ClientUrl") if text.strip() else ""


def _mapping(value: object, element: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"'{element}' must hold named elements.", element=element)
    return value


def _text(value: object, element: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"'{element}' must be text.", element=element)
    return value


def _required(parent: Mapping[str, Any], element: str) -> str:
    value = _text(parent.get(element, ""), element)
    if not value.strip():
        raise InvalidRequest(f"'{element}' is missing or empty.", element=element)
    return value


def _limited(value: str, element: str, length: int) -> str:
    if len(value) > length:
        raise InvalidRequest(f"'{element}' is longer than {length} characters.", element=element)
    return value


def _backend(provider: str) -> str:
    try:
        return registry.backend_of(provider)
    except registry.UnknownProvider as error:
        raise InvalidRequest(f"'ProviderID': {error}", element="ProviderID") from error


def server_url(value: str, element: str = "Url") -> str:
    """Return a typed address as it is kept. Raises InvalidRequest naming the element."""
    url = value.strip().rstrip("/")
    url = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or len(url) > 500 or any(character.isspace() for character in url):
        raise InvalidRequest(
            f"'{element}' is '{value[:100]}'; it must be a web address such as "
            "https://server.example.com.",
            element=element,
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidRequest(
            f"'{element}' must not hold a user name, a password, a query or a fragment.",
            element=element,
        )
    return url


def _authority(value: object) -> str:
    text = "" if value is None else _text(value, "Authority")
    return authorities.normal(_limited(text, "Authority", 500))


def _registration(value: object) -> Registration | None:
    if value is None or value == "":
        return None
    info = _mapping(value, "RegistrationInfo")
    email = _required(info, "Email").strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidRequest(
            f"'Email' is '{email[:100]}', which is no e-mail address.", element="Email"
        ) from error
    texts = {key: _text(info.get(name) or "", name).strip() for name, key in _FIELDS.items()}
    for name, key in _FIELDS.items():
        _limited(texts[key], name, _LENGTHS.get(key, 80))
    return Registration(
        email=email, key=_text(info.get("RegistrationKey") or "", "RegistrationKey"), **texts
    )


def _entities(value: object) -> tuple[EntityChoice, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        parts = (part.strip() for part in value.replace(",", ";").split(";"))
        value = [part for part in parts if part]
    if not isinstance(value, list | tuple):
        raise InvalidRequest("'Entities' must be a list of entity names.", element="Entities")
    choices = tuple(map(_choice, value))
    names = [choice.name for choice in choices]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(f"'Entities' names '{name}' twice.", element="Entities")
    return choices


def _choice(value: object) -> EntityChoice:
    if isinstance(value, str):
        value = {"Name": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("Name"), str):
        raise InvalidRequest("An 'Entity' in 'Entities' has no 'Name'.", element="Entities")
    name = value["Name"].strip()
    if not _ENTITY_NAME.match(name):
        raise InvalidRequest(
            f"'Entities' holds '{name[:60]}', which is no logical name of an entity.",
            element="Entities",
        )
    return EntityChoice(
        name=name.lower(),
        sync_deletion=_switch(value.get("SyncDeletion"), "SyncDeletion"),
        write_offline=_switch(value.get("WriteOffline"), "WriteOffline"),
        names=_names(name, value.get("Names")),
    )


def _names(entity: str, value: object) -> Mapping[str, str] | None:
    """Return the names of an object, or of text such as `accountid=id;fullname=name`."""
    if value is None:
        return None
    if isinstance(value, str):
        parts = (part.partition("=") for part in value.split(";") if part.strip())
        value = {here.strip(): there.strip() for here, _, there in parts}
    if not isinstance(value, Mapping):
        raise InvalidRequest(
            f"'Names' of '{entity}' must hold the server's names and the client's, such as "
            "accountid=id.",
            element="Names",
        )
    for pair in value.items():
        if not all(isinstance(name, str) and _ENTITY_NAME.match(name) for name in pair):
            raise InvalidRequest(
                f"'Names' of '{entity}' holds '{f'{pair[0]}={pair[1]}'[:80]}', which are no "
                "logical names of attributes.",
                element="Names",
            )
    found = {here.lower(): there.lower() for here, there in value.items()}
    if len(set(found.values())) < len(value):
        raise InvalidRequest(
            f"'Names' of '{entity}' has two attributes of one name.", element="Names"
        )
    return found


def _switch(value: object, element: str) -> bool | None:
    known = {"true": True, "1": True, "false": False, "0": False}
    if value is None:
        return None
    if str(value).strip().lower() not in known:
        raise InvalidRequest(
            f"'{element}' is '{str(value)[:40]}'; it must be true or false.",
            element=element,
        )
    return known[str(value).strip().lower()]


def _filters(value: object) -> str | None:
    return None if value is None else _text(value, "SyncFiltersXml").strip()
