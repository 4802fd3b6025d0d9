"""The properties every entity document has, for entities that never were JSON.

The list is that of a real organization's definition (dataverse.md 2.1); the values are those of
a plain table without special features.
"""

from __future__ import annotations

from organizations.dynamics.codec.properties import (
    INTRODUCED,
    NEVER_CUSTOMISED,
    Json,
    managed,
    metadata_id,
)
from organizations.schema import Entity, Ownership

_NULL = (
    "HasChanged",
    "DataProviderId",
    "DataSourceId",
    "DaysSinceRecordLastModified",
    "EntityColor",
    "EntityHelpUrl",
    "ExternalCollectionName",
    "ExternalName",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "IconVectorName",
    "MobileOfflineFilters",
    "OwnerId",
    "OwningBusinessUnit",
    "PrimaryImageAttribute",
    "PrimaryKey",
    "RecurrenceBaseEntityLogicalName",
    "SettingOf",
    "Settings",
)
_FALSE = (
    "AutoCreateAccessTeams",
    "AutoReplicateClusterRecords",
    "AutoRouteToOwnerQueue",
    "DefaultToLocalPartition",
    "EnforceStateTransitions",
    "EntityHelpUrlEnabled",
    "HasEmailAddresses",
    "HasFeedback",
    "HasNotes",
    "IsActivityParty",
    "IsArchivalEnabled",
    "IsAvailableOffline",
    "IsBPFEntity",
    "IsBusinessProcessEnabled",
    "IsChildEntity",
    "IsDocumentManagementEnabled",
    "IsDocumentRecommendationsEnabled",
    "IsEnabledForExternalChannels",
    "IsEnabledForTrace",
    "IsInteractionCentricEnabled",
    "IsKnowledgeManagementEnabled",
    "IsLogicalEntity",
    "IsMSTeamsIntegrationEnabled",
    "IsManaged",
    "IsOneNoteIntegrationEnabled",
    "IsPrivate",
    "IsQuickCreateEnabled",
    "IsReadingPaneEnabled",
    "IsRetentionEnabled",
    "IsRetrieveAuditEnabled",
    "IsRetrieveMultipleAuditEnabled",
    "IsSLAEnabled",
    "IsSolutionAware",
    "IsStateModelAware",
    "SyncToExternalSearchIndex",
    "UsesBusinessDataLabelTable",
)
_TRUE = (
    "CanChangeClusterMode",
    "CanTriggerWorkflow",
    "IsAIRUpdated",
    "IsEnabledForCharts",
    "IsImportable",
)
_MANAGED = {
    "CanBeInCustomEntityAssociation": ("canbeincustomentityassociation", True),
    "CanBeInManyToMany": ("canbeinmanytomany", True),
    "CanBePrimaryEntityInRelationship": ("canbeprimaryentityinrelationship", True),
    "CanBeRelatedEntityInRelationship": ("canberelatedentityinrelationship", True),
    "CanChangeHierarchicalRelationship": ("canchangehierarchicalrelationship", True),
    "CanChangeTrackingBeEnabled": ("canchangetrackingbeenabled", True),
    "CanCreateAttributes": ("cancreateattributes", True),
    "CanCreateCharts": ("cancreatecharts", True),
    "CanCreateForms": ("cancreateforms", True),
    "CanCreateViews": ("cancreateviews", True),
    "CanEnableSyncToExternalSearchIndex": ("canenablesynctoexternalsearchindex", True),
    "CanModifyAdditionalSettings": ("canmodifyadditionalsettings", True),
    "IsAuditEnabled": ("canmodifyauditsettings", False),
    "IsConnectionsEnabled": ("canmodifyconnectionsettings", False),
    "IsCustomizable": ("iscustomizable", True),
    "IsDuplicateDetectionEnabled": ("canmodifyduplicatedetectionsettings", False),
    "IsMailMergeEnabled": ("canmodifymailmergesettings", False),
    "IsMappable": ("ismappable", True),
    "IsOfflineInMobileClient": ("canmodifymobileclientoffline", False),
    "IsReadOnlyInMobileClient": ("canmodifymobileclientreadonly", False),
    "IsRenameable": ("isrenameable", True),
    "IsValidForQueue": ("canmodifyqueuesettings", False),
    "IsVisibleInMobile": ("canmodifymobilevisibility", False),
    "IsVisibleInMobileClient": ("canmodifymobileclientvisibility", False),
}
_PRIVILEGES = ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")


def entity_defaults(entity: Entity) -> Json:
    """Return all properties but those the vocabulary has a word for."""
    schema_name = entity.schema_name or entity.name
    return {
        "MetadataId": metadata_id("entity", entity.name),
        **dict.fromkeys(_NULL),
        **dict.fromkeys(_FALSE, False),
        **dict.fromkeys(_TRUE, True),
        **{name: managed(key, value) for name, (key, value) in _MANAGED.items()},
        "ActivityTypeMask": 1 if entity.is_activity else 0,
        "ClusterMode": "Local",
        "CollectionSchemaName": f"{schema_name}s",
        "CreatedOn": NEVER_CUSTOMISED,
        "ModifiedOn": NEVER_CUSTOMISED,
        "HasActivities": any(
            item.referencing_attribute == "regardingobjectid" for item in entity.one_to_many
        ),
        "IntroducedVersion": INTRODUCED,
        "IsValidForAdvancedFind": not entity.is_intersect,
        "LogicalCollectionName": entity.set_name,
        "OwnerIdType": 8,
        "Privileges": [] if entity.is_intersect else _privileges(entity, schema_name),
        "ReportViewName": None if entity.is_intersect else f"Filtered{schema_name}",
        "TableType": "Standard",
    }


def _privileges(entity: Entity, schema_name: str) -> list[Json]:
    """Return one privilege per kind of access; ownerless records know only the global depth."""
    is_owned = entity.ownership is Ownership.USER
    kinds = _PRIVILEGES if is_owned else [k for k in _PRIVILEGES if k not in ("Assign", "Share")]
    return [
        {
            "CanBeBasic": is_owned,
            "CanBeDeep": is_owned,
            "CanBeEntityReference": False,
            "CanBeGlobal": True,
            "CanBeLocal": is_owned,
            "CanBeParentEntityReference": False,
            "CanBeRecordFilter": False,
            "Name": f"prv{kind}{schema_name}",
            "PrivilegeId": metadata_id("privilege", entity.name, kind),
            "PrivilegeType": kind,
        }
        for kind in kinds
    ]
