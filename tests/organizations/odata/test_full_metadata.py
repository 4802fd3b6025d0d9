"""`odata.metadata=full`: what a client needs that never reads `$metadata` (JSON format, 3.1.2)."""

from __future__ import annotations

from typing import Any

from organizations.records import RecordValue, Reference
from tests.organizations.odata.reader import OData
from tests.organizations.odata.test_conformance_minimal import make_pair

FULL = "application/json;odata.metadata=full"
NAVIGATION = "parentaccountid_account"


def full(odata: OData, path: str) -> dict[str, Any]:
    found: dict[str, Any] = odata.get(path, Accept=FULL)
    return found


def test_a_record_tells_its_type_its_address_and_its_links(odata: OData) -> None:
    parent = odata.store.create("account", {"name": "Parent"}).id
    given: dict[str, RecordValue] = {"name": "Child", "employees": 7, "revenue": "1.50"}
    given["parentaccountid"] = Reference("account", parent)
    child = odata.store.create("account", given).id
    found = full(odata, f"account('{child}')")
    address = f"http://testserver{odata.root}account('{child}')"
    assert found["@odata.type"] == "#RescoCrm.account"
    assert found["@odata.id"] == found["@odata.editLink"] == address
    assert found["@odata.etag"].startswith('W/"')
    types = {key: value for key, value in found.items() if key.endswith("@odata.type")}
    del types["@odata.type"]
    assert types["accountid@odata.type"] == "#Guid"
    assert types["employees@odata.type"] == "#Int32"
    assert types["revenue@odata.type"] == "#Decimal"
    assert types["__parentaccountid_id@odata.type"] == "#Guid"
    assert "name@odata.type" not in types
    links = f"{NAVIGATION}@odata.navigationLink", f"{NAVIGATION}@odata.associationLink"
    assert [found[link] for link in links] == [
        f"{address}/{NAVIGATION}",
        f"{address}/{NAVIGATION}/$ref",
    ]
    keys = list(found)
    assert keys.index("@odata.type") < keys.index("accountid@odata.type") < keys.index("accountid")
    for link in (found["@odata.editLink"], found[links[0]], found[links[1]]):
        assert odata.follow(link)


def test_what_is_null_or_not_selected_tells_nothing(odata: OData) -> None:
    child = odata.store.create("account", {"name": "Child"}).id
    found = full(odata, f"account('{child}')?$select=name,revenue")
    assert found["revenue"] is None
    assert not [key for key in found if key.startswith(("revenue@", NAVIGATION, "employees"))]


def test_expanded_records_tell_theirs(odata: OData) -> None:
    child, parent = make_pair(odata)
    found = full(odata, f"account('{child}')?$expand={NAVIGATION}")
    assert found[NAVIGATION]["@odata.id"].endswith(f"account('{parent}')")
    assert found[NAVIGATION]["@odata.type"] == "#RescoCrm.account"


def test_a_property_tells_its_type(odata: OData) -> None:
    child = odata.store.create("account", {"name": "Child", "employees": 7}).id
    found = full(odata, f"account('{child}')/employees")
    assert (found["@odata.type"], found["value"]) == ("#Int32", 7)


def test_what_is_written_is_answered_in_full(odata: OData) -> None:
    answer = odata.send("account", {"name": "New"}, method="POST", Accept=FULL)
    assert answer.status_code == 201
    assert "odata.metadata=full" in answer["Content-Type"]
    assert b'"@odata.editLink"' in answer.content
