"""Complex types and enumerations of metadata, and of the answers of functions, as tables."""

from __future__ import annotations

from collections.abc import Mapping

_C = "mscrm."
_S, _B, _I, _G = "Edm.String", "Edm.Boolean", "Edm.Int32", "Edm.Guid"
_LABEL = f"{_C}Label"


def _many(kind: str) -> str:
    return f"Collection({kind})"


def _same(kind: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, kind)


_QUERY = {
    "Properties": f"{_C}MetadataPropertiesExpression",
    "Criteria": f"{_C}MetadataFilterExpression",
}
COMPLEX_TYPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "LocalizedLabel": (
        "",
        {"Label": _S, "LanguageCode": _I, "IsManaged": _B, "MetadataId": _G, "HasChanged": _B},
    ),
    "Label": (
        "",
        {
            "LocalizedLabels": _many(f"{_C}LocalizedLabel"),
            "UserLocalizedLabel": f"{_C}LocalizedLabel",
        },
    ),
    "BooleanManagedProperty": (
        "",
        {"Value": _B, "CanBeChanged": _B, "ManagedPropertyLogicalName": _S},
    ),
    "AttributeRequiredLevelManagedProperty": (
        "",
        {
            "Value": f"{_C}AttributeRequiredLevel",
            "CanBeChanged": _B,
            "ManagedPropertyLogicalName": _S,
        },
    ),
    "AttributeTypeDisplayName": ("", {"Value": _S}),
    "StringFormatName": ("", {"Value": _S}),
    "DateTimeBehavior": ("", {"Value": _S}),
    "SecurityPrivilegeMetadata": (
        "",
        _same(
            _B,
            "CanBeBasic",
            "CanBeDeep",
            "CanBeEntityReference",
            "CanBeGlobal",
            "CanBeLocal",
            "CanBeParentEntityReference",
            "CanBeRecordFilter",
        )
        | {"Name": _S, "PrivilegeId": _G, "PrivilegeType": f"{_C}PrivilegeType"},
    ),
    "AssociatedMenuConfiguration": (
        "",
        {
            "Behavior": f"{_C}AssociatedMenuBehavior",
            "Group": f"{_C}AssociatedMenuGroup",
            "Label": _LABEL,
            "Order": _I,
            "AvailableOffline": _B,
            "Icon": _S,
            "IsCustomizable": _B,
            "MenuId": _S,
            "QueryApi": _S,
            "ViewId": _G,
        },
    ),
    "CascadeConfiguration": (
        "",
        _same(
            f"{_C}CascadeType",
            *("Archive", "Assign", "Delete", "Merge"),
            *("Reparent", "RollupView", "Share", "Unshare"),
        ),
    ),
    "OptionMetadata": (
        "",
        {
            "Value": _I,
            "Label": _LABEL,
            "Description": _LABEL,
            "Color": _S,
            "IsManaged": _B,
            "IsHidden": _B,
            "ExternalValue": _S,
            "ParentValues": _many(_I),
            "Tag": _S,
            "MetadataId": _G,
            "HasChanged": _B,
        },
    ),
    "StateOptionMetadata": ("OptionMetadata", {"DefaultStatus": _I, "InvariantName": _S}),
    "StatusOptionMetadata": ("OptionMetadata", {"State": _I, "TransitionData": _S}),
    "WhoAmIResponse": ("", {"BusinessUnitId": _G, "UserId": _G, "OrganizationId": _G}),
    "RetrieveVersionResponse": ("", {"Version": _S}),
    "RetrieveAvailableLanguagesResponse": ("", {"LocaleIds": _many(_I)}),
    "RetrieveProvisionedLanguagesResponse": ("", {"RetrieveProvisionedLanguages": _many(_I)}),
    "RetrieveInstalledLanguagePacksResponse": ("", {"RetrieveInstalledLanguagePacks": _many(_I)}),
    "EntityRecordCountCollection": (
        "",
        {"Count": _I, "IsReadOnly": _B, "Keys": _many(_S), "Values": _many("Edm.Int64")},
    ),
    "RetrieveTotalRecordCountResponse": (
        "",
        {"EntityRecordCountCollection": f"{_C}EntityRecordCountCollection"},
    ),
    "Object": ("", {"Type": _S, "Value": _S}),
    "MetadataConditionExpression": (
        "",
        {
            "PropertyName": _S,
            "ConditionOperator": f"{_C}MetadataConditionOperator",
            "Value": f"{_C}Object",
        },
    ),
    "MetadataFilterExpression": (
        "",
        {
            "FilterOperator": f"{_C}LogicalOperator",
            "Conditions": _many(f"{_C}MetadataConditionExpression"),
            "Filters": _many(f"{_C}MetadataFilterExpression"),
        },
    ),
    "MetadataPropertiesExpression": ("", {"AllProperties": _B, "PropertyNames": _many(_S)}),
    "LabelQueryExpression": ("", {"FilterLanguages": _many(_I), "MissingLabelBehavior": _I}),
    "AttributeQueryExpression": ("", _QUERY),
    "RelationshipQueryExpression": ("", _QUERY),
    "EntityKeyQueryExpression": ("", _QUERY),
    "EntityQueryExpression": (
        "",
        _QUERY
        | {
            "AttributeQuery": f"{_C}AttributeQueryExpression",
            "RelationshipQuery": f"{_C}RelationshipQueryExpression",
            "KeyQuery": f"{_C}EntityKeyQueryExpression",
            "LabelQuery": f"{_C}LabelQueryExpression",
        },
    ),
    "GuidCollection": ("", {"Count": _I, "IsReadOnly": _B, "Items": _many(_G)}),
    "DeletedMetadataCollection": (
        "",
        {
            "Count": _I,
            "IsReadOnly": _B,
            "Keys": _many(f"{_C}DeletedMetadataFilters"),
            "Values": _many(f"{_C}GuidCollection"),
        },
    ),
    "ComplexEntityMetadata": ("", {"MetadataId": _G, "HasChanged": _B, "LogicalName": _S}),
    "RetrieveMetadataChangesResponse": (
        "",
        {
            "ServerVersionStamp": _S,
            "DeletedMetadata": f"{_C}DeletedMetadataCollection",
            "EntityMetadata": _many(f"{_C}ComplexEntityMetadata"),
        },
    ),
    "CreateMultipleResponse": ("", {"Ids": _many(_G)}),
    "InsertOptionValueResponse": ("", {"NewOptionValue": _I}),
    "CreateEntitiesResponse": ("", {"EntityIds": _many(_G)}),
}


def _numbered(*names: str) -> dict[str, int]:
    return {name: position for position, name in enumerate(names)}


ENUM_TYPES: Mapping[str, Mapping[str, int]] = {
    "OwnershipTypes": {
        "None": 0,
        "UserOwned": 1,
        "TeamOwned": 2,
        "BusinessOwned": 4,
        "OrganizationOwned": 8,
        "BusinessParented": 16,
    },
    "AttributeTypeCode": _numbered(
        *("Boolean", "Customer", "DateTime", "Decimal", "Double", "Integer", "Lookup", "Memo"),
        *("Money", "Owner", "PartyList", "Picklist", "State", "Status", "String"),
        *("Uniqueidentifier", "CalendarRules", "Virtual", "BigInt", "ManagedProperty"),
        "EntityName",
    ),
    "AttributeRequiredLevel": _numbered(
        "None", "SystemRequired", "ApplicationRequired", "Recommended"
    ),
    "RelationshipType": _numbered("OneToManyRelationship", "ManyToManyRelationship"),
    "SecurityTypes": {
        "None": 0,
        "Append": 1,
        "ParentChild": 2,
        "Pointer": 4,
        "Inheritance": 8,
    },
    "CascadeType": _numbered(
        "NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"
    ),
    "AssociatedMenuBehavior": _numbered("UseCollectionName", "UseLabel", "DoNotDisplay"),
    "AssociatedMenuGroup": _numbered("Details", "Sales", "Service", "Marketing"),
    "EntityKeyIndexStatus": _numbered("Pending", "InProgress", "Active", "Failed"),
    "OptionSetType": _numbered("Picklist", "State", "Status", "Boolean"),
    "ImeMode": _numbered("Auto", "Inactive", "Active", "Disabled"),
    "PrivilegeType": _numbered(
        *("None", "Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
    ),
    "LogicalOperator": _numbered("And", "Or"),
    "MetadataConditionOperator": _numbered(
        "Equals", "NotEquals", "In", "NotIn", "GreaterThan", "LessThan"
    ),
    "DeletedMetadataFilters": {
        "Entity": 1,
        "Attribute": 2,
        "Relationship": 4,
        "Label": 8,
        "OptionSet": 16,
        "All": 31,
    },
}
