"""The properties every attribute document has, for attributes that never were JSON."""

from __future__ import annotations

from organizations.dynamics.codec.attribute_types import own_defaults
from organizations.dynamics.codec.properties import (
    INTRODUCED,
    NEVER_CUSTOMISED,
    Json,
    managed,
    metadata_id,
)
from organizations.schema import Attribute


def attribute_defaults(attribute: Attribute, entity: str) -> Json:
    """Return all common properties but those the vocabulary has a word for."""
    is_shadow = attribute.attribute_of is not None
    return {
        "MetadataId": metadata_id("attribute", entity, attribute.name),
        "HasChanged": None,
        "AutoNumberFormat": None,
        "ColumnNumber": None,
        "CreatedOn": NEVER_CUSTOMISED,
        "ModifiedOn": NEVER_CUSTOMISED,
        "DeprecatedVersion": None,
        "EntityLogicalName": entity,
        "ExternalName": None,
        "InheritsFrom": None,
        "IntroducedVersion": INTRODUCED,
        "IsDataSourceSecret": False,
        "IsFilterable": False,
        "IsLogical": is_shadow,
        "IsManaged": False,
        "IsRequiredForForm": False,
        "IsRetrievable": False,
        "IsSearchable": False,
        "IsSecured": False,
        "IsValidForForm": not is_shadow,
        "IsValidForGrid": not is_shadow,
        "IsValidODataAttribute": attribute.is_readable and not is_shadow,
        "LinkedAttributeId": None,
        "Settings": None,
        "RequiredLevel": managed("canmodifyrequirementlevelsettings", str(attribute.required)),
        **_secured(attribute),
        **_managed(attribute),
        **own_defaults(attribute),
    }


def _secured(attribute: Attribute) -> Json:
    can = not attribute.is_primary_id and attribute.attribute_of is None
    return {
        "CanBeSecuredForCreate": can and attribute.is_creatable,
        "CanBeSecuredForRead": can and attribute.is_readable,
        "CanBeSecuredForUpdate": can and attribute.is_updatable,
    }


def _managed(attribute: Attribute) -> Json:
    findable = attribute.is_readable and attribute.attribute_of is None
    return {
        "CanModifyAdditionalSettings": managed("canmodifyadditionalsettings", True),
        "IsAuditEnabled": managed("canmodifyauditsettings", True),
        "IsCustomizable": managed("iscustomizable", True),
        "IsGlobalFilterEnabled": managed("canmodifyglobalfiltersettings", False),
        "IsRenameable": managed("isrenameable", True),
        "IsSortableEnabled": managed("canmodifyissortablesettings", False),
        "IsValidForAdvancedFind": managed("canmodifysearchsettings", findable),
    }
