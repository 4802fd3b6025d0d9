"""Metadata: the six changes of the authors on the server, then Update Server (mission.md A4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from organizations.catalog import Catalog, define, enable, hide
from organizations.schema import Attribute, AttributeType, Entity, Label
from tests.acceptance.cells import METADATA
from tests.acceptance.place import Place
from tests.acceptance.recipes import recipe

pytestmark = pytest.mark.django_db
GERMAN = 1031


NEW = Entity(
    name="new_visit",
    primary_id="new_visitid",
    primary_name="new_name",
    set_name="new_visits",
    schema_name="new_Visit",
    is_custom=True,
    tracks_changes=True,
    label=Label.of({1033: "Visit", GERMAN: "Besuch"}),
    attributes=(
        Attribute(name="new_visitid", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="new_name", type=AttributeType.STRING, max_length=100, is_primary_name=True),
    ),
)


@pytest.fixture(scope="package")
def updated(place: Place) -> dict[str, Entity | None]:
    """Make all six changes on the server, press Update Server; the client's entities after it."""
    _change_server(place)
    place.update_server()
    catalog = Catalog(place.client.organization)
    names = ("new_visit", "account", "new_equipment")
    known = [name for name in names if name != "new_equipment" or catalog.enabled(name)]
    found = {name: catalog.entity(name) if name in known else None for name in names}
    place.sync_all()
    return found


def _change_server(place: Place) -> None:
    _change(place, "account", lambda item: replace(item, max_length=150), "telephone1")
    _change(place, "account", lambda item: None, "telephone3")
    account = Catalog(place.twin).entity("account")
    added = Attribute(
        name="new_rank", schema_name="new_Rank", type=AttributeType.INTEGER, is_custom=True
    )
    label = Label.of({**dict(account.label.texts), GERMAN: "Kundenfirma"})
    changed = replace(account, attributes=(*account.attributes, added), label=label)
    define(place.twin, [changed, NEW])
    enable(place.twin, [NEW.name])
    hide(place.twin, ["new_equipment"])


def _change(
    place: Place, name: str, change: Callable[[Attribute], Attribute | None], attribute: str
) -> None:
    entity = Catalog(place.twin).entity(name)
    changed = [change(item) if item.name == attribute else item for item in entity.attributes]
    kept = tuple(item for item in changed if item is not None)
    define(place.twin, [replace(entity, attributes=kept)])


def _attribute(entity: Entity | None, name: str) -> Attribute | None:
    assert entity is not None
    found = entity.attribute(name)
    return None if found is None or found.is_hidden else found


@pytest.mark.parametrize("number", METADATA, ids=str)
def test_metadata(number: int, updated: dict[str, Entity | None], place: Place) -> None:
    account = updated["account"]
    if number == 1:
        entity = updated["new_visit"]
        assert entity is not None
        assert entity.label.text(GERMAN) == "Besuch"
    elif number == 2:
        found = _attribute(account, "new_rank")
        assert found is not None
        assert found.type is AttributeType.INTEGER
    elif number == 3:
        found = _attribute(account, "telephone1")
        assert found is not None
        assert found.max_length == 150
    elif number == 4:
        assert _attribute(account, "telephone3") is None
    elif number == 5:
        assert updated["new_equipment"] is None
    else:
        assert account is not None
        assert account.label.text(GERMAN) == "Kundenfirma"


def test_records_are_carried_by_the_new_metadata(
    updated: dict[str, Entity | None], place: Place
) -> None:
    assert recipe(place, "account").text_on_client(_any(place)) is not None


def _any(place: Place) -> str:
    return str(place.client.page("account", ["accountid"], limit=1)[0][0])
