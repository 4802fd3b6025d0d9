"""The service document, `$metadata`, `me`, schemas, logins and web hooks."""

from __future__ import annotations

import orjson
import pytest
from lxml import etree

from tests.organizations.dynamics.library import make_twin
from tests.organizations.odata.reader import OData
from tests.organizations.rest.office import EMAIL, PASSWORD

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.mark.parametrize("options", ["", "?$format=json", "?$kind=EntitySet"])
def test_it_lists_its_sets(odata: OData, options: str) -> None:
    document = odata.get(options)
    assert document["@odata.context"].endswith("$metadata")
    assert document["value"][0] == {
        "kind": "EntitySet",
        "title": "Account",
        "name": "account",
        "url": "account",
    }
    assert [item["name"] for item in document["value"]] == ["account", "accountrivals", "sampler"]


def test_it_describes_itself(odata: OData) -> None:
    response = odata.send("$metadata")
    assert response["OData-Version"] == "4.0"
    root = etree.fromstring(response.content)
    assert root.get("Version") == "4.0"
    kinds = {item.get("Name"): item for item in root.iter(f"{EDM}EntityType")}
    account = kinds["account"]
    key = account.find(f"{EDM}Key/{EDM}PropertyRef")
    assert key is not None
    assert key.get("Name") == "accountid"
    properties = {p.get("Name"): p.get("Type") for p in account.iter(f"{EDM}Property")}
    assert properties["__parentaccountid_id"] == "Edm.Guid"
    assert properties["revenue"] == "Edm.Decimal"
    assert properties["createdon"] == "Edm.DateTimeOffset"
    sets = {item.get("Name"): item.get("EntityType") for item in root.iter(f"{EDM}EntitySet")}
    assert sets["account"] == "RescoCrm.account"


def test_everything_that_is_read_is_described(odata: OData) -> None:
    odata.store.create("sampler", {"text": "a"})
    root = etree.fromstring(odata.send("$metadata").content)
    kinds = {item.get("Name"): item for item in root.iter(f"{EDM}EntityType")}
    described = {item.get("Name") for item in kinds["sampler"].iter(f"{EDM}Property")}
    (row,) = odata.get("sampler")["value"]
    assert {key for key in row if not key.startswith("@")} == described


def test_it_says_who_calls(odata: OData) -> None:
    assert odata.get("me")["internalemailaddress"] == EMAIL


def test_it_gives_json_schemas(odata: OData) -> None:
    told = odata.get("$schema/account?$select=name,statuscode")
    assert told["title"] == "Account"
    assert told["properties"]["name"] == {"type": "string", "title": "name", "maxLength": 100}
    assert [one["const"] for one in told["properties"]["statuscode"]["oneOf"]] == [1, 2, 3]
    assert odata.get("?$kind=EntitySet&$entitySet=account")["value"][0] == {
        "kind": "Property",
        "name": "accountid",
        "type": "Edm.Guid",
    }


@pytest.mark.parametrize(
    ("path", "method", "status", "part"),
    [
        ("$batch", "GET", 405, "GET does not fit '$batch'"),
        ("$all", "GET", 501, "$all is not served"),
        ("?$kind=Odd", "GET", 501, "$kind=Odd is not served"),
        ("$schema/account?$expand=x", "GET", 501, "$expand of a schema"),
        ("me", "POST", 405, "POST does not fit 'me'"),
        ("$metadata/x", "GET", 404, "There is no resource"),
        ("$hook", "PUT", 405, "PUT does not fit '$hook'"),
        ("$hook", "POST", 400, "The query option $entity is missing"),
        ("$hook?$entity=account&$action=Dance", "POST", 400, "$action is Create, Update or"),
        ("$hook?$id=x", "DELETE", 404, "There is no hook 'x'"),
    ],
)
def test_it_refuses_what_it_does_not_know(
    odata: OData, path: str, method: str, status: int, part: str
) -> None:
    assert part in odata.error(path, status, {}, method=method)["message"]


def test_it_asks_for_basic_authentication(odata: OData) -> None:
    response = odata.send("", Authorization="Basic x")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")


def test_a_twin_is_not_served(odata: OData) -> None:
    twin = make_twin("odata-twin")
    member = twin.members.create(email=EMAIL)
    member.set_password(PASSWORD)
    member.save()
    assert OData(twin).send("").status_code == 404


def test_hooks_are_made_listed_and_removed(odata: OData) -> None:
    body = {"callbackUrl": "https://hooks.example/x"}
    response = odata.send("$hook?$entity=account&$action=Create", body, method="POST")
    assert response.status_code == 201
    location = response["Location"]
    (hook,) = odata.get("$hook")["value"]
    assert (hook["entity"], hook["action"], hook["callbackUrl"]) == (
        "account",
        "Create",
        "https://hooks.example/x",
    )
    path = location.partition(odata.root)[2]
    assert odata.send(path, method="DELETE").status_code == 204
    assert odata.send(path, method="DELETE").status_code == 404


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://", "https://[", "https://x/\0", 5, "https://x/" + "a" * 2000]
)
def test_a_hook_needs_an_address(odata: OData, url: object) -> None:
    told = odata.error(
        "$hook?$entity=account&$action=Update", 400, {"CallbackUrl": url}, method="POST"
    )
    assert "CallbackUrl must" in told["message"]


def test_an_organization_has_only_so_many_hooks(odata: OData) -> None:
    body = {"CallbackUrl": "https://hooks.example/x"}
    for _ in range(100):
        odata.send("$hook?$entity=account&$action=Delete", body, method="POST")
    told = odata.error("$hook?$entity=account&$action=Delete", 400, body, method="POST")
    assert "at most 100 hooks" in told["message"]
    assert orjson.loads(odata.send("$hook").content)["value"][0]["problem"] is None
