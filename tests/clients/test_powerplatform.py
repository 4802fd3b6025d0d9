"""PyPI powerplatform-dataverse-client, Microsoft's own: only its address is replaced.

Its constructor insists on https, which a twin on the loopback does not speak; everything else is as
it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from time import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.relationship import ManyToManyRelationshipMetadata
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from tests.clients.conftest import Twin


class Credential:
    """The application user's token."""

    def __init__(self, twin: Twin) -> None:
        self._token = twin.token()

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        return AccessToken(self._token, int(time()) + 3600)


class Colour(IntEnum):
    RED = 100000000
    BLUE = 100000001


@pytest.fixture
def client(twin: Twin) -> Iterator[DataverseClient]:
    made = DataverseClient("https://twin.example", Credential(twin))
    made._base_url = twin.url
    with made:
        yield made


def make_accounts(client: DataverseClient, count: int) -> list[str]:
    rows = [
        {"name": f"Account {number:02}", "accountnumber": f"A-{number:02}", "revenue": number}
        for number in range(count)
    ]
    ids: list[str] = client.records.create("account", rows)
    return ids


def names(client: DataverseClient, **how: Any) -> list[str]:
    found = client.records.list("account", select=["name"], orderby=["name"], **how)
    return [record["name"] for record in found]


def test_it_creates_retrieves_updates_and_deletes_one(client: DataverseClient) -> None:
    account = client.records.create("account", {"name": "Contoso", "industrycode": 1})
    found = client.records.retrieve("account", account, select=["name"])
    assert found is not None
    assert found["name"] == "Contoso"
    client.records.update("account", account, {"name": "Fabrikam"})
    assert names(client) == ["Fabrikam"]
    client.records.delete("account", account)
    assert client.records.retrieve("account", account, select=["name"]) is None


def test_it_creates_and_updates_many_at_once(client: DataverseClient) -> None:
    ids = make_accounts(client, 5)
    assert len(set(ids)) == 5
    client.records.update("account", ids, {"telephone1": "1"})
    client.records.update("account", ids[:2], [{"name": "First"}, {"name": "Second"}])
    assert names(client) == ["Account 02", "Account 03", "Account 04", "First", "Second"]
    with_number = client.records.list("account", filter="telephone1 eq '1'", select=["name"])
    assert len(list(with_number)) == 5


def test_it_upserts_one_and_many_by_alternate_key(client: DataverseClient) -> None:
    make_accounts(client, 1)
    client.records.upsert("account", [UpsertItem({"accountnumber": "A-00"}, {"name": "One"})])
    items: list[UpsertItem | dict[str, Any]] = [
        UpsertItem({"accountnumber": "A-00"}, {"name": "Again"}),
        UpsertItem({"accountnumber": "A-77"}, {"name": "New"}),
    ]
    client.records.upsert("account", items)
    assert names(client) == ["Again", "New"]


def test_it_reads_pages_and_filters(client: DataverseClient) -> None:
    make_accounts(client, 11)
    pages = list(client.records.list_pages("account", select=["name"], page_size=4))
    assert [len(list(page)) for page in pages] == [4, 4, 3]
    assert names(client, filter="revenue gt 8") == ["Account 09", "Account 10"]
    assert names(client, top=2) == ["Account 00", "Account 01"]


def test_it_expands_and_asks_for_formatted_values(client: DataverseClient) -> None:
    (parent,) = make_accounts(client, 1)
    child = client.records.create(
        "account", {"name": "Child", "parentaccountid@odata.bind": f"/accounts({parent})"}
    )
    found = client.records.retrieve(
        "account", child, select=["name"], expand=["parentaccountid($select=name)"]
    )
    assert found is not None
    assert found["parentaccountid"]["name"] == "Account 00"
    (row,) = client.records.list(
        "account",
        select=["_parentaccountid_value"],
        filter="name eq 'Child'",
        include_annotations="*",
    )
    assert row["_parentaccountid_value@OData.Community.Display.V1.FormattedValue"] == "Account 00"


def test_it_asks_in_fetchxml_page_by_page(client: DataverseClient) -> None:
    make_accounts(client, 5)
    query = client.query.fetchxml(
        "<fetch count='2'><entity name='account'><attribute name='name'/>"
        "<order attribute='name'/></entity></fetch>"
    )
    pages = [[record["name"] for record in page] for page in query.execute_pages()]
    assert pages == [["Account 00", "Account 01"], ["Account 02", "Account 03"], ["Account 04"]]


def test_it_asks_in_sql(client: DataverseClient) -> None:
    make_accounts(client, 4)
    found = client.query.sql(
        "SELECT TOP 2 name, revenue FROM account WHERE revenue >= 1 ORDER BY revenue DESC"
    )
    assert [record["name"] for record in found] == ["Account 03", "Account 02"]


def test_it_sends_a_batch_with_a_change_set(client: DataverseClient) -> None:
    (account,) = make_accounts(client, 1)
    batch = client.batch.new()
    batch.records.create("account", {"name": "From a batch"})
    batch.records.update("account", account, {"name": "Changed"})
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"lastname": "Novák"})
        changes.records.update("account", account, {"primarycontactid@odata.bind": contact})
    batch.records.retrieve("account", account, select=["name", "_primarycontactid_value"])
    result = batch.execute()
    assert [item.status_code for item in result.failed] == []
    assert result.responses[-1].data is not None
    assert result.responses[-1].data["_primarycontactid_value"]
    assert names(client) == ["Changed", "From a batch"]


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_batch_stops_or_goes_on_at_an_error(client: DataverseClient, goes_on: bool) -> None:
    batch = client.batch.new()
    batch.records.create("account", {"name": "Good"})
    batch.records.create("account", {"nonsense": 1})
    batch.records.create("account", {"name": "Also good"})
    result = batch.execute(continue_on_error=goes_on)
    assert [item.status_code for item in result.failed] == [400]
    assert result.failed[0].error_code
    assert names(client) == (["Also good", "Good"] if goes_on else ["Good"])


def test_it_makes_a_table_with_columns_keys_and_records(client: DataverseClient) -> None:
    columns = {"new_Title": "string", "new_Price": "decimal", "new_Colour": Colour}
    table = client.tables.create("new_Product", columns)
    assert table["table_logical_name"] == "new_product"
    known = client.tables.get("new_Product")
    assert known is not None
    client.tables.add_columns("new_Product", {"new_Count": "int", "new_When": "datetime"})
    product = client.records.create(
        "new_product", {"new_name": "Boat", "new_title": "A", "new_count": 2, "new_colour": "Blue"}
    )
    found = client.records.retrieve("new_product", product, select=["new_name", "new_count"])
    assert found is not None
    assert found["new_count"] == 2
    key = client.tables.create_alternate_key("new_Product", "new_TitleKey", ["new_title"])
    assert [item.schema_name for item in client.tables.get_alternate_keys("new_Product")] == [
        "new_TitleKey"
    ]
    client.records.upsert("new_product", [UpsertItem({"new_title": "A"}, {"new_count": 3})])
    client.tables.delete_alternate_key("new_Product", key.metadata_id)
    client.tables.remove_columns("new_Product", ["new_Count"])
    client.tables.delete("new_Product")
    assert client.tables.get("new_Product") is None


def test_it_makes_relationships(client: DataverseClient) -> None:
    client.tables.create("new_Ship", {"new_Title": "string"})
    made = client.tables.create_lookup_field("new_ship", "new_OwnerAccountId", "account")
    assert made.lookup_schema_name == "new_OwnerAccountId"
    pair = ManyToManyRelationshipMetadata(
        schema_name="new_ship_contact",
        entity1_logical_name="new_ship",
        entity2_logical_name="contact",
    )
    client.tables.create_many_to_many_relationship(pair)
    found = client.tables.get_relationship("new_ship_contact")
    assert found is not None
    assert found.relationship_id is not None
    client.tables.delete_relationship(found.relationship_id)
    assert client.tables.get_relationship("new_ship_contact") is None


def test_it_lists_tables_and_columns(client: DataverseClient) -> None:
    found = {row["LogicalName"] for row in client.tables.list()}
    assert {"account", "contact", "lead"} <= found
    columns = {row["LogicalName"] for row in client.tables.list_columns("account")}
    assert {"name", "revenue", "parentaccountid"} <= columns


def test_its_errors_have_code_and_status(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.create("account", {"nonsense": 1})
    assert caught.value.status_code == 400
    with pytest.raises(MetadataError, match="nonsense"):
        client.records.create("nonsense", {"name": "x"})
