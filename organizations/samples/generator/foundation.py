"""Recipes of what every organization has: units, currencies, users, teams, roles, privileges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, cycle

from organizations.samples.generator import people
from organizations.samples.generator.identity import identities
from organizations.samples.generator.money import CURRENCIES
from organizations.samples.generator.sizes import ROLES_OF_UNIT, UNITS
from organizations.samples.generator.world import Stream, Streams, World, constant
from organizations.schema import Entity

UNIT_NAMES = ("Contoso", "Contoso Deutschland", "Contoso Slovensko", "Contoso 日本")
TEAM_NAMES = ("Vertrieb Süd", "Servis", "Key Accounts", "東京チーム")
ROLE_NAMES = (
    "System Administrator",
    "Sales Manager",
    "Salesperson",
    "Service Technician",
    "Customer Service Representative",
    "Integration",
)
ACCESS_RIGHTS = {
    "Create": 32,
    "Read": 1,
    "Write": 2,
    "Delete": 65536,
    "Append": 16,
    "AppendTo": 4,
    "Assign": 524288,
    "Share": 262144,
}
"""Names and numbers of rights, as in Dynamics."""
SECOND_ROLE_EVERY = 5
DIRECT_REPORTS = 8
APPLICATION_USER = 1
"""Position of the user that stands for a program, not for a person."""
_GLOBAL, _BASIC = 8, 1


def privilege_names(entities: Mapping[str, Entity]) -> list[tuple[str, int]]:
    """Return name and access right of every privilege: all rights on all but intersects."""
    return [
        (f"prv{right}{entity.schema_name}", number)
        for entity in entities.values()
        if not entity.is_intersect
        for right, number in ACCESS_RIGHTS.items()
    ]


def businessunit(world: World) -> Streams:
    """Make the root unit and the units below it."""
    root = world.id("businessunit", 0)
    return {
        **people.audit(world, "businessunit"),
        **people.addresses(world, "businessunit"),
        "name": cycle(UNIT_NAMES),
        "parentbusinessunitid": cycle([None] + [root] * (UNITS - 1)),
        "isdisabled": constant(False),
    }


def transactioncurrency(world: World) -> Streams:
    """Make the currencies; the first is the base currency."""
    return {
        **people.audit(world, "transactioncurrency"),
        "currencyname": cycle([item.name for item in CURRENCIES]),
        "isocurrencycode": cycle([item.code for item in CURRENCIES]),
        "currencysymbol": cycle([item.symbol for item in CURRENCIES]),
        "currencyprecision": cycle([item.precision for item in CURRENCIES]),
        "exchangerate": cycle([item.rate for item in CURRENCIES]),
        "statecode": constant(0),
        "statuscode": constant(1),
    }


def systemuser(world: World) -> Streams:
    """Make users; each reports to another but the first."""
    streams = {**people.audit(world, "systemuser"), **people.addresses(world, "systemuser")}
    named = people.names(world, "systemuser")
    slugs = list(zip(named.pop("slug"), range(world.sizes["systemuser"]), strict=False))
    logins = [f"{slug}{number}@contoso.example" for slug, number in slugs]
    return {
        **streams,
        **named,
        "domainname": cycle(logins),
        "internalemailaddress": cycle(logins),
        "azureactivedirectoryobjectid": map(identities(world.seed, "directory"), count()),
        "businessunitid": _units(world),
        "parentsystemuserid": _managers(world),
        "isdisabled": (position % 29 == 28 for position in count()),
        **_kinds_of_users(world),
    }


def _kinds_of_users(world: World) -> Streams:
    application = str(world.id("systemuser", APPLICATION_USER))
    is_program = (position == APPLICATION_USER for position in count())
    return {
        "applicationid": (
            application if position == APPLICATION_USER else None for position in count()
        ),
        "accessmode": (4 if found else 0 for found in is_program),
        "islicensed": (position != APPLICATION_USER for position in count()),
    }


def _units(world: World) -> Stream:
    return cycle([world.id("businessunit", position) for position in range(UNITS)])


def _managers(world: World) -> Stream:
    return (
        world.id("systemuser", position // DIRECT_REPORTS) if position else None
        for position in count()
    )


def team(world: World) -> Streams:
    """Make the default team of every unit, and teams that people made."""
    numbered = (f"{name} {number}" for number in count(1) for name in TEAM_NAMES)
    return {
        **people.audit(world, "team"),
        "name": _chain(UNIT_NAMES, numbered),
        "isdefault": (position < UNITS for position in count()),
        "teamtype": constant(0),
        "businessunitid": _units(world),
        "administratorid": (world.id("systemuser", position) for position in count()),
    }


def _chain(first: tuple[str, ...], then: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from then


def role(world: World) -> Streams:
    """Make the roles of the root unit, and their copies in every unit, as Dynamics keeps them."""
    units = [world.id("businessunit", n // ROLES_OF_UNIT) for n in range(UNITS * ROLES_OF_UNIT)]
    roots = [world.id("role", n % ROLES_OF_UNIT) for n in range(UNITS * ROLES_OF_UNIT)]
    return {
        **people.audit(world, "role"),
        "name": cycle(ROLE_NAMES),
        "businessunitid": cycle(units),
        "parentroleid": cycle(
            [None if n < ROLES_OF_UNIT else root for n, root in enumerate(roots)]
        ),
        "parentrootroleid": cycle(roots),
        "componentstate": constant(0),
        "ismanaged": constant(True),
    }


def privilege(world: World) -> Streams:
    """Make the rights on all entities."""
    found = privilege_names(world.entities)
    return {
        "name": cycle([name for name, _ in found]),
        "accessright": cycle([number for _, number in found]),
        "canbebasic": constant(True),
        "canbelocal": constant(True),
        "canbedeep": constant(True),
        "canbeglobal": constant(True),
    }


def roleprivileges(world: World) -> Streams:
    """Grant all to administrators, everywhere; to the others some, on their own records."""
    pairs = granted(world.sizes["privilege"])
    return {
        "roleid": cycle([world.id("role", role) for role, _ in pairs]),
        "privilegeid": cycle([world.id("privilege", right) for _, right in pairs]),
        "privilegedepthmask": cycle(
            [_BASIC if role % ROLES_OF_UNIT else _GLOBAL for role, _ in pairs]
        ),
        "componentstate": constant(0),
    }


def granted(privileges: int) -> list[tuple[int, int]]:
    """Return the pairs of positions of roles and privileges."""
    return [
        (role, right)
        for role in range(UNITS * ROLES_OF_UNIT)
        for right in range(privileges)
        if role % ROLES_OF_UNIT == 0 or (right + role) % 4 != 0
    ]


def systemuserroles(world: World) -> Streams:
    """Give every user a role of the unit, and every fifth a second one."""
    users = world.sizes["systemuser"]
    pairs = [(user, user % ROLES_OF_UNIT) for user in range(users)]
    pairs += [
        (user, (user + 1) % ROLES_OF_UNIT)
        for user in range(0, users // SECOND_ROLE_EVERY * SECOND_ROLE_EVERY, SECOND_ROLE_EVERY)
    ]
    roles = [user % UNITS * ROLES_OF_UNIT + kind for user, kind in pairs]
    return {
        "systemuserid": cycle([world.id("systemuser", user) for user, _ in pairs]),
        "roleid": cycle([world.id("role", position) for position in roles]),
    }
