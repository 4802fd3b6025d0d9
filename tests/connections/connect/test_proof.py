"""What is checked at the server before anything is saved, and what each refusal says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connections import registry
from connections.connect import proof
from connections.connect.errors import ServerRefused, TooSlow
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.base import Connector, EntitySummary, Identity
from connections.connectors.dynamics import difficult
from connections.connectors.memory.connector import MemoryConnector
from connections.connectors.memory.organization import MemoryOrganization
from connections.errors import (
    LoginFailed,
    MetadataChanged,
    Refused,
    Retryable,
    UnknownEntity,
    Unreachable,
)
from organizations.errors import InvalidRequest
from organizations.schema import Attribute, AttributeType, Entity, ManyToMany

REQUEST = ConnectRequest(
    backend="dynamics", url="https://server.example.com", user_name="u", password="p"
)
PAIR = ManyToMany(
    name="leads_rivals",
    entity1="lead",
    attribute1="leadid",
    entity2="rival",
    attribute2="rivalid",
    intersect_entity="leadrivals",
)
FETCH = '<fetchcollection><fetch><entity name="{}">{}</entity></fetch></fetchcollection>'
CONDITION = '<filter><condition attribute="{}" operator="not-null"/></filter>'


def make_entity(name: str, **properties: Any) -> Entity:
    key = Attribute(name=f"{name}id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    title = Attribute(name="name", type=AttributeType.STRING)
    return Entity(
        name=name, primary_id=key.name, set_name=f"{name}s", attributes=(key, title), **properties
    )


ENTITIES = (
    make_entity("lead", relationships=(PAIR,)),
    make_entity("rival", relationships=(PAIR,)),
    make_entity("leadrivals", is_intersect=True, relationships=(PAIR,)),
    make_entity("activityparty"),
)


class Scripted(MemoryConnector):
    """Does as a test says when it is asked who it is, or for an entity."""

    def __init__(
        self,
        *entities: Entity,
        who: Callable[[], None] = lambda: None,
        what: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(MemoryOrganization.of("server", entities))
        self.who, self.what = who, what
        self.hurried: list[float] = []

    def hurry(self, seconds: float) -> None:
        self.hurried.append(seconds)

    def identify(self) -> Identity:
        self.who()
        return super().identify()

    def entities(self) -> Iterator[EntitySummary]:
        for entity in self.organization.entities.values():
            yield EntitySummary(
                name=entity.name,
                is_intersect=entity.is_intersect,
                problem=difficult.problem(entity.name),
            )

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        self.what()
        return super().describe(names)


Serve = Callable[[Connector], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Let a connector be the one that any login leads to."""

    def let(server: Connector) -> None:
        monkeypatch.setattr(registry, "unsaved", lambda *_, **__: server)

    return let


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def chosen(*names: str) -> tuple[EntityChoice, ...]:
    return tuple(EntityChoice(name=name) for name in names)


def test_it_proves_login_names_and_filters(serve: Serve) -> None:
    server = Scripted(*ENTITIES)
    serve(server)
    filters = FETCH.format("lead", CONDITION.format("name"))
    request = replace(REQUEST, entities=chosen("lead"), filters_xml=filters)
    found = proof.prove(request)
    assert found.identity.organization_id == server.organization.id
    assert [item.name for item in found.listed] == [entity.name for entity in ENTITIES]
    assert found.entities == chosen("lead")
    assert found.filters is not None
    assert "not-null" in found.filters["lead"]
    assert server.hurried == [proof.DEADLINE]


def test_what_the_request_leaves_out_is_left_as_it_is(serve: Serve) -> None:
    serve(Scripted(*ENTITIES))
    assert (proof.prove(REQUEST).entities, proof.prove(REQUEST).filters) == (None, None)
    assert proof.prove(replace(REQUEST, filters_xml="")).filters == {}


@pytest.mark.parametrize(
    ("error", "kind", "element", "message"),
    [
        (LoginFailed("No."), ServerRefused, "Password", "The server refused the login: No."),
        (Unreachable("No."), ServerRefused, "Url", "The server cannot be reached: No."),
        (Refused("Not allowed."), ServerRefused, "Url", "Not allowed."),
        (MetadataChanged("Odd."), ServerRefused, "Url", "Odd."),
        (Retryable("Busy."), TooSlow, "Url", "The server does not answer as it should: Busy."),
        (UnknownEntity("lead"), InvalidRequest, "Entities", "has no entity 'lead'"),
    ],
)
def test_each_failure_says_what_to_correct(
    serve: Serve, error: Exception, kind: type[Exception], element: str, message: str
) -> None:
    for server in (Scripted(*ENTITIES, who=fails(error)), Scripted(*ENTITIES, what=fails(error))):
        serve(server)
        filters = FETCH.format("lead", CONDITION.format("name"))
        with pytest.raises(kind, match=message) as raised:
            proof.prove(replace(REQUEST, filters_xml=filters))
        assert raised.value.element == element  # type: ignore[attr-defined]


def test_a_user_who_sees_nothing_is_told_so(serve: Serve) -> None:
    serve(Scripted())
    with pytest.raises(ServerRefused, match="shows this user no entity. Give the user") as raised:
        proof.prove(REQUEST)
    assert raised.value.element == "UserName"


@pytest.mark.parametrize(
    ("changes", "element", "message"),
    [
        ({"entities": chosen("lead", "unicorn")}, "Entities", "'unicorn', which the server does"),
        (
            {"entities": chosen("activityparty")},
            "Entities",
            "'activityparty', which cannot be carried: Activity parties",
        ),
        ({"filters_xml": "<fetch"}, "SyncFiltersXml", "'SyncFiltersXml'"),
        (
            {"filters_xml": FETCH.format("unicorn", "")},
            "SyncFiltersXml",
            "no entity 'unicorn'",
        ),
        (
            {"filters_xml": FETCH.format("lead", CONDITION.format("horn"))},
            "SyncFiltersXml",
            "horn",
        ),
        (
            {"filters_xml": FETCH.format("leadrivals", "")},
            "SyncFiltersXml",
            "'leadrivals' is an N:N entity",
        ),
        (
            {"entities": chosen("lead"), "filters_xml": FETCH.format("rival", "")},
            "SyncFiltersXml",
            "filters 'rival', which 'Entities' does not name",
        ),
    ],
)
def test_names_and_filters_are_checked_at_the_server(
    serve: Serve, changes: dict[str, Any], element: str, message: str
) -> None:
    serve(Scripted(*ENTITIES))
    with pytest.raises(InvalidRequest, match=message) as raised:
        proof.prove(replace(REQUEST, **changes))
    assert raised.value.element == element


def test_a_server_that_takes_too_long_is_given_up(serve: Serve) -> None:
    now = [0.0]

    def linger(seconds: float) -> Callable[[], None]:
        def wait() -> None:
            now[0] += seconds

        return wait

    serve(Scripted(*ENTITIES, who=linger(31)))
    with pytest.raises(TooSlow, match="more than 30 seconds to answer. Try again later"):
        proof.prove(REQUEST, clock=lambda: now[0])
    serve(Scripted(*ENTITIES, who=linger(29)))
    assert proof.prove(REQUEST, clock=lambda: now[0]).listed


def test_filters_of_many_entities_share_the_time(serve: Serve) -> None:
    now = [0.0]

    def linger() -> None:
        now[0] += 20

    fetches = "".join(
        f'<fetch><entity name="{name}">{CONDITION.format("name")}</entity></fetch>'
        for name in ("lead", "rival", "activityparty")
    )
    serve(Scripted(*ENTITIES, what=linger))
    request = replace(REQUEST, filters_xml=f"<fetchcollection>{fetches}</fetchcollection>")
    with pytest.raises(TooSlow, match="more than 30 seconds"):
        proof.prove(request, clock=lambda: now[0])
