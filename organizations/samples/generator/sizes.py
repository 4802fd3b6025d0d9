"""How many records of each entity a sample organization of N records has."""

from __future__ import annotations

from collections.abc import Mapping

MAIN = {
    "contact": 38,
    "account": 25,
    "lead": 20,
    "appointment": 10,
    "new_equipment": 6,
    "competitor": 1,
}
"""Parts of a hundred. These six share the number asked for; all others come on top of it."""

UNITS = 4
CURRENCIES = 5
ROLES_OF_UNIT = 6
_USERS = (6, 250)
_RECORDS_PER_USER = 400
_USERS_PER_TEAM = 25


def sizes(records: int, privileges: int) -> dict[str, int]:
    """Return the number of records per entity.

    The six main entities add up to `records`. `privileges` is how many there are to grant.
    Raises ValueError for a negative number.
    """
    if records < 0:
        raise ValueError(f"The number of records must be 0 or more, not {records}.")
    main = _shares(records)
    users = max(_USERS[0], min(_USERS[1], records // _RECORDS_PER_USER))
    return {
        **main,
        "businessunit": UNITS,
        "transactioncurrency": CURRENCIES,
        "systemuser": users,
        "team": UNITS + users // _USERS_PER_TEAM + 1,
        "role": UNITS * ROLES_OF_UNIT,
        "privilege": privileges,
        "systemuserroles": users + users // 5,
        "leadcompetitors": 2 * (main["lead"] // 4) if main["competitor"] > 1 else 0,
    }


def _shares(records: int) -> dict[str, int]:
    shares = {name: records * part // 100 for name, part in MAIN.items()}
    left = records - sum(shares.values())
    for name in list(MAIN)[:left]:
        shares[name] += 1
    return shares


def total(counts: Mapping[str, int]) -> int:
    """Return how many of these records belong to the main entities."""
    return sum(counts[name] for name in MAIN)
