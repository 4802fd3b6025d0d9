"""What the records of Mobile Tracking tell, and layouts that are not known."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from connections.connectors.dynamics import tracking
from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.errors import MetadataChanged, Refused
from organizations.dynamics.tracking import ENTITY, Operation, entity
from organizations.records import Page, Row

COLUMNS = ("resco_entityname", "resco_operation", "resco_recordid", "resco_configuration")


def make_page(*rows: Row, columns: Sequence[str] = COLUMNS) -> Page:
    versions = list(range(1, len(rows) + 1))
    return Page(entity=ENTITY, columns=tuple(columns), rows=rows, versions=versions)


def make_configuration(**kinds: list[str]) -> Row:
    document = {"pairs": [], "deletes": [], "owners": [], **kinds}
    return None, Operation.CONFIGURATION.value, None, orjson.dumps(document).decode()


def test_it_tells_deletions_removed_pairs_and_owners_by_entity() -> None:
    page = make_page(
        ("account", Operation.DELETE.value, "AA", None),
        ("leadcompetitors", Operation.DISASSOCIATE.value, "bb", None),
        ("account", Operation.OWNER.value, "cc", None),
        ("account", Operation.DELETE.value, "dd", None),
    )
    told = tracking.read(page)
    assert told.deleted == {"account": ["aa", "dd"], "leadcompetitors": ["bb"]}
    assert told.owners == {"account": ["cc"]}
    assert told.covered is None


def test_the_newest_configuration_counts() -> None:
    told = tracking.read(
        make_page(make_configuration(deletes=["lead"]), make_configuration(owners=["account"]))
    )
    assert told.covered == frozenset({"account owners"})
    assert told.since == 2


def test_both_sides_of_the_layout_name_the_same_fields() -> None:
    assert entity().name == tracking.ENTITY
    assert all(entity().attribute(name) is not None for name in COLUMNS)


def test_another_layout_is_said_to_be_unknown() -> None:
    with pytest.raises(MetadataChanged, match="'resco_mobiletracking' of the server has no field"):
        tracking.read(make_page(columns=("resco_action",)))


@pytest.mark.parametrize("text", ["{", "[]", '{"deletes": []}'])
def test_a_configuration_of_another_form_is_refused(text: str) -> None:
    page = make_page((None, Operation.CONFIGURATION.value, None, text))
    with pytest.raises(MetadataChanged, match="Save the Plugins page again"):
        tracking.read(page)


def test_other_organizations_track_nothing() -> None:
    connector = MemoryConnector(MemoryOrganization.of("server", []))
    with pytest.raises(Refused, match="A memory organization does not track deletions and owners"):
        connector.tracking(make_page())
