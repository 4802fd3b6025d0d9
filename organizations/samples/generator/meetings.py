"""Recipe of appointments and of who takes part in them; the store makes the party rows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count, cycle, tee
from random import Random

import orjson

from organizations.records import Row, Value
from organizations.samples.generator import people, words
from organizations.samples.generator.pools import instant, moment
from organizations.samples.generator.world import LONG_LENGTH, Streams, World, split

REQUIRED, OPTIONAL, ORGANIZER = 5, 6, 7
"""Participation type masks."""
STATUSES = ((0, 1), (1, 3), (3, 5), (1, 3), (2, 4), (3, 6), (0, 2))
GUEST_EVERY = 10
"""Every tenth meeting has a guest who is no record here, only an e-mail address."""

Party = tuple[int, str, str]
"""Mask, entity (empty for a guest) and id or address, as in a canonical party list."""


def parties_of(world: World, position: int) -> list[Party]:
    """Return who takes part in the appointment at a position."""
    parties = [(ORGANIZER, "systemuser", position)]
    parties += [(REQUIRED, "contact", position * 3 + n) for n in range(1 + position % 3)]
    if position % 4 == 0:
        parties.append((OPTIONAL, "lead", position))
    found = {
        (mask, entity, world.identify(entity)(place % world.sizes[entity]))
        for mask, entity, place in parties
        if world.sizes[entity]
    }
    if position % GUEST_EVERY == 0:
        found.add((OPTIONAL, "", f"guest{position}@example.org"))
    return sorted(found)


def appointment(world: World) -> Streams:
    """Make meetings with accounts, contacts, leads and about machines."""
    random = world.random("appointment", "times")
    times = [_times(random) for _ in range(LONG_LENGTH)]
    columns = ["scheduledstart", "scheduledend", "scheduleddurationminutes", "isalldayevent"]
    subjects = [random.choice(words.MEETINGS) for _ in range(281)]
    rooms = [random.choice((*words.ROOMS, None)) for _ in range(263)]
    return {
        **people.owners(world, "appointment"),
        **people.audit(world, "appointment"),
        **split(columns, times),
        **split(["statecode", "statuscode"], STATUSES),
        "subject": cycle(subjects),
        "location": cycle(rooms),
        **_party_lists(world),
        **_regarding(world),
    }


def _times(random: Random) -> Row:
    start = moment(random)
    if random.random() < 0.05:
        return instant(start), instant(start + timedelta(days=1)), 24 * 60, True
    minutes = random.choice((30, 45, 60, 90, 120))
    return instant(start), instant(start + timedelta(minutes=minutes)), minutes, False


def _party_lists(world: World) -> Streams:
    """Make the three columns of parties; each meeting is worked out once for all three."""
    masks = {"organizer": ORGANIZER, "requiredattendees": REQUIRED, "optionalattendees": OPTIONAL}
    meetings = tee((parties_of(world, position) for position in count()), len(masks))
    return {
        column: map(partial(_party_list, mask), copy)
        for (column, mask), copy in zip(masks.items(), meetings, strict=True)
    }


def _party_list(mask: int, parties: list[Party]) -> Value:
    found = [party for party in parties if party[0] == mask]
    return orjson.dumps(found).decode() if found else None


def _regarding(world: World) -> Streams:
    """Point at an account, a contact, a lead, a machine or nothing, in turn."""
    kinds = [
        kind if kind and world.sizes[kind] else None
        for kind in ("account", "contact", "lead", "new_equipment", None)
    ]

    def ids() -> Iterator[Value]:
        for position, kind in zip(count(), cycle(kinds), strict=False):
            yield world.id(kind, position) if kind else None

    return {"regardingobjectid": ids(), "regardingobjectid__type": cycle(kinds)}
