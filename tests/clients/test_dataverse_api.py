"""PyPI dataverse-api, unchanged: its metadata models are strict, its batches end lines with LF.

Its `add_alternate_key` fails before it sends anything (version 1.4.3), so it is not tried here.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from dataverse_api.dataverse import DataverseClient
from dataverse_api.metadata.attributes import (
    DecimalAttributeMetadata,
    IntegerAttributeMetadata,
    StringAttributeMetadata,
)
from dataverse_api.metadata.entity import define_entity
from dataverse_api.metadata.enums import OwnershipType
from dataverse_api.metadata.relationships import define_relationship

from tests.clients.conftest import Twin


@pytest.fixture
def dataverse(twin: Twin) -> DataverseClient:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {twin.token()}"
    return DataverseClient(session, f"{twin.url}/")


def make_accounts(count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"Account {number:03}", "accountnumber": f"A-{number:03}", "revenue": number * 10}
        for number in range(count)
    ]


def names(dataverse: DataverseClient) -> list[str]:
    found = dataverse.entity("account").read(select=["name"], order_by="name")
    return [row["name"] for row in found]


def test_it_learns_what_an_entity_can_do(dataverse: DataverseClient) -> None:
    account = dataverse.entity("account")
    assert (account.entity_set_name, account.primary_id_attr) == ("accounts", "accountid")
    assert account.supports_create_multiple
    assert account.supports_update_multiple
    assert account.alternate_keys
    assert account.relationships


@pytest.mark.parametrize("mode", ["individual", "multiple", "batch"])
def test_it_creates(dataverse: DataverseClient, mode: Any) -> None:
    answers = dataverse.entity("account").create(make_accounts(12), mode=mode)
    assert all(answer.ok for answer in answers)
    assert len(names(dataverse)) == 12


def test_it_reads_pages_filters_orders_and_formatted_values(dataverse: DataverseClient) -> None:
    account = dataverse.entity("account")
    account.create(make_accounts(25), mode="multiple")
    rows = account.read(
        select=["name", "revenue"], filter="revenue ge 100", order_by="revenue desc", page_size=4
    )
    assert [row["revenue"] for row in rows] == list(range(240, 90, -10))
    (row,) = account.read(select=["revenue"], top=1, return_formatted_values=True)
    assert any("FormattedValue" in key for key in row)


def test_it_expands(dataverse: DataverseClient) -> None:
    account = dataverse.entity("account")
    account.create([{"name": "Parent"}])
    (parent,) = account.read(select=["name"])
    bind = {"parentaccountid@odata.bind": f"accounts({parent['accountid']})"}
    account.create([{"name": "Child", **bind}])
    (child,) = account.read(
        filter="name eq 'Child'", select=["name"], expand="parentaccountid($select=name)"
    )
    assert child["parentaccountid"]["name"] == "Parent"


@pytest.mark.parametrize("mode", ["individual", "batch"])
def test_it_upserts_by_alternate_key_and_deletes(dataverse: DataverseClient, mode: Any) -> None:
    account = dataverse.entity("account")
    (key,) = [name for name, parts in account.alternate_keys.items() if len(parts) == 1]
    (column,) = account.alternate_keys[key]
    account.create([{"name": "Before", column: "K1"}])
    changes = [{"name": "After", column: "K1"}, {"name": "New", column: "K2"}]
    account.upsert(changes, mode=mode, altkey_name=key)
    assert names(dataverse) == ["After", "New"]
    ids = [row["accountid"] for row in account.read(select=["name"])]
    account.delete(ids=ids, mode=mode)
    assert names(dataverse) == []


def test_it_deletes_columns(dataverse: DataverseClient) -> None:
    account = dataverse.entity("account")
    account.create([{"name": "A", "description": "text"}])
    (row,) = account.read(select=["description"])
    account.delete_columns(ids=[row["accountid"]], columns=["description"])
    (row,) = account.read(select=["description"])
    assert row["description"] is None


def test_its_strict_models_take_the_metadata_of_every_entity(
    dataverse: DataverseClient, twin: Twin
) -> None:
    for name in ("account", "contact", "lead", "appointment", "leadcompetitors", "competitor"):
        definition = dataverse.get_entity_definition(name)
        assert definition.schema_name.lower() == name


def test_it_knows_languages_and_relationships(dataverse: DataverseClient) -> None:
    assert 1033 in dataverse.get_language_codes()
    found = dataverse.get_relationship_definition("leadcompetitors_association")
    assert found.schema_name == "leadcompetitors_association"


def test_it_makes_changes_and_removes_an_entity(dataverse: DataverseClient) -> None:
    definition = define_entity(
        "new_Boat",
        attributes=[
            StringAttributeMetadata(schema_name="new_Name", is_primary_name=True),
            IntegerAttributeMetadata(schema_name="new_Length", min_value=0, max_value=500),
        ],
        ownership_type=OwnershipType.USER_OWNED,
    )
    assert dataverse.create_entity(definition).ok
    boat = dataverse.entity("new_boat")
    boat.create([{"new_name": "Aurora", "new_length": 12}])
    (row,) = boat.read(select=["new_name", "new_length"])
    assert (row["new_name"], row["new_length"]) == ("Aurora", 12)
    price = DecimalAttributeMetadata(schema_name="new_Price", min_value=0, max_value=1e9)
    assert boat.add_attribute(price).ok
    boat.create([{"new_name": "Boreas", "new_price": 9.5}])
    found = boat.read(filter="new_price eq 9.5", select=["new_name"])
    assert [row["new_name"] for row in found] == ["Boreas"]
    existing = dataverse.get_entity_definition("new_boat")
    assert dataverse.update_entity(existing).ok
    assert boat.remove_attribute(logical_name="new_price").ok
    assert dataverse.delete_entity("new_boat").ok
    with pytest.raises(Exception, match="Could not find an entity"):
        dataverse.entity("new_boat")


def test_it_makes_and_removes_a_relationship(dataverse: DataverseClient) -> None:
    relationship = define_relationship(
        "new_account_lead",
        referencing_entity="lead",
        referenced_entity="account",
        lookup="new_Buyer",
    )
    assert dataverse.create_relationship(relationship).ok
    dataverse.entity("account").create([{"name": "Buyer"}])
    (account,) = dataverse.entity("account").read(select=["name"])
    found = dataverse.get_relationship_definition("new_account_lead")
    assert found.schema_name == "new_account_lead"
    assert account["accountid"]


def test_a_wrong_name_is_an_error_it_understands(dataverse: DataverseClient) -> None:
    with pytest.raises(Exception, match="nonsense"):
        dataverse.entity("account").read(select=["nonsense"])
