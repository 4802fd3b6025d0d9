"""Recipes of accounts, contacts, leads and competitors, and of how they refer to each other.

Account `n` and contact `n` name each other (a cycle between entities); every third account has
a parent account, every fiftieth is the parent of its own parent, and a few are their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle

from organizations.records import Value
from organizations.samples.generator import people, words
from organizations.samples.generator.world import Stream, Streams, World, split

STATUSES_OF_LEADS = (
    (0, 1),
    (0, 1),
    (0, 2),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 1),
    (2, 5),
    (2, 7),
    (0, 2),
    (2, 6),
)
INACTIVE_EVERY = 17
FAMILY = 50
"""Accounts come in groups of this many; the first two of a group are each other's parents."""
OWN_PARENT_EVERY = 97


def companies(world: World, entity: str) -> Stream:
    """Return names of companies; every combination of name, trade and legal form occurs."""
    random = world.random(entity, "companies")
    names, trades, forms = (
        [random.choice(choices) for _ in range(length)]
        for choices, length in (
            (words.COMPANY_NAMES.split(), 211),
            (words.COMPANY_TRADES.split(), 97),
            (list(words.LEGAL_FORMS), 31),
        )
    )
    return map(" ".join, zip(cycle(names), cycle(trades), cycle(forms), strict=False))


def activity() -> Streams:
    """Make statecode and statuscode of entities that are active or not."""
    return split(["statecode", "statuscode"], [(0, 1)] * (INACTIVE_EVERY - 1) + [(1, 2)])


def common(world: World, entity: str) -> Streams:
    """Make what all customers have: owner, address, who wrote them and when."""
    return {
        **people.owners(world, entity),
        **people.addresses(world, entity),
        **people.audit(world, entity),
    }


def account(world: World) -> Streams:
    """Make companies."""
    return {
        **common(world, "account"),
        **activity(),
        **people.addresses(world, "account", 2),
        "name": companies(world, "account"),
        "accountnumber": (f"AC-{number:07d}" for number in count(1)),
        "emailaddress1": (f"office{number}@example.com" for number in count(1)),
        "primarycontactid": _same_position(world, "contact"),
        "parentaccountid": _parents(world),
        "originatingleadid": _every(world, "lead", 4),
    }


def _same_position(world: World, entity: str) -> Stream:
    identify, size = world.identify(entity), world.sizes[entity]
    return (identify(position) if position < size else None for position in count())


def _every(world: World, entity: str, step: int) -> Stream:
    identify, size = world.identify(entity), world.sizes[entity]
    return (
        identify(position) if position % step == 1 and position < size else None
        for position in count()
    )


def _parents(world: World) -> Stream:
    identify, size = world.identify("account"), world.sizes["account"]
    for position in count():
        parent = parent_of(position)
        yield None if parent is None or parent >= size else identify(parent)


def parent_of(position: int) -> int | None:
    """Return the position of the parent of the account at a position, or None."""
    place = position % FAMILY
    if place < 2:
        return position + 1 - 2 * place
    if position % OWN_PARENT_EVERY == 26:
        return position
    return position // 7 if position % 3 == 0 else None


def contact(world: World) -> Streams:
    """Make people who work for accounts."""
    streams = {**common(world, "contact"), **activity(), **people.names(world, "contact")}
    return {
        **streams,
        **people.addresses(world, "contact", 2),
        **people.birthdays(world, "contact"),
        "emailaddress1": people.emails(streams, "example.com")["email"],
        "jobtitle": _picked(world, "contact", "jobtitle", words.JOBS),
        "department": _picked(world, "contact", "department", words.DEPARTMENTS),
        **_employers(world),
    }


def _picked(world: World, entity: str, column: str, choices: tuple[str, ...]) -> Stream:
    random = world.random(entity, column)
    return cycle([random.choice((*choices, None)) for _ in range(293)])


def _employers(world: World) -> Streams:
    """Make the parent customer: mostly an account, for every 14th the contact before it."""
    of_account, accounts = world.identify("account"), world.sizes["account"]
    of_contact = world.identify("contact")

    def parents() -> Iterator[Value]:
        for position in count():
            if position % 14 == 13:
                yield of_contact(position - 1)
            else:
                yield of_account(position % accounts) if accounts else None

    kind = "account" if accounts else None
    return {
        "parentcustomerid": parents(),
        "parentcustomerid__type": cycle([kind] * 13 + ["contact"]),
    }


def lead(world: World) -> Streams:
    """Make people who may become customers."""
    streams = {**common(world, "lead"), **people.names(world, "lead")}
    streams.pop("gendercode")
    return {
        **streams,
        **split(["statecode", "statuscode"], STATUSES_OF_LEADS),
        "emailaddress1": people.emails(streams, "example.net")["email"],
        "companyname": companies(world, "lead"),
        "subject": _picked_always(world, "lead", "subject", words.TOPICS),
        "jobtitle": _picked(world, "lead", "jobtitle", words.JOBS),
    }


def _picked_always(world: World, entity: str, column: str, choices: tuple[str, ...]) -> Stream:
    random = world.random(entity, column)
    return cycle([random.choice(choices) for _ in range(283)])


def competitor(world: World) -> Streams:
    """Make rivals."""
    return {
        **people.addresses(world, "competitor"),
        **people.audit(world, "competitor"),
        "name": companies(world, "competitor"),
        "keyproduct": _picked(world, "competitor", "keyproduct", words.PRODUCTS),
        "reportingyear": cycle(range(2019, 2025)),
    }


def leadcompetitors(world: World) -> Streams:
    """Pair every fourth lead with two competitors."""
    rivals = world.sizes["competitor"]
    of_lead, of_rival = world.identify("lead"), world.identify("competitor")
    return {
        "leadid": (of_lead(pair // 2 * 4) for pair in count()),
        "competitorid": (
            of_rival((pair // 2 + pair % 2) % rivals) if rivals else None for pair in count()
        ),
    }


def new_equipment(world: World) -> Streams:
    """Make machines at customers; some are parts of another, two in a hundred of each other."""
    names = _picked_always(world, "new_equipment", "new_name", words.MACHINES)
    return {
        **people.owners(world, "new_equipment"),
        **people.audit(world, "new_equipment"),
        **activity(),
        "new_name": (f"{name} {number}" for name, number in zip(names, count(100), strict=False)),
        "new_serialnumber": (f"SN{number:09d}" for number in count(1)),
        "new_parentequipmentid": _machine_parents(world),
    }


def _machine_parents(world: World) -> Stream:
    identify, size = world.identify("new_equipment"), world.sizes["new_equipment"]
    for position in count():
        place = position % 100
        parent = position + 1 - 2 * place if place < 2 else position // 5
        yield identify(parent) if parent < size and (place < 2 or position % 4 == 0) else None
