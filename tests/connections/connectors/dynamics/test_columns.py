"""Which attributes are read and which are written, by a real definition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.connectors.dynamics.columns import Shape, is_writable
from organizations.dynamics.codec import entity_from_json
from organizations.schema import Attribute, AttributeType, Entity, Source
from tests.organizations.dynamics.shared_data import definition


@pytest.fixture(scope="module")
def lead() -> Entity:
    return entity_from_json(definition("lead"))


def writable(entity: Entity, *, creating: bool) -> set[str]:
    return {item.name for item in entity.attributes if is_writable(item, creating=creating)}


def test_it_writes_what_the_metadata_allow(lead: Entity) -> None:
    created, updated = (writable(lead, creating=creating) for creating in (True, False))
    assert {"subject", "lastname", "ownerid", "statecode", "revenue"} <= created & updated
    assert {"leadid", "overriddencreatedon", "importsequencenumber"} <= created - updated
    never = {"fullname", "modifiedon", "versionnumber", "exchangerate", "revenue_base"}
    assert not never & (created | updated)


def test_valid_for_update_alone_is_not_enough(lead: Entity) -> None:
    """The real metadata call these writable, but OData does not show them."""
    raw = {item["LogicalName"]: item for item in definition("lead")["Attributes"]}
    for name in ("owneridtype", "customeridtype"):
        assert raw[name]["IsValidForUpdate"]
        assert not raw[name]["IsValidODataAttribute"]
        assert name not in writable(lead, creating=False)


def test_shadows_are_neither_read_nor_written(lead: Entity) -> None:
    shadows = {item.name for item in lead.attributes if item.attribute_of is not None}
    assert "owneridname" in shadows
    assert not shadows & writable(lead, creating=True)
    assert not shadows & set(Shape.of(lead, lead.attributes).select.split(","))


def test_a_reading_names_only_what_is_asked_for(lead: Entity) -> None:
    wanted = [item for item in lead.attributes if item.name in ("subject", "ownerid")]
    shape = Shape.of(lead, wanted)
    assert sorted(shape.select.split(",")) == [
        "_ownerid_value",
        "leadid",
        "subject",
        "versionnumber",
    ]
    assert "FormattedValue" not in shape.annotations
    assert "entityimage" not in Shape.of(lead, lead.attributes).select.split(",")


@pytest.mark.parametrize("source", [Source.CALCULATED, Source.ROLLUP, Source.FORMULA])
def test_what_the_server_computes_is_read_only(source: Source) -> None:
    plain = Attribute(name="total", type=AttributeType.INTEGER)
    assert is_writable(plain, creating=True)
    assert not is_writable(replace(plain, source=source), creating=False)


@pytest.mark.parametrize("kind", [AttributeType.IMAGE, AttributeType.FILE])
def test_images_and_files_are_declared_but_not_written(kind: AttributeType) -> None:
    assert not is_writable(Attribute(name="picture", type=kind), creating=True)
