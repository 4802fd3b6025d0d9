"""Records with all that hangs on them: nested ones, links, keys, owners, states, delete rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from organizations.catalog import delete_organization
from organizations.models import Organization
from organizations.records import Reference
from organizations.store import Store
from tests.organizations.dynamics import batches
from tests.organizations.dynamics.library import Api, make
from tests.organizations.dynamics.office import make_office

pytestmark = pytest.mark.django_db
ECHO = {"Prefer": "return=representation"}


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        twin = make_office()
    yield twin
    with django_db_blocker.unblock():
        delete_organization(twin)


@pytest.fixture
def api(office: Organization, db: None) -> Api:
    return Api(office)


def names(api: Api, path: str) -> list[str]:
    return sorted(row["name"] for row in api.rows(f"{path}?$select=name"))


def value(api: Api, entity: str, key: str, name: str) -> object:
    return Store(api.twin).get(entity, key).values[name]


# Deep insert and collections


def test_related_records_are_made_with_a_new_one(api: Api) -> None:
    body = {
        "name": "Ann",
        "firmid": {"name": "Mill", "parentid": {"name": "Holding"}},
        "person_letter_receiverid": [{"name": "a"}, {"name": "b"}],
        "person_tag": [{"name": "vip"}],
    }
    response = api.send("POST", "people", body, ECHO)
    assert response.status_code == 201, response.content
    person = json.loads(response.content)
    (mill, holding) = sorted(api.rows("firms"), key=lambda row: row["name"], reverse=True)
    assert person["_firmid_value"] == mill["firmid"]
    assert mill["_parentid_value"] == holding["firmid"]
    letters = api.rows("letters")
    assert [row["_receiverid_value"] for row in letters] == [person["personid"]] * 2
    assert names(api, f"people({person['personid']})/person_tag") == ["vip"]


def test_a_failed_nested_record_leaves_nothing(api: Api) -> None:
    body = {"name": "Ann", "firmid": {"name": "Mill"}, "person_tag": [{"name": "x" * 101}]}
    found = api.fails("people", "POST", body)
    assert found[:2] == (400, "0x80044331")
    assert "'tag' entity" in found[2]
    assert names(api, "people") == names(api, "firms") == []


def test_nested_records_go_with_new_ones_only(api: Api) -> None:
    key = make(api.twin, "person", name="Ann")
    found = api.fails(f"people({key})", "PATCH", {"firmid": {"name": "Mill"}})
    assert found[0] == 400
    assert "made with a new person only" in found[2]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("people", {"firmid": [{"name": "x"}]}, "'firmid' takes an object"),
        ("people", {"person_tag": {"name": "x"}}, "'person_tag' takes a list of objects"),
        ("people", {"firmid": {"x": 1}}, "Invalid property 'x'"),
        ("people", {"firmid": {"branch": 10**12}}, "branch"),
        ("firms", {"ownerid": {"name": "x"}}, "can hold records of systemuser or team"),
    ],
)
def test_bad_nested_records_are_refused(
    api: Api, path: str, body: dict[str, Any], message: str
) -> None:
    status, _, found = api.fails(path, "POST", body)
    assert status == 400
    assert message in found


def test_collections_are_bound(api: Api) -> None:
    ann, bob = make(api.twin, "person", name="Ann"), make(api.twin, "person", name="Bob")
    body = {"name": "Mill", "firm_person_firmid@odata.bind": [f"/people({ann})", f"people({bob})"]}
    firm = json.loads(api.send("POST", "firms", body, ECHO).content)["firmid"]
    assert value(api, "person", ann, "firmid") == value(api, "person", bob, "firmid")
    assert names(api, f"firms({firm})/firm_person_firmid") == ["Ann", "Bob"]
    tag = make(api.twin, "tag", name="vip")
    change = {"person_tag@odata.bind": [f"/tags({tag})"]}
    assert api.send("PATCH", f"people({ann})", change).status_code == 204
    assert names(api, f"people({ann})/person_tag") == ["vip"]


@pytest.mark.parametrize("path", ["firm_person_firmid", "person_tag"])
def test_a_record_is_made_in_a_collection_of_another(api: Api, path: str) -> None:
    entity = "firm" if path == "firm_person_firmid" else "tag"
    owner = make(api.twin, entity, name="owner")
    base = f"{entity}s({owner})"
    made = api.send("POST", f"{base}/{path}", {"name": "Ann"})
    assert made.status_code == 204
    assert made["OData-EntityId"].rpartition("/")[2].startswith("people(")
    assert names(api, f"{base}/{path}") == ["Ann"]
    assert api.fails(f"{base}/x", "POST", {})[:2] == (404, "0x8006088a")
    assert api.fails(f"firms({uuid4()})/firm_person_firmid", "POST", {})[0] == 404


# Alternate keys


def test_a_key_of_several_columns_finds_changes_and_makes(api: Api) -> None:
    path = "firms(number='it''s',branch=3)"
    made = api.send("PATCH", path, {"name": "A", "number": "other"})
    assert made.status_code == 204
    again = api.send("PATCH", path, {"name": "B", "number": "other", "branch": 4})
    assert again["OData-EntityId"] == made["OData-EntityId"]
    firm = api.get(path)
    assert (firm["name"], firm["number"], firm["branch"]) == ("B", "it's", 3)
    assert api.send("DELETE", path).status_code == 204
    assert api.fails(path)[:2] == (404, "0x80060891")
    assert api.fails(path, "DELETE")[:2] == (404, "0x80060891")


def test_a_lookup_is_part_of_a_key(api: Api) -> None:
    parent = make(api.twin, "firm", name="Holding")
    path = f"firms(_parentid_value={parent},number='7')"
    assert api.send("PATCH", path, {"name": "A"}).status_code == 204
    assert api.get(path)["_parentid_value"] == parent
    assert api.send("PATCH", path, {"name": "B"}).status_code == 204
    assert names(api, "firms") == ["B", "Holding"]


def test_an_upsert_by_key_obeys_its_conditions(api: Api) -> None:
    path = "firms(number='1',branch=1)"
    assert api.fails(path, "PATCH", {"name": "A"}, If_Match="*")[0] == 404
    assert api.send("PATCH", path, {"name": "A"}, {"If-None-Match": "*"}).status_code == 204
    found = api.fails(path, "PATCH", {"name": "A"}, If_None_Match="*")
    assert found[:2] == (412, "0x80040237")


def test_a_change_cannot_take_the_key_of_another(api: Api) -> None:
    make(api.twin, "firm", name="A", number="1", branch=1)
    other = make(api.twin, "firm", name="B", number="2", branch=1)
    found = api.fails(f"firms({other})", "PATCH", {"number": "1"})
    assert found[:2] == (412, "0x80060892")
    assert found[2].startswith("Entity Key firm_number violated.")
    assert value(api, "firm", other, "number") == "2"
    assert api.send("PATCH", f"firms({other})", {"number": "2"}).status_code == 204


def test_created_and_changed_look_alike(api: Api) -> None:
    path = f"firms({uuid4()})"
    answers = [api.send("PATCH", path, {"name": name}) for name in "AB"]
    shown = [(answer.status_code, answer["OData-EntityId"]) for answer in answers]
    assert shown[0] == shown[1]
    assert not any("Location" in answer for answer in answers)
    statuses = [api.send("PATCH", path, {"name": "C"}, ECHO).status_code]
    statuses += [api.send("PATCH", f"firms({uuid4()})", {"name": "D"}, ECHO).status_code]
    assert statuses == [200, 201]


# Owners and authors


@pytest.mark.parametrize("header", ["MSCRMCallerID", "CallerObjectId"])
def test_a_record_is_written_on_behalf_of_a_user(api: Api, header: str) -> None:
    entra = str(uuid4())
    user = make(api.twin, "systemuser", name="Ann", azureactivedirectoryobjectid=entra)
    headers = {header: user if header == "MSCRMCallerID" else entra}
    made = json.loads(api.send("POST", "firms", {"name": "A"}, headers | ECHO).content)
    assert made["_ownerid_value"] == made["_createdby_value"] == made["_modifiedby_value"] == user
    assert made["_createdonbehalfby_value"] == str(api.user.pk)
    bob = make(api.twin, "systemuser", name="Bob")
    changed = api.send(
        "PATCH", f"firms({made['firmid']})", {"name": "B"}, {"MSCRMCallerID": bob, **ECHO}
    )
    after = json.loads(changed.content)
    assert (after["_createdby_value"], after["_modifiedby_value"]) == (user, bob)
    assert after["_modifiedonbehalfby_value"] == str(api.user.pk)


def test_a_record_is_written_by_whoever_calls(api: Api) -> None:
    made = json.loads(api.send("POST", "firms", {"name": "A"}, ECHO).content)
    caller = str(api.user.pk)
    assert made["_createdby_value"] == made["_modifiedby_value"] == caller
    assert made["_createdonbehalfby_value"] is None
    bob = make(api.twin, "systemuser", name="Bob")
    path = f"firms({made['firmid']})"
    api.send("PATCH", path, {"name": "B"}, {"MSCRMCallerID": bob, **ECHO})
    after = json.loads(api.send("PATCH", path, {"name": "C"}, ECHO).content)
    assert (after["_modifiedby_value"], after["_modifiedonbehalfby_value"]) == (caller, None)


def test_a_batch_is_sent_on_behalf_of_a_user(api: Api) -> None:
    user = make(api.twin, "systemuser", name="Ann")
    body = batches.body_of(
        batches.operation("POST", "firms", {"name": "A"}),
        batches.operation("POST", "firms", {"name": "B"}, {"MSCRMCallerID": str(uuid4())}),
    )
    response = api.client.post(
        f"{api.root}$batch",
        body.encode(),
        content_type="multipart/mixed; boundary=batch_1",
        headers={"Authorization": f"Bearer {api.token}", "MSCRMCallerID": user},
    )
    assert response.status_code == 403
    (firm,) = api.rows("firms")
    assert (firm["name"], firm["_createdby_value"]) == ("A", user)


def test_an_unknown_user_is_refused(api: Api) -> None:
    for name in (str(uuid4()), "nobody"):
        found = api.fails("firms", "POST", {"name": "A"}, MSCRMCallerID=name)
        assert found == (403, "0x80072560", "The user is not a member of the organization.")


def test_a_record_changes_its_owner(api: Api) -> None:
    user = make(api.twin, "systemuser", name="Ann")
    firm = make(api.twin, "firm", name="A")
    body = {"ownerid@odata.bind": f"/systemusers({user})"}
    assert api.send("PATCH", f"firms({firm})", body).status_code == 204
    assert value(api, "firm", firm, "ownerid") == Reference("systemuser", user)


def test_headers_about_plug_ins_and_tags_do_no_harm(api: Api) -> None:
    headers = {
        "MSCRM.BypassCustomPluginExecution": "true",
        "MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync",
        "MSCRM.SuppressCallbackRegistrationExpanderJob": "true",
        "MSCRM.SuppressDuplicateDetection": "false",
    }
    assert api.send("POST", "firms?tag=ours", {"name": "A"}, headers).status_code == 204
    assert names(api, "firms") == ["A"]


# States


def test_states_change_in_an_allowed_order(api: Api) -> None:
    key = make(api.twin, "letter", name="a")
    found = api.fails(f"letters({key})", "PATCH", {"statecode": 1, "statuscode": 3})
    assert found[:2] == (400, "0x80048408")
    assert "with status 1 cannot change to status 3" in found[2]
    assert value(api, "letter", key, "statuscode") == 1
    for status in (2, 3):
        body = {"statuscode": status, "name": "b"}
        assert api.send("PATCH", f"letters({key})", body).status_code == 204
    assert value(api, "letter", key, "statecode") == 1
    assert api.send("PATCH", f"letters({key})", {"statuscode": 3}).status_code == 204


# Delete rules


def make_staff(api: Api) -> tuple[str, str]:
    """Return a firm and its person, who has a tag."""
    firm = make(api.twin, "firm", name="Mill")
    person = make(api.twin, "person", name="Ann", firmid=Reference("firm", firm))
    Store(api.twin).associate("person_tag", person, make(api.twin, "tag", name="vip"))
    return firm, person


def test_a_delete_takes_what_belongs_to_the_record(api: Api) -> None:
    firm, person = make_staff(api)
    child = make(api.twin, "firm", name="Child", parentid=Reference("firm", firm))
    letter = make(api.twin, "letter", name="a", receiverid=Reference("person", person))
    assert api.send("DELETE", f"firms({firm})").status_code == 204
    assert names(api, "people") == []
    assert api.rows("persontagset") == []
    assert names(api, "tags") == ["vip"]
    assert value(api, "firm", child, "parentid") is None
    assert value(api, "letter", letter, "receiverid") == Reference("person", person)


def test_a_delete_stops_where_something_must_stay(api: Api) -> None:
    firm, person = make_staff(api)
    make(api.twin, "letter", name="a", senderid=Reference("person", person))
    for path in (f"people({person})", f"firms({firm})"):
        status, code, message = api.fails(path, "DELETE")
        assert (status, code) == (405, "0x80040227")
        assert "is associated with another object and cannot be deleted: letter" in message
    assert names(api, "people") == ["Ann"]
    assert names(api, "firms") == ["Mill"]
    assert len(api.rows("persontagset")) == 1


def test_a_ring_of_records_can_be_deleted(api: Api) -> None:
    one, two = make(api.twin, "firm", name="1"), make(api.twin, "firm", name="2")
    store = Store(api.twin)
    store.update("firm", one, {"parentid": Reference("firm", two)})
    store.update("firm", two, {"parentid": Reference("firm", one)})
    assert api.send("DELETE", f"firms({one})").status_code == 204
    assert names(api, "firms") == ["2"]
    store.update("firm", two, {"parentid": Reference("firm", two)})
    assert api.send("DELETE", f"firms({two})").status_code == 204
