"""Connecting by the JSON API: a client hosted here, a new one, or one hosted elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from connections.connect import admission, clients, proof, service
from connections.connect.clients import Wished
from connections.connect.request import ConnectRequest, Registration, from_document, server_url
from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.api.access import Starter
from syncjobs.models import Run

FIELDS = {
    "ClientOrganization": "name",
    "ClientUrl": "client_url",
    "ClientPassword": "client_password",
    "Email": "client_user_name",
    "Authorization": "client_password",
    "ProviderID": "provider_id",
    "Url": "url",
    "UserName": "user_name",
    "Password": "password",
    "Entities": "entities",
    "Names": "names",
}
"""Which field an element of the request is given in."""


def connect(wanted: Mapping[str, Any], starter: Starter) -> Run:
    """Prove both logins, save the connection, start its job.

    Raises InvalidRequest, ConnectError; then nothing was saved.
    """
    request = _request(wanted)
    wished = _client(wanted)
    service.check_free(wished.name, request.backend, request.url)
    who, proven = clients.prove(wished), proof.prove(request)
    with transaction.atomic():
        connection = service.connect(proven, who)
        return dispatch.start(connection, Run.Kind.CONNECT, reason="API", **starter)


def _request(wanted: Mapping[str, Any]) -> ConnectRequest:
    setup = {
        "ProviderID": wanted["provider_id"],
        "Url": wanted["url"],
        "UserName": wanted["user_name"],
        "Password": wanted["password"],
    }
    more = {"Entities": _entities(wanted), "WriteOffline": wanted.get("write_offline")}
    return from_document({"SyncSetup": setup, **more})


def _entities(wanted: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    entities, names = wanted.get("entities"), wanted.get("names") or {}
    if unlisted := sorted(set(names) - set(entities or ())):
        raise InvalidRequest(
            f"'names' is about '{unlisted[0][:60]}', which 'entities' does not list.",
            element="Names",
        )
    if entities is None:
        return None
    return [{"Name": name, "Names": names.get(name)} for name in entities]


def _client(wanted: Mapping[str, Any]) -> Wished:
    name, user_name = wanted["name"], wanted["client_user_name"]
    password, url = wanted["client_password"], wanted["client_url"]
    address = server_url(url, "ClientUrl") if url else ""
    found = clients.named(name, url=address, user_name=user_name, password=password)
    if isinstance(found, clients.RemoteLogin):
        admission.check_name(name)
        if not found.user_name or not found.password:
            raise InvalidRequest(
                "A client hosted elsewhere needs the e-mail and the password of a user there.",
                element="ClientPassword",
            )
    if found is not None:
        return found
    return admission.new_client(name, user_name, password, Registration(email=user_name))
