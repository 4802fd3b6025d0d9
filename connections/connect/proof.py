"""Proving a connection before anything is saved: login, entity names, filters.

All of it happens in the caller's request, so it has a deadline (design 5.1.13).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from connections import filters, registry
from connections.connect.errors import ServerRefused, TooSlow
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.authority import UnconfirmedAuthority
from connections.connectors.base import Connector, EntitySummary, Identity
from connections.errors import (
    ConnectorError,
    LoginFailed,
    Refused,
    Retryable,
    UnknownEntity,
    Unreachable,
)
from connections.logins import Forgetful, Keeper
from organizations.errors import InvalidRequest, NotFound
from organizations.schema import Entity

DEADLINE = 30.0
"""Seconds that proving may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A request whose every word was checked against the server itself.

    `entities` are the choices to enable, None to leave them as they are; `filters` maps entity
    names to FetchXML, None to leave them as they are.
    """

    request: ConnectRequest
    identity: Identity
    listed: tuple[EntitySummary, ...]
    entities: tuple[EntityChoice, ...] | None
    filters: Mapping[str, str] | None


def prove(
    request: ConnectRequest,
    *,
    keeper: Keeper | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Proof:
    """Log in to the server and check what the request names there.

    The proof's request holds the refresh token as it is after that; `keeper` hears of it too.
    Raises InvalidRequest, ServerRefused or TooSlow; saves nothing.
    """
    end = clock() + DEADLINE
    newest = _Newest(request.password, keeper or Forgetful())
    try:
        with _server(request, newest) as server:
            server.hurry(DEADLINE)
            found = _Prover(request, server, lambda: clock() > end).prove()
            return replace(found, request=replace(request, password=newest.secret))
    except UnconfirmedAuthority as error:
        raise ServerRefused(str(error), "Authority") from error
    except LoginFailed as error:
        raise ServerRefused(f"The server refused the login: {error}", "Password") from error
    except Unreachable as error:
        raise ServerRefused(f"The server cannot be reached: {error}", "Url") from error
    except UnknownEntity as error:
        raise InvalidRequest(str(error), element="Entities") from error
    except Refused as error:
        raise ServerRefused(str(error), "Url") from error
    except Retryable as error:
        raise TooSlow(f"The server does not answer as it should: {error}") from error
    except ConnectorError as error:
        raise ServerRefused(str(error), "Url") from error


@dataclass
class _Newest:
    """The keeper of a login that is not saved yet."""

    secret: str
    outer: Keeper

    def renewed(self, refresh_token: str) -> None:
        self.secret = refresh_token
        self.outer.renewed(refresh_token)

    def lost(self, reason: str) -> None:
        self.outer.lost(reason)


def _server(request: ConnectRequest, keeper: Keeper) -> Connector:
    return registry.unsaved(
        request.backend,
        request.url,
        request.user_name,
        request.password,
        authority=request.authority,
        kind=request.login_kind,
        keeper=keeper,
    )


@dataclass(frozen=True)
class _Prover:
    request: ConnectRequest
    server: Connector
    is_late: Callable[[], bool]

    def prove(self) -> Proof:
        identity = self.server.identify()
        self._check_time()
        listed = tuple(self.server.entities())
        self._check_time()
        if not listed:
            raise ServerRefused(
                "The server shows this user no entity. Give the user a role that may read the "
                "metadata.",
                "UserName",
            )
        names = {summary.name: summary for summary in listed}
        self._check_entities(names)
        self._check_names(self._schema(names))
        return Proof(
            request=self.request,
            identity=identity,
            listed=listed,
            entities=self.request.entities,
            filters=self._filters(names),
        )

    def _check_time(self) -> None:
        if self.is_late():
            raise TooSlow(
                f"The server needed more than {DEADLINE:.0f} seconds to answer. Try again later."
            )

    def _check_entities(self, names: Mapping[str, EntitySummary]) -> None:
        for choice in self.request.entities or ():
            if choice.name not in names:
                raise InvalidRequest(
                    f"'Entities' names '{choice.name}', which the server does not have.",
                    element="Entities",
                )
            if problem := names[choice.name].problem:
                raise InvalidRequest(
                    f"'Entities' names '{choice.name}', which cannot be carried: {problem}",
                    element="Entities",
                )

    def _check_names(self, schema: Callable[[str], Entity]) -> None:
        for choice in self.request.entities or ():
            for name in choice.names or ():
                if schema(choice.name).attribute(name) is None:
                    raise InvalidRequest(
                        f"'Names' of '{choice.name}' has '{name}', which is no attribute of the "
                        "server's.",
                        element="Names",
                    )

    def _filters(self, names: Mapping[str, EntitySummary]) -> Mapping[str, str] | None:
        text = self.request.filters_xml
        if text is None:
            return None
        found = filters.checked_collection(text, self._schema(names))
        chosen = self.request.entities
        for name in found:
            if chosen is not None and name not in {choice.name for choice in chosen}:
                raise InvalidRequest(
                    f"'SyncFiltersXml' filters '{name}', which 'Entities' does not name.",
                    element="SyncFiltersXml",
                )
        return found

    def _schema(self, names: Mapping[str, EntitySummary]) -> Callable[[str], Entity]:
        read: dict[str, Entity] = {}

        def entity(name: str) -> Entity:
            self._check_time()
            if name not in names:
                raise NotFound("entity", name)
            if name not in read:
                read[name] = next(iter(self.server.describe([name])))
            return read[name]

        return entity
