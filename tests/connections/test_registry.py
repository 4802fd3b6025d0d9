"""From endpoints and ProviderIDs to connectors."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from connections import registry
from connections.connectors.base import Connector
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.dynamics.marks import Marks
from connections.errors import Refused
from connections.models import Endpoint

DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"


@pytest.mark.parametrize("text", [DYNAMICS, f" {{{DYNAMICS.upper()}}} "])
def test_it_knows_the_published_provider_id(text: str) -> None:
    assert registry.backend_of(text) == "dynamics"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ProviderID '' is not a GUID"),
        ("dynamics", "ProviderID 'dynamics' is not a GUID"),
        ("60650fb3-5d8b-45dd-b82e-459f3b019e9b", f"Known: {DYNAMICS} \\(dynamics\\)"),
        ("2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a03", "is not one this installation can connect"),
    ],
)
def test_it_says_which_provider_ids_it_knows(text: str, message: str) -> None:
    with pytest.raises(registry.UnknownProvider, match=message):
        registry.backend_of(text)


def test_the_settings_add_provider_ids_and_connectors(settings: Settings) -> None:
    settings.RESCO_SYNC_PROVIDER_IDS = {"AAAAAAAA-0000-0000-0000-000000000001": "own"}
    settings.RESCO_SYNC_CONNECTORS = {"own": "builtins.dict"}
    assert registry.backend_of("aaaaaaaa-0000-0000-0000-000000000001") == "own"
    assert registry.is_usable("own")
    with pytest.raises(TypeError):
        registry.unsaved("own", "https://a", "joe", "x")


def test_it_makes_a_connector_for_an_unsaved_login() -> None:
    made = registry.unsaved("dynamics", "https://a.example", "joe", "x")
    assert isinstance(made, Connector)
    assert made.backend == "dynamics"


@pytest.mark.django_db
def test_it_makes_the_connector_of_an_endpoint() -> None:
    endpoint = Endpoint(backend="dynamics", url="https://a.example", user_name="joe")
    assert registry.connector(endpoint).backend == "dynamics"


def test_it_refuses_what_it_cannot_speak_to() -> None:
    with pytest.raises(Refused, match="no connector for back end 'salesforce'"):
        registry.unsaved("salesforce", "https://a", "joe", "x")
    with pytest.raises(Refused, match="is hosted here but names no organization"):
        registry.connector(Endpoint(backend="hosted"))


@pytest.mark.django_db
def test_writes_are_marked_as_the_endpoint_says() -> None:
    endpoint = Endpoint(
        backend="dynamics", url="https://a.example", bypass_logic="CustomSync", is_quiet=True
    )
    made = registry.connector(endpoint, origin="the connection")
    assert isinstance(made, DynamicsConnector)
    assert made.marks == Marks(tag="the connection", bypass="CustomSync", is_quiet=True)
