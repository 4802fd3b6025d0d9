"""What columns of certain names usually hold, wherever they occur."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from organizations.records import Value
from organizations.samples.generator import words

Draw = Callable[[Random], Value]


def _given(random: Random) -> str:
    culture = random.choice(words.CULTURES)
    return random.choice(f"{culture.women} {culture.men}".split()).partition("/")[0]


def _people(random: Random) -> str:
    return ", ".join(_given(random) for _ in range(random.randint(1, 4)))


def _phone(random: Random) -> str:
    return f"{random.choice(words.PLACES).dial} 555 {random.randrange(10**4):04d}"


def _digits(count: int, head: str = "") -> Draw:
    return lambda random: f"{head}{random.randrange(10**count):0{count}d}"


def _one_of(*values: Value) -> Draw:
    return lambda random: random.choice(values)


def _up_to(most: int) -> Draw:
    return lambda random: random.randint(0, most)


def _never(random: Random) -> Value:
    return None


def _rarely(random: Random) -> Value:
    return random.randrange(10**6) if random.random() < 0.02 else None


USUAL: dict[str, Draw] = {
    "actualdurationminutes": _up_to(240),
    "actualend": _never,
    "actualstart": _never,
    "assistantname": _given,
    "attachmentcount": _up_to(3),
    "azureactivedirectoryobjectid": _never,
    "category": _one_of(*words.DEPARTMENTS),
    "childrensnames": _people,
    "costcenter": _digits(4, "KST-"),
    "disabledreason": _never,
    "employeeid": _digits(6, "E"),
    "globalobjectid": _digits(24, "040000008200E00074C5B7"),
    "governmentid": _digits(9),
    "importsequencenumber": _rarely,
    "instancetypecode": _one_of(0),
    "introducedversion": _one_of("5.0.0.0", "8.2.0.0", "9.0.0.0"),
    "managername": _given,
    "middlename": _given,
    "mobilephone": _phone,
    "new_ageindays": _up_to(2300),
    "nickname": _given,
    "numberofchildren": _up_to(5),
    "opendeals": _up_to(9),
    "originalstartdate": _never,
    "overriddencreatedon": _never,
    "pager": _phone,
    "sic": _digits(4),
    "spousesname": _given,
    "stockexchange": _one_of("XETRA", "SIX", "LSE", "NASDAQ", "東証"),
    "suffix": _one_of("Jr.", "PhD", "MBA", "CSc."),
    "title": _one_of("Dr.", "Ing.", "Prof.", "Dipl.-Ing."),
    "utcconversiontimezonecode": _one_of(92, 95, 110, 35, 235),
}
"""Draws by logical name; a share of nulls comes on top where no value is demanded."""
