"""Single writes: checked, versioned, logged."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from organizations import catalog
from organizations.errors import AlreadyExists, InvalidRequest, NotFound, VersionMismatch
from organizations.models import ChangeLog, DeletedRecord
from organizations.records import Action, RecordValue, Reference
from organizations.schema import AttributeType
from organizations.store import Store
from tests.organizations.making import (
    NOON,
    make_account,
    make_activity,
    make_attribute,
    make_id,
    make_rivals,
    make_store,
)

pytestmark = pytest.mark.django_db


def log_of(store: Store) -> list[tuple[str, str, str]]:
    rows = ChangeLog.objects.filter(organization=store.organization).order_by("version")
    return list(rows.values_list("action", "origin", "actor"))


def test_it_gives_back_what_was_created() -> None:
    store = make_store()
    owner, parent = make_id(), make_id()
    given: dict[str, RecordValue] = {
        "name": "Žluťoučký kůň 🐎",
        "employees": 12,
        "revenue": "10.5",
        "parentaccountid": Reference("account", parent),
        "ownerid": Reference("team", owner),
    }
    record = store.create("account", given, actor="ada@example.com")
    assert record == store.get("account", record.id)
    assert record.values["name"] == given["name"]
    assert str(record.values["revenue"]) == "10.50"
    assert record.values["parentaccountid"] == Reference("account", parent)
    assert record.values["ownerid"] == Reference("team", owner)
    assert log_of(store) == [("create", "", "ada@example.com")]


def test_versions_grow_by_one_with_every_write() -> None:
    store = make_store()
    record = store.create("account", {"name": "a"})
    again = store.update("account", record.id, {"name": "b"})
    assert (record.version, again.version, store.row_version()) == (1, 2, 2)


def test_a_change_need_not_be_read_back() -> None:
    store = make_store()
    record = store.create("account", {"name": "a"})
    store.change("account", record.id, {"name": "b"}, expected=record.version)
    assert store.get("account", record.id).values["name"] == "b"


def test_a_change_that_is_refused_takes_the_callers_transaction_with_it() -> None:
    store = make_store()
    first, second = store.create("account", {"name": "a"}), store.create("account", {"name": "b"})

    @transaction.atomic
    def change_both() -> None:
        store.change("account", first.id, {"name": "c"})
        store.change("account", second.id, {"name": "d"}, expected=first.version)

    with pytest.raises(VersionMismatch):
        change_both()
    assert store.get("account", first.id).values["name"] == "a"


def test_the_log_keeps_old_and_new_values_of_people_but_not_of_connections() -> None:
    store = make_store()
    record = store.create("account", {"name": "a", "employees": 1})
    store.update("account", record.id, {"name": "b", "employees": 1, "modifiedon": NOON})
    store.update("account", record.id, {"name": "c"}, origin="connection")
    values: list[Any] = list(ChangeLog.objects.order_by("version").values_list("values", flat=True))
    assert values[1]["name"] == ["a", "b"]
    assert "employees" not in values[1]
    assert values[2] is None


def test_an_update_touches_only_what_it_names() -> None:
    store = make_store()
    record = store.create("account", {"name": "a", "employees": 5, "createdon": NOON})
    after = store.update("account", record.id, {"name": None})
    assert after.values["name"] is None
    assert after.values["employees"] == 5
    assert after.values["createdon"] == NOON


def test_times_are_set_by_the_organization() -> None:
    store = make_store()
    record = store.create("account", {"name": "a", "createdon": NOON, "modifiedon": NOON})
    assert record.values["modifiedon"] == NOON
    assert str(store.update("account", record.id, {"name": "b"}).values["modifiedon"]) > NOON


@pytest.mark.parametrize(
    ("given", "state", "status"),
    [
        ({}, 0, 1),
        ({"statuscode": 3}, 0, 3),
        ({"statuscode": 2}, 1, 2),
        ({"statecode": 1}, 1, 2),
        ({"statecode": 0, "statuscode": 3}, 0, 3),
    ],
)
def test_state_and_status_are_kept_consistent(
    given: dict[str, Any], state: int, status: int
) -> None:
    values = make_store().create("account", given).values
    assert (values["statecode"], values["statuscode"]) == (state, status)


def test_an_update_of_the_state_takes_the_status_along_and_nothing_else_does() -> None:
    store = make_store()
    record = store.create("account", {"statuscode": 3})
    assert store.update("account", record.id, {"name": "x"}).values["statuscode"] == 3
    assert store.update("account", record.id, {"statecode": 1}).values["statuscode"] == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nam": "x"}, "Entity 'account' has no attribute 'nam'"),
        ({"versionnumber": 5}, "has no attribute 'versionnumber'"),
        ({"name": "x" * 101}, "'name' holds at most 100 characters; 101 were given"),
        ({"name": 7}, "'name' takes text"),
        ({"name": "a\x00b"}, r"holds the character U\+0000"),
        ({"name": Reference("account", make_id())}, "'name' is no lookup"),
        ({"employees": 1001}, "'employees' takes numbers from 0 to 1000"),
        ({"employees": "many"}, "'many' is not a Integer value for attribute 'employees'"),
        ({"ownerid": make_id()}, "'ownerid' can point to several entities"),
        ({"ownerid": Reference("lead", make_id())}, "cannot point to entity 'lead', only to"),
        ({"statuscode": 9}, "'statuscode' has no option 9"),
        ({"statecode": 1, "statuscode": 3}, "Status 3 belongs to state 0, not to 1"),
        ({"picture": "x"}, "'picture' of entity 'account' cannot be written"),
        ({"choices": "1,5"}, "'choices' has no option 5"),
    ],
)
def test_it_refuses_what_an_attribute_cannot_hold(given: dict[str, Any], message: str) -> None:
    one = make_account().attribute("statuscode")
    assert one is not None
    store = make_store(
        make_account(
            make_attribute("picture", AttributeType.IMAGE),
            make_attribute("choices", AttributeType.MULTISELECT, option_set=one.option_set),
        )
    )
    with pytest.raises(InvalidRequest, match=message) as caught:
        store.create("account", given)
    assert caught.value.element
    assert store.row_version() == 0


def test_an_empty_text_is_null() -> None:
    assert make_store().create("account", {"name": ""}).values["name"] is None


def test_a_lookup_with_one_target_takes_a_plain_id_and_can_be_cleared() -> None:
    store, parent = make_store(), make_id()
    record = store.create("account", {"parentaccountid": parent.upper()})
    assert record.values["parentaccountid"] == Reference("account", parent)
    cleared = store.update("account", record.id, {"parentaccountid": None, "ownerid": None})
    assert cleared.values["parentaccountid"] is None
    assert cleared.values["ownerid"] is None


def test_a_record_may_refer_to_itself() -> None:
    store, key = make_store(), make_id()
    record = store.create("account", {"parentaccountid": Reference("account", key)}, id=key)
    assert record.values["parentaccountid"] == Reference("account", key)


def test_it_refuses_an_id_that_is_taken() -> None:
    store = make_store()
    record = store.create("account", {"name": "a"})
    with pytest.raises(AlreadyExists, match=f"account {record.id} exists already"):
        store.create("account", {"accountid": record.id})
    assert store.row_version() == 1


def test_it_refuses_two_ids_and_a_changed_id_and_no_id_at_all() -> None:
    store = make_store()
    with pytest.raises(InvalidRequest, match="Two different ids"):
        store.create("account", {"accountid": make_id()}, id=make_id())
    record = store.create("account", {})
    with pytest.raises(InvalidRequest, match="id of a record cannot be changed"):
        store.update("account", record.id, {"accountid": make_id()})
    with pytest.raises(InvalidRequest, match="'7' is not the id of a record"):
        store.get("account", "7")


def test_it_refuses_a_write_based_on_another_version() -> None:
    store = make_store()
    record = store.create("account", {"name": "a"})
    store.update("account", record.id, {"name": "b"}, expected=1)
    with pytest.raises(VersionMismatch, match="is at version 2, not 1"):
        store.update("account", record.id, {"name": "c"}, expected=1)
    with pytest.raises(VersionMismatch, match="is at version 2, not 1"):
        store.delete("account", record.id, expected=1)
    assert store.get("account", record.id).values["name"] == "b"


def test_it_says_which_record_is_missing() -> None:
    store, key = make_store(), make_id()
    for ask in (
        lambda: store.get("account", key),
        lambda: store.update("account", key, {}),
        lambda: store.delete("account", key),
        lambda: store.upsert("account", key, {}, expected=5),
    ):
        with pytest.raises(NotFound, match=f"no record '{key}' in entity 'account'"):
            ask()


def test_an_upsert_makes_and_then_changes() -> None:
    store, key = make_store(), make_id()
    first, is_new = store.upsert("account", key, {"name": "a"})
    second, is_new_again = store.upsert("account", key, {"name": "b"})
    assert (is_new, is_new_again) == (True, False)
    assert (first.values["name"], second.values["name"]) == ("a", "b")


def test_get_returns_only_the_attributes_asked_for() -> None:
    store = make_store()
    record = store.create("account", {"name": "a"})
    values = store.get("account", record.id, ["name", "ownerid"]).values
    assert set(values) == {"accountid", "name", "ownerid"}
    with pytest.raises(InvalidRequest, match="no stored attribute 'nam'"):
        store.get("account", record.id, ["nam"])


def test_a_deleted_record_is_in_the_bin_and_can_be_restored() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada", "revenue": "99.99"})
    store.delete("account", record.id, actor="ada@example.com")
    with pytest.raises(NotFound):
        store.get("account", record.id)
    binned = DeletedRecord.objects.get(record=record.id)
    assert binned.document["name"] == "Ada"
    restored = store.restore(binned)
    assert restored.values == record.values
    assert restored.version == 3
    assert not DeletedRecord.objects.exists()
    assert [action for action, _, _ in log_of(store)] == ["create", "delete", "create"]


def test_a_record_that_is_there_again_is_not_restored_over() -> None:
    store = make_store()
    record = store.create("account", {"name": "old"})
    store.delete("account", record.id)
    store.create("account", {"name": "new"}, id=record.id)
    with pytest.raises(AlreadyExists, match="exists already"):
        store.restore(DeletedRecord.objects.get())
    assert store.get("account", record.id).values["name"] == "new"
    assert DeletedRecord.objects.count() == 1


def test_a_record_survives_new_attributes_while_it_is_in_the_bin() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada"})
    store.delete("account", record.id)
    catalog.define(store.organization, [make_account(make_attribute("fax"))])
    assert store.restore(DeletedRecord.objects.get()).values["name"] == "Ada"


def test_pairs_are_made_once_and_removed_once() -> None:
    store = make_store(make_account(), make_rivals())
    one, two = (store.create("account", {"name": name}).id for name in "ab")
    assert store.associate("account_rivals", one, two, origin="c1")
    assert not store.associate("account_rivals", one, two)
    assert store.associate("account_rivals", two, one)
    assert store.associate("account_rivals", one, one)
    assert store.disassociate("account_rivals", one, two)
    assert not store.disassociate("account_rivals", one, two)
    actions = [(change.entity, change.action) for change in store.changes(2)]
    assert actions == [("accountrivals", Action.CREATE)] * 3 + [("accountrivals", Action.DELETE)]


def test_a_pair_needs_both_records_and_an_n_to_n_relationship() -> None:
    store = make_store(make_account(), make_rivals())
    one, gone = store.create("account", {}).id, make_id()
    with pytest.raises(NotFound, match=f"no record '{gone}'"):
        store.associate("account_rivals", one, gone)
    with pytest.raises(NotFound, match="no relationship 'nothing'"):
        store.associate("nothing", one, one)


def test_party_lists_make_party_rows_that_follow_their_activity() -> None:
    store = make_store(*make_activity())
    ada, bob = make_id(), make_id()
    parties = f'[[5,"account","{ada}"],[5,"","bob@example.com"]]'
    record = store.create(
        "appointment", {"requiredattendees": parties, "organizer": f'[[7,"contact","{bob}"]]'}
    )
    columns = ["activitypartyid", "activityid", "partyid", "partyid__type", "participationtypemask"]
    rows = {row[1:] for row in store.page("activityparty", [*columns, "addressused"])}
    assert rows == {
        (record.id, ada, "account", 5, None, 1),
        (record.id, None, None, 5, "bob@example.com", 1),
        (record.id, bob, "contact", 7, None, 1),
    }
    store.update("appointment", record.id, {"requiredattendees": None})
    assert [row[2] for row in store.page("activityparty", columns)] == [bob]
    store.delete("appointment", record.id)
    assert store.page("activityparty", columns) == []
    assert {change.entity for change in store.changes(0)} == {"appointment"}
    store.restore(DeletedRecord.objects.get())
    assert [row[2] for row in store.page("activityparty", columns)] == [bob]


def test_a_party_cannot_be_written_by_itself() -> None:
    store = make_store(*make_activity())
    with pytest.raises(InvalidRequest, match="belong to their activity"):
        store.create("activityparty", {"participationtypemask": 5})
