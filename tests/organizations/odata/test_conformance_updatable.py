"""The OData 4.0 Minimal Conformance Level of an updatable service, requirement by requirement.

Numbers are those of OData 4.01 part 1, 13.1.1; 1 to 15 stand in `test_conformance_minimal`, 33 is a
MAY.
"""

from __future__ import annotations

import orjson
import pytest

from tests.organizations.making import make_id
from tests.organizations.odata.reader import OData
from tests.organizations.odata.test_conformance_minimal import EDM, make_pair, schema


def test_18_edit_links_are_where_the_standard_puts_them(odata: OData) -> None:
    """Implied by set and key (JSON 4.5.8): the address of a read record takes changes."""
    child, _ = make_pair(odata)
    row = odata.get(f"account({child})?$select=name")
    edit = f"account('{row['accountid']}')"
    assert odata.send(edit, {"name": "B"}, method="PATCH").status_code == 200
    assert odata.send(edit, method="DELETE").status_code == 204


def test_19_it_takes_new_records(odata: OData) -> None:
    response = odata.send("account", {"name": "New"}, method="POST")
    assert response.status_code == 201
    document = orjson.loads(response.content)
    assert document["@odata.context"].endswith("$metadata#account/$entity")
    assert odata.get(f"account({document['accountid']})")["name"] == "New"


def test_20_and_21_there_are_no_related_collections(odata: OData) -> None:
    """Every navigation leads to one record, so nothing is added to a collection."""
    kinds = [item.get("Type") for item in schema(odata).iter(f"{EDM}NavigationProperty")]
    assert kinds
    assert not [kind for kind in kinds if str(kind).startswith("Collection(")]
    child, _ = make_pair(odata)
    path = f"account({child})/parentaccountid_account"
    assert odata.send(path, {"name": "x"}, method="POST").status_code == 405
    assert odata.send(f"{path}/$ref", {}, method="POST").status_code == 405


def test_22_put_of_a_reference_sets_it(odata: OData) -> None:
    child, parent = make_pair(odata)
    path = f"account({parent})/parentaccountid_account/$ref"
    address = f"http://testserver{odata.root}account('{child}')"
    assert odata.send(path).status_code == 204
    assert odata.send(path, {"@odata.id": address}, method="PUT").status_code == 204
    assert odata.get(path) == {
        "@odata.context": f"http://testserver{odata.root}$metadata#$ref",
        "@odata.id": address,
    }
    assert "takes an address such as" in odata.error(path, 400, {"x": 1}, method="PUT")["message"]


def test_23_patch_works_on_every_edit_url(odata: OData) -> None:
    child, parent = make_pair(odata)
    path = f"account({child})/parentaccountid_account"
    assert odata.send(path, {"name": "B"}, method="PATCH").status_code == 200
    assert odata.get(f"account({parent})")["name"] == "B"
    assert (
        odata.send(f"account({parent})/parentaccountid_account", {}, method="PATCH").status_code
        == 404
    )


def test_24_delete_works_on_every_edit_url(odata: OData) -> None:
    child, parent = make_pair(odata)
    assert (
        odata.send(f"account({child})/parentaccountid_account", method="DELETE").status_code == 204
    )
    assert odata.send(f"account({parent})").status_code == 404


def test_25_delete_of_a_reference_removes_it(odata: OData) -> None:
    child, parent = make_pair(odata)
    path = f"account({child})/parentaccountid_account/$ref"
    assert odata.send(path, method="DELETE").status_code == 204
    assert odata.get(f"account({child})")["__parentaccountid_id"] is None
    assert odata.send(f"account({parent})").status_code == 200
    assert odata.send(path, method="DELETE").status_code == 204


def test_25_a_reference_to_another_entity_stays(odata: OData) -> None:
    team = make_id()
    made = odata.send("account", {"ownerid_team@odata.bind": f"team({team})"}, method="POST")
    path = f"account({orjson.loads(made.content)['accountid']})"
    assert odata.send(f"{path}/ownerid_systemuser/$ref", method="DELETE").status_code == 204
    assert odata.get(path)["__ownerid_id"] == team


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("account({0})", "PATCH", {"name": "C"}),
        ("account({0})", "DELETE", None),
        ("account({0})/name", "PUT", {"value": "C"}),
        ("account({0})/name", "DELETE", None),
        ("account({0})/parentaccountid_account/$ref", "DELETE", None),
    ],
)
def test_26_if_match_must_be_current(odata: OData, path: str, method: str, body: object) -> None:
    child, _ = make_pair(odata)
    address = path.format(child)
    stale = odata.send(f"account({child})")["ETag"]
    odata.store.update("account", child, {"name": "B"})
    told = odata.error(address, 412, body, method=method, If_Match=stale)
    assert told["code"] == "PreconditionFailed"
    both = f"{stale}, {odata.send(f'account({child})')['ETag']}"
    assert odata.send(address, body, method=method, If_Match=both).status_code in (200, 204)


def test_26_if_match_any_needs_a_record(odata: OData) -> None:
    missing = f"account({make_id()})"
    assert odata.send(missing, {"name": "x"}, method="PATCH", If_Match="*").status_code == 404
    tags = f'W/"{1:032x}", W/"{2:032x}"'
    assert odata.send(missing, {"name": "x"}, method="PATCH", If_Match=tags).status_code == 404


def test_27_and_28_a_new_record_has_a_location(odata: OData) -> None:
    response = odata.send("account", {"name": "New"}, method="POST")
    assert odata.follow(response["Location"])["name"] == "New"
    assert "OData-EntityId" not in response
    quiet = odata.send("account", {"name": "New"}, method="POST", Prefer="return=minimal")
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert quiet["Preference-Applied"] == "return=minimal"
    assert quiet["OData-EntityId"] == quiet["Location"]
    assert odata.follow(quiet["Location"])["name"] == "New"


def test_29_a_patch_makes_what_is_not_there(odata: OData) -> None:
    account = make_id()
    path = f"account({account})"
    response = odata.send(path, {"name": "A"}, method="PATCH", Prefer="return=representation")
    assert response.status_code == 201
    assert response["Location"].endswith(f"account('{account}')")
    assert response["Preference-Applied"] == "return=representation"
    again = odata.send(path, {"name": "B"}, method="PATCH")
    assert (again.status_code, odata.get(path)["name"]) == (200, "B")
    told = odata.error(path, 412, {"name": "C"}, method="PATCH", If_None_Match="*")
    assert (told["target"], odata.get(path)["name"]) == ("If-None-Match", "B")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_30_a_single_property_can_be_set(odata: OData, method: str) -> None:
    child, _ = make_pair(odata)
    path = f"account({child})/employees"
    assert odata.send(path, {"value": 7}, method=method).status_code == 204
    context = f"http://testserver{odata.root}$metadata#account('{child}')/employees"
    assert odata.get(path) == {"@odata.context": context, "value": 7}
    assert "an object with 'value'" in odata.error(path, 400, {}, method=method)["message"]


def test_31_a_single_property_can_be_cleared(odata: OData) -> None:
    child, _ = make_pair(odata)
    assert odata.send(f"account({child})/revenue", method="DELETE").status_code == 204
    assert odata.send(f"account({child})/revenue").status_code == 204
    assert odata.send(f"account({child})/revenue", method="POST")["Allow"] == (
        "GET, PUT, PATCH, DELETE"
    )


def test_32_a_deep_insert_is_not_done(odata: OData) -> None:
    body = {"name": "A", "parentaccountid_account": {"name": "B"}}
    told = odata.error("account", 501, body, method="POST")
    assert "A record within a record ('parentaccountid_account')" in told["message"]
    assert odata.store.count_records("account") == 0
