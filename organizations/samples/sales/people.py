"""Users, teams, roles and business units of the Sales template."""

from __future__ import annotations

from organizations.samples.sales.columns import (
    active,
    customer,
    flag,
    line,
    lookup,
    native,
    required,
    written,
)
from organizations.schema import Entity, Ownership


def systemuser() -> Entity:
    """Make the entity of users."""
    return native(
        "systemuser",
        ("User", "Users"),
        [
            line("name", "Full Name", 200),
            line("firstname", "First Name", 256),
            required(line("lastname", "Last Name", 256)),
            required(line("internalemailaddress", "E-mail", 100, "Email")),
            line("homephone", "Home Phone", 50, "PhoneNumber"),
            line("mobilephone", "Mobile Phone", 64, "PhoneNumber"),
            flag("allowedforscheduling", "Allowed for Scheduling"),
            flag("isdisabled", "Disabled"),
            customer("customerid", "Customer"),
            active(),
            written(),
        ],
        ownership=Ownership.BUSINESS,
    )


def team() -> Entity:
    """Make the entity of teams."""
    return native(
        "team",
        ("Team", "Teams"),
        [required(line("name", "Team Name", 160)), written()],
        ownership=Ownership.BUSINESS,
    )


def role() -> Entity:
    """Make the entity of security roles."""
    return native(
        "role",
        ("Security Role", "Security Roles"),
        [required(line("name", "Name", 100)), written()],
        ownership=Ownership.BUSINESS,
    )


def businessunit() -> Entity:
    """Make the entity of business units; its attributes are not published (assumed)."""
    return native(
        "businessunit",
        ("Business Unit", "Business Units"),
        [
            required(line("name", "Name", 160)),
            lookup("parentbusinessunitid", "Parent Business", "businessunit"),
            written(),
        ],
        ownership=Ownership.BUSINESS,
    )
