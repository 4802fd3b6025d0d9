"""What users do on either side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from organizations.errors import AlreadyExists
from syncjobs.chaos import schema
from syncjobs.chaos.filters import ABROAD, HOME
from syncjobs.chaos.ledger import Write
from syncjobs.chaos.program import Step
from syncjobs.chaos.protocols import Organization
from syncjobs.chaos.schema import ACCOUNT, CONTACT, PAIR, TAG, USER
from syncjobs.chaos.world import World
from syncjobs.engine.values import Side

_ENTITIES = (ACCOUNT, ACCOUNT, CONTACT, CONTACT, TAG)
_CITIES = (HOME, HOME, ABROAD)
_NONE: Sequence[str] = ()


def edit(world: World, step: Step) -> None:
    """Let a user do what the step says, if the world has what it takes."""
    kind = step.inner or step.kind
    side = Side.SERVER if step.how % 2 else Side.CLIENT
    if _ACTS[kind](world, world.side(side), step):
        world.weather.pending.add(f"{kind} on {side}")


def _create(world: World, there: Organization, step: Step) -> bool:
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    values = _values(world, there, entity, step)
    return _accepted(there, entity, values, lambda: there.create(entity, values, actor="user"))


def _values(world: World, there: Organization, entity: str, step: Step) -> dict[str, object]:
    values: dict[str, object] = {"name": world.name()}
    if entity == ACCOUNT:
        values |= {"city": _CITIES[step.how % 3], "revenue": world.number}
    owner = _one(there, USER, step.which) if step.which % 3 == 0 and entity != TAG else ""
    if owner:
        values |= {"ownerid": owner, "ownerid__type": USER}
    parent = _one(there, ACCOUNT, step.which) if step.which % 2 else ""
    if parent and entity != TAG:
        values |= _parent(entity, parent)
    return values


def _parent(entity: str, account: str) -> dict[str, object]:
    if entity == ACCOUNT:
        return {"parentaccountid": account}
    return {"parentcustomerid": account, "parentcustomerid__type": ACCOUNT}


def _update(world: World, there: Organization, step: Step) -> bool:
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    record = _one(there, entity, step.which)
    choices: list[dict[str, object]] = [{"name": world.name()}]
    for name in schema.texts(there.entity(entity)):
        choices.append({name: world.name()})
    if entity == ACCOUNT:
        choices += [{"city": _CITIES[step.how % 3]}, {"revenue": world.number}]
        choices.append({"name": world.name(), "revenue": world.number})
    return _change(there, entity, record, choices[step.how // 2 % len(choices)])


def _touch(world: World, there: Organization, step: Step) -> bool:
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    return _change(there, entity, _one(there, entity, step.which), {})


def _delete(world: World, there: Organization, step: Step) -> bool:
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    record = _one(there, entity, step.which)
    if record:
        there.delete(entity, record, actor="user")
    return bool(record)


def _purge(world: World, there: Organization, step: Step) -> bool:
    """Delete so many records of an entity on the server that somebody should have a look."""
    if there.side is Side.CLIENT:
        return False
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    gone = list(there.tables[entity])[: 2 + step.which % 2]
    for record in gone:
        if record in there.tables[entity]:
            there.delete(entity, record, actor="user")
    return bool(gone)


def _clash(world: World, there: Organization, step: Step) -> bool:
    """Change a record on both sides, or delete it here."""
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    other = world.side(Side.CLIENT if there.side is Side.SERVER else Side.SERVER)
    both = [item for item in there.tables[entity] if item in other.tables[entity]]
    if not both:
        return False
    record = both[step.which % len(both)]
    _change(other, entity, record, {"name": world.name()})
    if step.how % 5 == 0:
        there.delete(entity, record, actor="user")
        return True
    return _change(there, entity, record, {"name": world.name()})


def _restore(world: World, there: Organization, step: Step) -> bool:
    entity = _ENTITIES[step.what % len(_ENTITIES)]
    known = {
        event.id: None
        for event in world.ledger.events
        if isinstance(event, Write) and event.entity == entity and event.side is there.side
    }
    gone = [item for item in known if item not in there.tables[entity]]
    if not gone:
        return False
    record, values = gone[step.which % len(gone)], _values(world, there, entity, step)
    return _accepted(
        there, entity, values, lambda: there.create(entity, values, id=record, actor="user")
    )


def _associate(world: World, there: Organization, step: Step) -> bool:
    account, tag = _one(there, ACCOUNT, step.which), _one(there, TAG, step.what)
    if not (account and tag):
        return False
    there.associate(schema.RELATIONSHIP, account, tag)
    return True


def _disassociate(world: World, there: Organization, step: Step) -> bool:
    pair = _one(there, PAIR, step.which)
    if pair:
        there.delete(PAIR, pair, actor="user")
    return bool(pair)


def _own(world: World, there: Organization, step: Step) -> bool:
    entity = (ACCOUNT, CONTACT)[step.what % 2]
    owner = _one(there, USER, step.what)
    values = {"ownerid": owner or None, "ownerid__type": USER if owner else None}
    return _change(there, entity, _one(there, entity, step.which), values)


def _set_parent(world: World, there: Organization, step: Step) -> bool:
    entity = (ACCOUNT, CONTACT)[step.what % 2]
    account = _one(there, ACCOUNT, step.what) if step.how % 5 else ""
    record = _one(there, entity, step.which)
    values = dict.fromkeys(_parent(entity, "")) if not account else _parent(entity, account)
    return account != record and _change(there, entity, record, values)


def _cycle(world: World, there: Organization, step: Step) -> bool:
    """Make an account and a contact that refer to each other."""
    account = there.create(ACCOUNT, {"name": world.name(), "city": HOME}, actor="user")
    values = {"name": world.name(), **_parent(CONTACT, account)}
    contact = there.create(CONTACT, values, actor="user")
    there.update(ACCOUNT, account, {"primarycontactid": contact}, actor="user")
    return True


def _change(there: Organization, entity: str, record: str, values: Mapping[str, object]) -> bool:
    if not record:
        return False
    known = set(there.column_names(entity))
    mine = {name: value for name, value in values.items() if name in known}
    return _accepted(there, entity, mine, lambda: there.update(entity, record, mine, actor="user"))


def _accepted(
    there: Organization,
    entity: str,
    values: Mapping[str, object],
    act: Callable[[], object],
) -> bool:
    # A user who is told that a value is too long, or a name taken, does something else.
    if there.objection(entity, values):  # type: ignore[arg-type]
        return False
    try:
        act()
    except AlreadyExists:
        return False
    return True


def _one(there: Organization, entity: str, which: int) -> str:
    found = list(there.tables[entity])
    return found[which % len(found)] if found else ""


_ACTS: dict[str, Callable[[World, Organization, Step], bool]] = {
    "create": _create,
    "update": _update,
    "touch": _touch,
    "delete": _delete,
    "purge": _purge,
    "clash": _clash,
    "restore": _restore,
    "associate": _associate,
    "disassociate": _disassociate,
    "owner": _own,
    "parent": _set_parent,
    "cycle": _cycle,
}
