"""Rows that describe hosted organizations; their records live in tables of their own."""

from organizations.models.history import ChangeLog, DeletedRecord
from organizations.models.hook import WebHook
from organizations.models.metadata import DeletedElement, EntityDefinition, OptionSetDefinition
from organizations.models.organization import Application, Member, Organization
from organizations.models.protection import RequestKind, TwinFault, TwinLimits
from organizations.models.tracking import TwinTracking

__all__ = [
    "Application",
    "ChangeLog",
    "DeletedElement",
    "DeletedRecord",
    "EntityDefinition",
    "Member",
    "OptionSetDefinition",
    "Organization",
    "RequestKind",
    "TwinFault",
    "TwinLimits",
    "TwinTracking",
    "WebHook",
]
