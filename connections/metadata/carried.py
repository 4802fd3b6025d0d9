"""Which entities a connection can carry, and which it carries unless told otherwise."""

from __future__ import annotations

from connections.connectors.base import EntitySummary

WITH_ITS_ACTIVITY = (
    "Activity parties are part of their activity and are carried with it, never alone."
)
_BY_CALENDAR = "Its rows can only be read through their calendar."
_SYSTEM = "The server allows no reading of this table through its web service."
_COMPONENT = "This is a solution component, not data; it is installed with its solution."

PROBLEMS: dict[str, str] = {
    "activityparty": WITH_ITS_ACTIVITY,
    "calendarrule": _BY_CALENDAR,
    "commitment": _SYSTEM,
    "complexcontrol": _SYSTEM,
    "languageprovisioningstate": _SYSTEM,
    "lookupmapping": _SYSTEM,
    "managedproperty": _SYSTEM,
    "officegraphdocument": _SYSTEM,
    "optionset": _SYSTEM,
    "pluginassembly": _COMPONENT,
    "plugintype": _COMPONENT,
    "postregarding": _SYSTEM,
    "resco_questionnairefolder": _SYSTEM,
    "ribbonmetadatatoprocess": _SYSTEM,
    "runtimedependency": _SYSTEM,
    "sdkmessageprocessingstep": _COMPONENT,
    "similarityrule": _SYSTEM,
    "subscriptionmanuallytrackedobject": _SYSTEM,
    "timestampdatemapping": _SYSTEM,
}
"""Entities that cannot be carried, with the reason shown beside them (dataverse.md 6)."""

USUAL = frozenset(
    {
        "account",
        "annotation",
        "appointment",
        "businessunit",
        "competitor",
        "contact",
        "email",
        "incident",
        "invoice",
        "lead",
        "leadcompetitors",
        "opportunity",
        "phonecall",
        "privilege",
        "product",
        "quote",
        "role",
        "roleprivileges",
        "salesorder",
        "systemuser",
        "systemuserroles",
        "task",
        "team",
        "transactioncurrency",
    }
)
"""What a new connection carries when its request names no entities: what sales people work with."""

_VENDOR_PREFIXES = ("adx_", "bot", "cat_", "flow", "ms", "resco_", "workflow")


def problem(name: str) -> str:
    """Return why the entity cannot be carried, or ''."""
    return PROBLEMS.get(name, "")


def is_usual(summary: EntitySummary) -> bool:
    """Return whether a new connection carries the entity without being asked to.

    Besides the usual ones these are the customer's own entities; those that software vendors
    bring (several hundred in an ordinary organization) wait for a tick in the grid.
    """
    if problem(summary.name):
        return False
    own = summary.is_custom and not summary.name.startswith(_VENDOR_PREFIXES)
    return own or summary.name in USUAL
