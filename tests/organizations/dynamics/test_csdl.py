"""`$metadata`: a document that strict readers of CSDL 4.0 accept."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.catalog import define, enable, hide
from organizations.dynamics.codec import entity_from_json
from organizations.samples import contoso
from organizations.schema import Attribute, AttributeType, Entity, Label
from tests.organizations.dynamics.csdl_check import EDM, Schema
from tests.organizations.dynamics.library import Api, key, text
from tests.organizations.dynamics.shared_data import definition

pytestmark = pytest.mark.django_db


def schema(api: Api, query: str = "") -> Schema:
    response = api.send("GET", f"$metadata{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml"
    return Schema(response.content)


def attributes(item: Any) -> dict[str, str]:
    return dict(item.attrib)


def test_every_name_leads_somewhere(api: Api) -> None:
    assert list(schema(api).problems()) == []


def test_an_entity_has_key_properties_and_navigations(api: Api) -> None:
    found = schema(api)
    book = found.type("book")
    assert book.get("BaseType") == "mscrm.crmbaseentity"
    assert book.find(f"{EDM}Key/{EDM}PropertyRef").get("Name") == "bookid"
    members = found.members("book")
    assert attributes(members["name"]) == {"Name": "name", "Type": "Edm.String", "Unicode": "false"}
    kinds = {name: item.get("Type") for name, item in members.items()}
    assert kinds["bookid"] == "Edm.Guid"
    assert kinds["price"] == "Edm.Decimal"
    assert kinds["printed"] == "Edm.Date"
    assert kinds["createdon"] == "Edm.DateTimeOffset"
    assert kinds["moods"] == "Edm.String"
    assert kinds["kind"] == "Edm.Int32"
    assert kinds["versionnumber"] == "Edm.Int64"
    assert kinds["_writerid_value"] == "Edm.Guid"
    assert "editoridname" not in members


def test_a_lookup_leads_to_its_target_and_back(api: Api) -> None:
    members = schema(api).members("book")
    editor = members["EditorId"]
    assert attributes(editor) == {
        "Name": "EditorId",
        "Type": "mscrm.author",
        "Nullable": "false",
        "Partner": "author_edited",
    }
    constraint = editor.find(f"{EDM}ReferentialConstraint")
    assert attributes(constraint) == {
        "Property": "_editorid_value",
        "ReferencedProperty": "authorid",
    }
    assert members["writerid_company"].get("Type") == "mscrm.company"
    assert members["book_shelf_association"].get("Type") == "Collection(mscrm.shelf)"


def test_activities_and_users_derive_from_their_bases(api: Api) -> None:
    user = Entity(
        name="systemuser",
        set_name="systemusers",
        primary_id="systemuserid",
        attributes=(
            key("systemuserid"),
            text(),
            Attribute(name="ownerid", type=AttributeType.UNIQUEIDENTIFIER),
        ),
    )
    owned = Entity(
        name="owned",
        set_name="owneds",
        primary_id="ownedid",
        attributes=(
            key("ownedid"),
            Attribute(name="ownerid", type=AttributeType.OWNER, targets=("systemuser", "team")),
        ),
    )
    define(api.twin, [user, owned])
    found = schema(api)
    assert list(found.problems()) == []
    appointment = found.type("appointment")
    assert appointment.get("BaseType") == "mscrm.activitypointer"
    assert appointment.find(f"{EDM}Key") is None
    assert "activityid" in found.members("appointment")
    assert found.members("appointment")["appointment_activity_parties"].get("Type") == (
        "Collection(mscrm.activityparty)"
    )
    assert found.type("systemuser").get("BaseType") == "mscrm.principal"
    assert "ownerid" in found.members("systemuser")


def test_only_entities_with_records_have_sets(api: Api) -> None:
    shelf = Entity(name="shelfless", set_name="shelfless", primary_id="id", attributes=(key("id"),))
    define(api.twin, [shelf])
    found = schema(api)
    sets = {str(item.get("Name")): item for item in found.container.findall(f"{EDM}EntitySet")}
    assert found.container.get("Name") == "System"
    assert sets["books"].get("EntityType") == "Microsoft.Dynamics.CRM.book"
    assert "shelfless" in found.types
    assert "shelfless" not in sets
    bindings = {i.get("Path"): i.get("Target") for i in sets["books"]}
    assert bindings["EditorId"] == "authors"
    listed = {item["name"] for item in api.get("")["value"]}
    assert {n for n in sets if not n.endswith("Definitions")} <= listed


def test_metadata_and_calls_are_declared(api: Api) -> None:
    found = schema(api)
    members = found.members("StringAttributeMetadata")
    assert members["MaxLength"].get("Type") == "Edm.Int32"
    assert members["MetadataId"].get("Type") == "Edm.Guid"
    assert members["DisplayName"].get("Type") == "mscrm.Label"
    assert members["RequiredLevel"].get("Type") == "mscrm.AttributeRequiredLevelManagedProperty"
    served = api.get("EntityDefinitions(LogicalName='book')")
    names = {name for name in served if not name.startswith("@")}
    assert names <= set(found.members("EntityMetadata"))
    calls = {i.get("Name") for i in found.schema.findall(f"{EDM}Function")}
    assert {"WhoAmI", "RetrieveMetadataChanges"} <= calls
    imports = {i.get("Name") for i in found.container.findall(f"{EDM}FunctionImport")}
    assert imports == calls


def test_the_document_follows_the_schema(api: Api) -> None:
    assert "shelf" in schema(api).types
    hide(api.twin, ["shelf"])
    found = schema(api)
    assert "shelf" not in found.types
    assert list(found.problems()) == []
    enable(api.twin, ["shelf"])
    assert "shelf" in schema(api).types


def test_annotations_are_added_when_asked_for(api: Api) -> None:
    described = Attribute(
        name="note", type=AttributeType.STRING, description=Label.of({1033: "A note"})
    )
    entity = Entity(
        name="noted",
        set_name="noteds",
        primary_id="notedid",
        description=Label.of({1033: "Has notes"}),
        attributes=(key("notedid"), described),
    )
    define(api.twin, [entity])
    plain, full = schema(api), schema(api, "?annotations=true")
    assert len(full.references) == len(plain.references) + 2
    assert list(full.problems()) == []
    assert plain.members("noted")["note"].find(f"{EDM}Annotation") is None
    said = full.members("noted")["note"].find(f"{EDM}Annotation")
    assert said.get("String") == "A note"
    read_only = full.members("book")["createdon"]
    assert read_only.find(f"{EDM}Annotation").get("Bool") == "true"
    assert read_only.find(f"{EDM}Annotation/{EDM}EnumMember").text.endswith("/Read")


def test_alternate_keys_are_annotated(api: Api) -> None:
    book = schema(api).type("book")
    (found,) = book.findall(f"{EDM}Annotation")
    assert found.get("Term") == "OData.Community.Keys.V1.AlternateKeys"
    paths = [i.get("PropertyPath") for i in found.iter(f"{EDM}PropertyValue")]
    assert "isbn" in paths


def test_real_and_sample_metadata_are_accepted_too(api: Api) -> None:
    define(api.twin, [entity_from_json(definition("lead"))])
    found = schema(api)
    assert list(found.problems()) == []
    assert found.members("lead")["leadid"].get("Type") == "Edm.Guid"
    define(api.twin, contoso.entities())
    assert list(schema(api).problems()) == []


@pytest.mark.parametrize("path", ["$metadata/x", "$metadata/EntityDefinitions"])
def test_there_is_nothing_beneath_the_document(api: Api, path: str) -> None:
    assert api.fails(path)[0] == 404


def test_the_document_is_only_read(api: Api) -> None:
    assert api.fails("$metadata", "POST", {})[0] == 405
