"""Values for a column of which nothing is known but its metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from organizations.records import Row, Value
from organizations.samples.generator import words
from organizations.samples.generator.money import CURRENCIES
from organizations.samples.generator.usual import USUAL, Draw
from organizations.samples.generator.world import (
    PRIMES,
    SHARED_LENGTH,
    Streams,
    World,
    constant,
    drawn,
    split,
)
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    DateBehavior,
    Entity,
    RequiredLevel,
)
from organizations.values import quantize

EPOCH = datetime(2019, 1, 1, 6, tzinfo=UTC)
DAYS = 2300
"""Dates lie in the six years from 2019 on: always past, so no filter meets the future."""
NULLS = 0.3
BOOLEAN_SHARE = 0.25
BASE_PRECISION = 4
LONG_TEXT_SHARE = 0.03
LONG_TEXT = 6000
COMFORTABLE = 100_000
"""Whole numbers and amounts stay below, whatever a column would allow."""
MOST_MONEY = 10**8
_TRIES = 8
"""Draws that must fit a column before the usual values of its name are taken for it."""


def default_streams(world: World, entity: Entity) -> Streams:
    """Return streams for every stored column of an entity, amounts in their currency."""
    streams: Streams = _amounts(world, entity)
    attributes = (item for item in entity.attributes if item.is_stored and item.name != VERSION)
    for position, attribute in enumerate(attributes):
        if attribute.name not in streams:
            streams |= _streams(world, entity, attribute, PRIMES[position % len(PRIMES)])
    return streams


def _streams(world: World, entity: Entity, attribute: Attribute, length: int) -> Streams:
    if attribute.is_lookup:
        return _lookups(world, entity, attribute, length)
    random = world.random(entity.name, attribute.name)
    required = attribute.required in (RequiredLevel.APPLICATION, RequiredLevel.SYSTEM)
    nulls = 0.0 if required else NULLS
    return {attribute.name: drawn(random, length, value_of(attribute), nulls)}


def _lookups(world: World, entity: Entity, attribute: Attribute, length: int) -> Streams:
    """Point at random records of the targets; what only the system writes stays empty."""
    names = [attribute.name]
    if attribute.is_polymorphic:
        names.append(f"{attribute.name}__type")
    targets = [name for name in attribute.targets if name in world.entities]
    is_systems = not attribute.is_updatable and attribute.required is not RequiredLevel.SYSTEM
    if is_systems or not targets:
        return {name: constant(None) for name in names}
    random = world.random(entity.name, attribute.name)
    rows: list[Row] = []
    for _ in range(length):
        target = random.choice(targets)
        found = world.id(target, random.randrange(2**31)) if random.random() > NULLS else None
        rows.append((found, target if found else None)[: len(names)])
    return split(names, rows)


def _amounts(world: World, entity: Entity) -> Streams:
    """Make currency, rate, amounts and their values in the base currency, which go together."""
    rate = entity.attribute("exchangerate")
    if rate is None or entity.attribute("transactioncurrencyid") is None or rate.is_creatable:
        return {}
    random = world.random(entity.name, "amounts")
    picked = [random.randrange(len(CURRENCIES)) for _ in range(SHARED_LENGTH)]
    rates = [CURRENCIES[position].rate for position in picked]
    ids = [world.id("transactioncurrency", position) for position in picked]
    streams = split(["transactioncurrencyid", "exchangerate"], list(zip(ids, rates, strict=True)))
    for attribute in entity.attributes:
        if attribute.type is AttributeType.MONEY and not attribute.name.endswith("_base"):
            streams |= _amount(random, attribute, rates)
    return streams


def _amount(random: Random, attribute: Attribute, rates: Sequence[Decimal]) -> Streams:
    draw = _money(attribute)
    amounts = [None if random.random() < NULLS else draw(random) for _ in rates]
    rows = [
        (amount, None if amount is None else quantize(amount / rate, BASE_PRECISION))
        for amount, rate in zip(amounts, rates, strict=True)
    ]
    return split([attribute.name, f"{attribute.name}_base"], rows)


def value_of(attribute: Attribute) -> Draw:
    """Return the function that draws a canonical value of an attribute that is no lookup."""
    usual = USUAL.get(attribute.name)
    if usual is not None and all(_fits(attribute, usual(Random(seed))) for seed in range(_TRIES)):  # noqa: S311
        return usual
    if attribute.option_set is not None:
        return _option(attribute)
    return _DRAWS.get(attribute.type, _nothing)(attribute)


def _fits(attribute: Attribute, value: Value) -> bool:
    """Return whether an attribute of that name can hold the value; names mean what they like."""
    if value is None:
        return True
    if isinstance(value, str):
        is_text = attribute.type in (AttributeType.STRING, AttributeType.MEMO)
        return is_text and len(value) <= (attribute.max_length or len(value))
    if attribute.option_set is not None:
        return isinstance(value, int) and attribute.option_set.option(value) is not None
    least, most = _bounds(attribute)
    is_whole = attribute.type in (AttributeType.INTEGER, AttributeType.BIGINT)
    return is_whole and isinstance(value, int) and least <= value <= most


def _nothing(attribute: Attribute) -> Draw:
    return lambda random: None


def _option(attribute: Attribute) -> Draw:
    options = attribute.option_set.options if attribute.option_set else ()
    values = [option.value for option in options if not option.retired]
    if attribute.type is AttributeType.BOOLEAN:
        return lambda random: random.random() < BOOLEAN_SHARE
    if not values:
        return _nothing(attribute)
    if attribute.type is AttributeType.MULTISELECT:
        return lambda random: ",".join(
            map(str, sorted(random.sample(values, random.randint(1, len(values)))))
        )
    return lambda random: random.choice(values)


def _bounds(attribute: Attribute) -> tuple[float, float]:
    least = attribute.minimum if attribute.minimum is not None else -COMFORTABLE
    most = attribute.maximum if attribute.maximum is not None else COMFORTABLE
    low, high = max(least, -COMFORTABLE), min(most, COMFORTABLE)
    return (low, high) if low <= high else (least, most)


def _whole(attribute: Attribute) -> Draw:
    least, most = _bounds(attribute)
    low = int(least) if most < 0 else max(int(least), 0)
    return lambda random: random.randint(low, int(most))


def _big(attribute: Attribute) -> Draw:
    return lambda random: random.randrange(-(2**40), 2**62)


def _money(attribute: Attribute) -> Callable[[Random], Decimal]:
    # Cents up to a hundred million: a sum no floating point detour would leave intact.
    precision = attribute.precision or 0
    most = attribute.maximum if attribute.maximum is not None else float(MOST_MONEY)
    cents = max(1, 100 * int(min(most, MOST_MONEY)))
    return lambda random: quantize(Decimal(random.randrange(cents)).scaleb(-2), precision)


def _decimal(attribute: Attribute) -> Draw:
    least, most = _bounds(attribute)
    return lambda random: quantize(Decimal(str(random.uniform(least, most))), attribute.precision)


def _double(attribute: Attribute) -> Draw:
    least, most = _bounds(attribute)
    return lambda random: round(random.uniform(least, most), attribute.precision or 0)


def _datetime(attribute: Attribute) -> Draw:
    form = _FORMS[attribute.date_behavior]
    return lambda random: moment(random).strftime(form)


def moment(random: Random) -> datetime:
    """Draw a whole minute of the years in which the sample organization worked."""
    return EPOCH + timedelta(minutes=random.randrange(DAYS * 24 * 60))


def instant(when: datetime) -> str:
    """Return the canonical text of a point in time."""
    return when.strftime(_FORMS[DateBehavior.USER_LOCAL])


_FORMS = {
    DateBehavior.USER_LOCAL: "%Y-%m-%dT%H:%M:%SZ",
    DateBehavior.TIME_ZONE_INDEPENDENT: "%Y-%m-%dT%H:%M:%S",
    DateBehavior.DATE_ONLY: "%Y-%m-%d",
}


def _guid(attribute: Attribute) -> Draw:
    return lambda random: str(UUID(int=random.getrandbits(128), version=4))


def _line(attribute: Attribute) -> Draw:
    make = _FORMATS.get(attribute.format or "", _words)
    return lambda random: make(random)[: attribute.max_length]


def _words(random: Random) -> str:
    return random.choice(words.PRODUCTS + words.DEPARTMENTS + words.TOPICS)


def _phone(random: Random) -> str:
    return f"{random.choice(words.PLACES).dial} 555 {random.randrange(10**4):04d}"


def _email(random: Random) -> str:
    return f"{random.choice(('office', 'info', 'sales'))}{random.randrange(10**4)}@example.com"


def _url(random: Random) -> str:
    return f"https://www.example.com/{random.randrange(10**6)}"


def _ticker(random: Random) -> str:
    return "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=4))


_FORMATS = {"Phone": _phone, "Email": _email, "Url": _url, "TickerSymbol": _ticker}


def _memo(attribute: Attribute) -> Draw:
    # Dynamics counts UTF-16 units, in which an emoji is two; nine tenths keep the limit safe.
    most = min(attribute.max_length or LONG_TEXT, LONG_TEXT) * 9 // 10

    def draw(random: Random) -> str:
        if random.random() > LONG_TEXT_SHARE:
            return " ".join(random.sample(words.SENTENCES, random.randint(1, 3)))[:most]
        first = random.randrange(10**6)
        return "".join(words.LINE.format(first + i) for i in range(most // 30))[:most].rstrip()

    return draw


_DRAWS: dict[AttributeType, Callable[[Attribute], Draw]] = {
    AttributeType.UNIQUEIDENTIFIER: _guid,
    AttributeType.STRING: _line,
    AttributeType.MEMO: _memo,
    AttributeType.INTEGER: _whole,
    AttributeType.BIGINT: _big,
    AttributeType.DECIMAL: _decimal,
    AttributeType.DOUBLE: _double,
    AttributeType.MONEY: _money,
    AttributeType.DATETIME: _datetime,
    AttributeType.PARTYLIST: lambda attribute: lambda random: None,
}
