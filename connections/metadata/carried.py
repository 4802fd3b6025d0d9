"""Which entities a connection carries unless told otherwise."""

from __future__ import annotations

from connections.connectors.base import EntitySummary

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


def is_usual(summary: EntitySummary) -> bool:
    """Return whether a new connection carries the entity without being asked to.

    Besides the usual ones these are the customer's own entities; those that software vendors
    bring (several hundred in an ordinary organization) wait for a tick in the grid.
    """
    if summary.problem:
        return False
    own = summary.is_custom and not summary.name.startswith(_VENDOR_PREFIXES)
    return own or summary.name in USUAL
