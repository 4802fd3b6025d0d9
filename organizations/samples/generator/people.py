"""Recipes of people: names that belong together, how to reach them, where they live."""

from __future__ import annotations

import unicodedata
from itertools import count, cycle
from random import Random

from organizations.records import Row
from organizations.samples.generator import words
from organizations.samples.generator.pools import instant, moment
from organizations.samples.generator.world import LONG_LENGTH, Streams, World, split

PERSONS = 4999
ADDRESSES = 1031
OWNERS = 241
TEAM_SHARE = 0.1


def names(world: World, entity: str) -> Streams:
    """Make salutation, first, last and full name, and `slug`, the name in an e-mail address."""
    random = world.random(entity, "names")
    columns = ["salutation", "firstname", "lastname", "fullname", "slug", "gendercode"]
    return split(columns, [_person(random) for _ in range(PERSONS)])


def _person(random: Random) -> Row:
    culture = random.choice(words.CULTURES)
    is_woman = random.random() < 0.5
    given = random.choice((culture.women if is_woman else culture.men).split())
    families = culture.families_of_women if is_woman else culture.families_of_men
    family = random.choice(families.split())
    first, last = given.partition("/")[0], family.partition("/")[0]
    full = f"{last} {first}" if culture.family_first else f"{first} {last}"
    slug = f"{_latin(given)}.{_latin(family)}"
    return (culture.titles[0 if is_woman else 1], first, last, full, slug, 2 if is_woman else 1)


def _latin(name: str) -> str:
    """Return a name as it stands in e-mail addresses: `Jürgen` → `jurgen`."""
    written = name.rpartition("/")[2].lower().replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum())


def emails(slugs: Streams, domain: str) -> Streams:
    """Take the slugs out of the streams and make of each an address that occurs once."""
    taken = slugs.pop("slug")
    return {"email": (f"{slug}.{n}@{domain}" for slug, n in zip(taken, count(1), strict=False))}


def addresses(world: World, entity: str, position: int = 1) -> Streams:
    """Make the address a record holds, and the telephone numbers of the place."""
    random = world.random(entity, f"address{position}")
    head = f"address{position}_"
    columns = [
        *(f"{head}{name}" for name in _ADDRESS),
        *(("telephone1", "fax") if position == 1 else ()),
    ]
    return split(columns, [_address(random)[: len(columns)] for _ in range(ADDRESSES)])


_ADDRESS = (
    "line1",
    "line2",
    "line3",
    "city",
    "stateorprovince",
    "postalcode",
    "country",
    "latitude",
    "longitude",
)


def _address(random: Random) -> Row:
    place = random.choice(words.PLACES)
    street = random.choice(place.streets).format(random.randint(1, 180))
    phone = f"{place.dial} 555 {random.randrange(10**4):04d}"
    return (
        street,
        random.choice((None, None, "c/o Nordwind", f"{random.randint(1, 9)}. poschodie")),
        None,
        place.city,
        place.region,
        place.post_code,
        place.country,
        round(place.latitude + random.uniform(-0.05, 0.05), 5),
        round(place.longitude + random.uniform(-0.05, 0.05), 5),
        f"{phone}-0",
        f"{phone}-99",
    )


def owners(world: World, entity: str) -> Streams:
    """Make the owner, a user or a team, and the columns that follow from it."""
    random = world.random(entity, "owner")
    columns = ["ownerid", "ownerid__type", "owninguser", "owningteam", "owningbusinessunit"]
    return split(columns, [_owner(world, random) for _ in range(OWNERS)])


def _owner(world: World, random: Random) -> Row:
    if random.random() < TEAM_SHARE:
        position = random.randrange(world.sizes["team"])
        team = world.id("team", position)
        return team, "team", None, team, world.id("businessunit", position)
    position = random.randrange(world.sizes["systemuser"])
    user = world.id("systemuser", position)
    return user, "systemuser", user, None, world.id("businessunit", position)


def audit(world: World, entity: str) -> Streams:
    """Make who wrote a record and when; it is never modified before it was created."""
    random = world.random(entity, "audit")
    columns = ["createdon", "modifiedon", "createdby", "modifiedby"]
    return split(columns, [_writing(world, random) for _ in range(LONG_LENGTH)])


def _writing(world: World, random: Random) -> Row:
    created, modified = sorted((moment(random), moment(random)))
    users = world.sizes["systemuser"]
    by, later = (world.id("systemuser", random.randrange(users)) for _ in range(2))
    return instant(created), instant(modified), by, later


def birthdays(world: World, entity: str) -> Streams:
    """Make days of birth; some lie before 1970, where clocks that count from there go wrong."""
    random = world.random(entity, "birthday")
    days = [
        f"{random.randint(1938, 2002)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
        for _ in range(LONG_LENGTH)
    ]
    return {"birthdate": cycle([*days, None])}
