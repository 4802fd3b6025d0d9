"""What a twin's plug-ins record: deletions, removed pairs, new owners, and what is tracked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from organizations.catalog import Catalog, delete_organization
from organizations.dynamics import plugins
from organizations.dynamics.tracking import ENTITY, Operation, TrackedStore
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.query.nodes import Query
from organizations.records import Reference
from organizations.store import Store
from tests.organizations.dynamics.library import Api, make
from tests.organizations.dynamics.office import make_office

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        twin = make_office("tracked-office")
        plugins.track(twin, "relationships", ["person_tag"])
        plugins.track(twin, "deletes", ["person"])
        plugins.track(twin, "owners", ["firm"])
    yield twin
    with django_db_blocker.unblock():
        delete_organization(twin)


@pytest.fixture
def api(office: Organization, db: None) -> Api:
    return Api(office)


def rows(twin: Organization) -> list[dict[str, Any]]:
    found = Store(twin).query(Query(entity=ENTITY, select_all=True)).rows
    return [dict(row) for row in found]


def told(twin: Organization) -> list[tuple[Operation, str, str]]:
    """What was recorded of records, without what is tracked."""
    found = rows(twin)
    return [
        (Operation(row["resco_operation"]), row["resco_entityname"], row["resco_recordid"])
        for row in found
        if row["resco_recordid"]
    ]


def test_a_deleted_record_is_recorded(api: Api) -> None:
    person = make(api.twin, "person", name="Ada")
    assert api.send("DELETE", f"people({person})").status_code == 204
    assert told(api.twin) == [(Operation.DELETE, "person", person)]


def test_a_record_that_is_deleted_with_another_is_recorded(api: Api) -> None:
    firm = make(api.twin, "firm", name="Works")
    person = make(api.twin, "person", name="Ada", firmid=Reference("firm", firm))
    assert api.send("DELETE", f"firms({firm})").status_code == 204
    assert told(api.twin) == [(Operation.DELETE, "person", person)]


def test_a_removed_pair_is_recorded_by_its_own_id(api: Api) -> None:
    person, tag = make(api.twin, "person", name="Ada"), make(api.twin, "tag", name="red")
    body = {"@odata.id": f"tags({tag})"}
    assert api.send("POST", f"people({person})/person_tag/$ref", body).status_code == 204
    (pair,) = Store(api.twin).query(Query(entity="persontag", select_all=True)).rows
    assert api.send("DELETE", f"people({person})/person_tag({tag})/$ref").status_code == 204
    assert told(api.twin) == [(Operation.DISASSOCIATE, "persontag", str(pair["persontagid"]))]


def test_a_new_owner_is_recorded_and_the_same_one_is_not(api: Api) -> None:
    owner = str(uuid4())
    firm = make(api.twin, "firm", name="Works")
    values = {"ownerid": Reference("systemuser", owner)}
    for _ in range(2):
        TrackedStore(api.twin).update("firm", firm, values)
    assert told(api.twin) == [(Operation.OWNER, "firm", firm)]


def test_what_is_not_chosen_is_not_recorded(api: Api) -> None:
    firm = make(api.twin, "firm", name="Works")
    assert api.send("PATCH", f"firms({firm})", {"name": "Works Ltd"}).status_code == 204
    assert api.send("DELETE", f"firms({firm})").status_code == 204
    assert told(api.twin) == []


def test_a_delete_that_is_refused_records_nothing(api: Api) -> None:
    person = make(api.twin, "person", name="Ada")
    make(api.twin, "letter", senderid=Reference("person", person))
    assert api.send("DELETE", f"people({person})").status_code == 405
    assert told(api.twin) == []


def test_every_save_tells_what_is_tracked_from_then_on(office: Organization) -> None:
    documents = [orjson.loads(row["resco_configuration"]) for row in rows(office)]
    assert {"pairs": ["persontag"], "deletes": ["person"], "owners": ["firm"]} in documents
    before = len(documents)
    assert not plugins.track(office, "deletes", ["person"])
    assert len(rows(office)) == before


def test_it_offers_what_a_twin_has(office: Organization) -> None:
    (pairs,) = plugins.choices(office, "relationships")
    assert (pairs.name, pairs.ends) == ("person_tag", ("person", "tag"))
    deletes = [item.name for item in plugins.choices(office, "deletes")]
    assert deletes == ["firm", "letter", "person", "systemuser", "tag"]
    assert [item.name for item in plugins.choices(office, "owners")] == ["firm"]


def test_what_it_does_not_offer_is_refused(office: Organization) -> None:
    with pytest.raises(InvalidRequest, match="Owner: tag cannot be tracked. Choose from the list"):
        plugins.track(office, "owners", ["firm", "tag"])
    assert plugins.tracked(office).owners == ["firm"]


def test_the_rows_are_read_like_any_others(api: Api) -> None:
    assert Catalog(api.twin).entity(ENTITY).tracks_changes
    found = api.rows("resco_mobiletrackings")
    assert {row["resco_operation"] for row in found} == {0}
    assert all(UUID(row["resco_mobiletrackingid"]) for row in found)
