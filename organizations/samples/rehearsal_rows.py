"""Believable records for any metadata: what the columns' names and types say, and no more.

Pools come from the sample organization's generator. On top of them stand the rules that any
organization keeps: status belongs to state, owners are users, pairs occur once, keys too, and
nobody is their own superior.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, cycle, islice

import orjson

from organizations import schema
from organizations.records import Row, Value
from organizations.samples.generator import foundation, people
from organizations.samples.generator.money import CURRENCIES
from organizations.samples.generator.pools import default_streams
from organizations.samples.generator.rows import Table
from organizations.samples.generator.sizes import UNITS
from organizations.samples.generator.world import Stream, Streams, World, split
from organizations.schema import Attribute, AttributeType, Entity, RequiredLevel

PARTY = "activityparty"
CURRENCY, UNIT, USER = "transactioncurrency", "businessunit", "systemuser"
MOST = {CURRENCY: len(CURRENCIES), UNIT: UNITS, PARTY: 0}
"""How many records of these an organization has at most; parties belong to their activities."""
ACTIVE_SHARE = 0.8
_MASKS = {
    "from": 1,
    "to": 2,
    "cc": 3,
    "bcc": 4,
    "requiredattendees": 5,
    "optionalattendees": 6,
    "organizer": 7,
    "resources": 10,
    "customers": 11,
}
_OTHER_MASK = 2
_DEMANDED = (RequiredLevel.APPLICATION, RequiredLevel.SYSTEM)
_TEXTS = (AttributeType.STRING, AttributeType.MEMO)


def tables(entities: Iterable[Entity], *, records: int, seed: int) -> Iterator[Table]:
    """Return the rows of all entities, at most `records` of each; lookups stay among them."""
    known = {entity.name: entity for entity in entities}
    sizes = _sizes(known, records)
    world = World(seed, known, sizes)
    for entity in known.values():
        if entity.name != PARTY:
            columns = tuple(column.name for column in schema.columns(entity))
            yield Table(entity, columns, sizes[entity.name], _rows(world, entity, columns))


def _sizes(known: Mapping[str, Entity], records: int) -> Mapping[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for entity in known.values():
        if not entity.is_intersect:
            sizes[entity.name] = min(records, MOST.get(entity.name, records))
    for entity in known.values():
        if entity.is_intersect and (pairs := entity.intersect):
            sizes[entity.name] = min(records, sizes[pairs.entity1] * sizes[pairs.entity2])
    return sizes


def _rows(world: World, entity: Entity, columns: Sequence[str]) -> Iterator[Row]:
    streams = default_streams(world, entity)
    for recipe in _RECIPES:
        streams |= {name: made for name, made in recipe(world, entity).items() if name in streams}
    streams[entity.primary_id] = world.ids(entity.name)
    endless = zip(*(streams[column] for column in columns), strict=False)
    return islice(endless, world.sizes[entity.name])


def _people(world: World, entity: Entity) -> Streams:
    """Give persons a name, and everybody with an address a real one."""
    made: Streams = {}
    if entity.attribute("address1_city"):
        made |= people.addresses(world, entity.name)
    if entity.attribute("lastname"):
        made |= people.names(world, entity.name)
    return {name: stream for name, stream in made.items() if _is_text(entity, name)}


def _is_text(entity: Entity, name: str) -> bool:
    attribute = entity.attribute(name)
    return attribute is not None and attribute.type in _TEXTS and (attribute.max_length or 99) > 40


def _foundation(world: World, entity: Entity) -> Streams:
    if entity.name == CURRENCY:
        return {
            "currencyname": cycle([item.name for item in CURRENCIES]),
            "isocurrencycode": cycle([item.code for item in CURRENCIES]),
            "currencysymbol": cycle([item.symbol for item in CURRENCIES]),
            "currencyprecision": cycle([item.precision for item in CURRENCIES]),
            "exchangerate": cycle([item.rate for item in CURRENCIES]),
        }
    if entity.name == UNIT:
        units = [None, *[world.id(UNIT, 0)] * (UNITS - 1)]
        return {"parentbusinessunitid": cycle(units), "name": cycle(foundation.UNIT_NAMES)}
    return {}


def _required(world: World, entity: Entity) -> Streams:
    """Leave no lookup empty that must have a value, where there is a record to point to."""
    made: Streams = {}
    for attribute in entity.attributes:
        targets = [name for name in attribute.targets if world.sizes[name]]
        if attribute.is_lookup and attribute.required in _DEMANDED and targets:
            random = world.random(entity.name, attribute.name, "required")
            made[attribute.name] = cycle(world.some(targets[0], random, people.OWNERS))
            made[f"{attribute.name}__type"] = cycle(targets[:1])
    return made


def _owners(world: World, entity: Entity) -> Streams:
    """Let users own and write records, as far as there are users."""
    if not world.sizes[USER]:
        return {}
    random = world.random(entity.name, "owners")
    users = world.some(USER, random, people.OWNERS)
    units = [world.id(UNIT, position) for position in range(people.OWNERS)]
    made: Streams = {
        "ownerid": cycle(users),
        "ownerid__type": cycle([USER]),
        "owninguser": cycle(users),
        "owningteam": cycle([None]),
        "owningbusinessunit": cycle(units),
    }
    return made | people.audit(world, entity.name)


def _states(world: World, entity: Entity) -> Streams:
    """Take a status, and the state it belongs to; most records are in the first state."""
    state, status = entity.attribute("statecode"), entity.attribute("statuscode")
    if state is None or status is None or not (state.option_set and status.option_set):
        return {}
    pairs = [(option.state, option.value) for option in status.option_set.options]
    pairs = [pair for pair in pairs if pair[0] is not None]
    if not pairs:
        return {}
    first = [pair for pair in pairs if pair[0] == pairs[0][0]]
    random = world.random(entity.name, "states")
    drawn = [random.choice(first if random.random() < ACTIVE_SHARE else pairs) for _ in range(997)]
    return split(["statecode", "statuscode"], drawn)


def _parents(world: World, entity: Entity) -> Streams:
    """Point only at earlier records of the same entity, so that no chain bites its tail."""
    made: Streams = {}
    for attribute in entity.attributes:
        if attribute.is_lookup and entity.name in attribute.targets and entity.name != UNIT:
            made[attribute.name] = _earlier(world, entity.name, attribute.name)
            chosen = _earlier(world, entity.name, attribute.name)
            made[f"{attribute.name}__type"] = (entity.name if one else None for one in chosen)
    return made


def _earlier(world: World, entity: str, attribute: str) -> Stream:
    random = world.random(entity, attribute, "earlier")
    for position in count():
        is_child = position > 0 and random.random() < 0.5
        yield world.id(entity, random.randrange(position)) if is_child else None


def _keys(world: World, entity: Entity) -> Streams:
    """Make every alternate key, and every user's name, occur once."""
    names = {"domainname", "internalemailaddress"} if entity.name == USER else set()
    for key in entity.keys:
        found = (entity.attribute(name) for name in key.attributes)
        fitting = [item.name for item in found if item and _can_count(item)]
        names |= set(fitting[:1])
    found = (entity.attribute(name) for name in sorted(names))
    return {item.name: _numbers(item) for item in found if item is not None}


def _can_count(attribute: Attribute) -> bool:
    return attribute.type in (*_TEXTS, AttributeType.INTEGER) and attribute.is_stored


def _numbers(attribute: Attribute) -> Stream:
    if attribute.type is AttributeType.INTEGER:
        return iter(count(max(1, int(attribute.minimum or 1))))
    if "mail" in attribute.name or attribute.name == "domainname":
        return (f"user{number}@example.com" for number in count(1))
    return (f"{number:05d}"[-(attribute.max_length or 5) :] for number in count(1))


def _pairs(world: World, entity: Entity) -> Streams:
    """Walk through all pairs of the two entities; none comes twice."""
    pairs = entity.intersect
    if not entity.is_intersect or pairs is None or not world.sizes[entity.name]:
        return {}
    first, second = world.sizes[pairs.entity1], world.sizes[pairs.entity2]
    made: Streams = {
        pairs.attribute1: (world.id(pairs.entity1, n % first) for n in count()),
        pairs.attribute2: (
            world.id(pairs.entity2, (n // first + n % first) % second) for n in count()
        ),
    }
    return made


def _parties(world: World, entity: Entity) -> Streams:
    """Let one or two users, contacts or accounts take part in each list of an activity."""
    return {
        attribute.name: _party_list(world, entity, attribute)
        for attribute in entity.attributes
        if attribute.type is AttributeType.PARTYLIST
    }


def _party_list(world: World, entity: Entity, attribute: Attribute) -> Stream:
    mask = _MASKS.get(attribute.name, _OTHER_MASK)
    random = world.random(entity.name, attribute.name, "parties")
    targets = [name for name in attribute.targets if world.sizes[name]]
    most = 1 if attribute.name in ("from", "organizer") else 2

    def draw() -> Value:
        found = set()
        for _ in range(random.randint(1, most)):
            target = random.choice(targets)
            found.add((mask, target, world.id(target, random.randrange(world.sizes[target]))))
        return orjson.dumps(sorted(found)).decode()

    pool = [draw() for _ in range(101)] if targets else [None]
    return cycle(pool)


_RECIPES: tuple[Callable[[World, Entity], Streams], ...] = (
    _people,
    _foundation,
    _required,
    _owners,
    _states,
    _parents,
    _keys,
    _pairs,
    _parties,
)
"""Each may replace what the ones before it made."""
