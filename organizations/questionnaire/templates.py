"""The sets that an organization's templates make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from organizations.odata.names import Shape
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.questionnaire import layout
from organizations.questionnaire.naming import Unique, safe
from organizations.records import Row, Value
from organizations.schema import ENGLISH, Attribute, AttributeType, Entity, Label
from organizations.store import Store

_AT_ONCE = 1000
"""Ids in one condition, and records of a page."""


@dataclass(frozen=True, slots=True)
class Set:
    """One set: its name, what people call it, and the templates whose answers it holds."""

    name: str
    title: str
    templates: tuple[str, ...]


class Answered(Shape):
    """The records of a set: a questionnaire's own attributes, then one for each question.

    `questions` are name of the question → attribute, `repeated` the repeated groups by property,
    whose shapes have the questions of the group, and `groups` name of the group → property.
    """

    def __init__(
        self,
        entity: Entity,
        questions: Mapping[str, Attribute],
        parts: Mapping[str, Answered] | None = None,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the records are made of."""
        super().__init__(entity)
        self.questions = questions
        self.repeated = dict(parts or {})
        self.parts = dict(self.repeated)
        self.groups = dict(groups or {})


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    label: str
    type: AttributeType
    group: str


def sets(store: Store) -> list[Set]:
    """Return all sets: of each template the merged one, then those of its versions.

    Older templates have the first choice of names, so that a new one changes no address.
    """
    if not layout.has_questionnaires(store.catalog):
        return []
    unique, found = Unique(), []
    for name, versions in _by_name(_templates(store)):
        base = safe(name)
        found.append(Set(unique.name(base), name, tuple(key for key, _ in versions)))
        for place, (key, number) in enumerate(versions, 1):
            number = number or place
            title = f"{name} (version {number})"
            found.append(Set(unique.name(f"{base}_v{number}"), title, (key,)))
    return found


def _templates(store: Store) -> list[tuple[str, str, int | None]]:
    """Return id, name and version of all templates, the oldest first."""
    wanted = [layout.NAME, layout.VERSION]
    entity = store.catalog.entity(layout.QUESTIONNAIRE)
    if entity.attribute("createdon") is not None:
        wanted.append("createdon")
    condition = Condition(layout.IS_TEMPLATE, Operator.EQ, (True,))
    rows = _rows(store, layout.QUESTIONNAIRE, wanted, (condition,))
    ordered = sorted(rows, key=lambda row: (str(row[3] or "") if len(row) > 4 else "", row[0]))
    return [(str(row[0]), str(row[1] or ""), _whole(row[2])) for row in ordered]


def _by_name(
    templates: Sequence[tuple[str, str, int | None]],
) -> Iterator[tuple[str, list[tuple[str, int | None]]]]:
    """Yield name and (id, version) of its templates, in the order of the oldest of each."""
    order = {name: at for at, (_, name, _) in reversed(list(enumerate(templates)))}
    ordered = sorted(templates, key=lambda item: (order[item[1]], item[2] or 0))
    for name, items in groupby(ordered, key=lambda item: item[1]):
        yield name, [(key, number) for key, _, number in items]


def shape(store: Store, wanted: Set) -> Answered:
    """Return what the records of a set are made of."""
    own = store.catalog.entity(layout.QUESTIONNAIRE)
    questions = _questions(store, wanted.templates)
    repeated = sorted({item.group for item in questions if item.group})
    unique = Unique(Shape(own).properties)
    flat = _attributes((item for item in questions if not item.group), unique)
    groups = {name: unique.name(safe(name)) for name in repeated}
    parts = {
        property_: _part(wanted, property_, (item for item in questions if item.group == name))
        for name, property_ in groups.items()
    }
    entity = Entity(
        name=wanted.name,
        primary_id=own.primary_id,
        primary_name=own.primary_name,
        label=Label.of({ENGLISH: wanted.title}),
        attributes=(*own.attributes, *flat.values()),
    )
    return Answered(entity, flat, parts, groups)


def _part(wanted: Set, name: str, questions: Iterable[_Question]) -> Answered:
    """Return the shape of a repeated group: its repetition, then its questions."""
    number = Attribute(name=layout.REPETITION, type=AttributeType.INTEGER, is_primary_id=True)
    attributes = _attributes(questions, Unique((number.name,)))
    entity = Entity(
        name=f"{wanted.name}_{name}",
        primary_id=number.name,
        attributes=(number, *attributes.values()),
    )
    return Answered(entity, attributes)


def _attributes(questions: Iterable[_Question], unique: Unique) -> dict[str, Attribute]:
    """Return name of the question → attribute; what is of two types in two versions is text."""
    found: dict[str, Attribute] = {}
    for item in questions:
        known = found.get(item.name)
        if known is None:
            found[item.name] = Attribute(
                name=unique.name(safe(item.name)),
                type=item.type,
                label=Label.of({ENGLISH: item.label}),
                is_creatable=False,
                is_updatable=False,
            )
        elif known.type is not item.type:
            found[item.name] = _as_text(known)
    return found


def _as_text(known: Attribute) -> Attribute:
    return Attribute(
        name=known.name,
        type=AttributeType.MEMO,
        label=known.label,
        is_creatable=False,
        is_updatable=False,
    )


def _questions(store: Store, templates: Sequence[str]) -> list[_Question]:
    """Return the questions of templates in their order; `group` is empty unless it repeats."""
    of = (Condition(layout.OF, Operator.IN, tuple(templates)),)
    repeated = {
        str(row[0]): str(row[1])
        for row in _rows(store, layout.GROUP, [layout.NAME, layout.IS_REPEATABLE], of)
        if row[2]
    }
    wanted = [layout.NAME, layout.LABEL, layout.TYPE, layout.IN_GROUP, layout.INDEX]
    rows = _rows(store, layout.QUESTION, wanted, of)
    return [
        _Question(
            name=str(row[1]),
            label=str(row[2] or row[1]),
            type=layout.TYPES.get(_whole(row[3]) or 0, AttributeType.MEMO),
            group=repeated.get(str(row[4]), ""),
        )
        for row in sorted(rows, key=lambda row: (_whole(row[5]) or 0, str(row[1]), row[0]))
    ]


def _rows(
    store: Store, entity: str, columns: Sequence[str], conditions: tuple[Condition, ...]
) -> list[Row]:
    return list(rows(store, entity, columns, conditions))


def rows(
    store: Store, entity: str, columns: Sequence[str], conditions: tuple[Condition, ...]
) -> Iterator[Row]:
    """Yield id, columns and version of all records that meet the conditions, by id."""
    key = store.catalog.entity(entity).primary_id
    query = Query(entity=entity, filter=Group(children=conditions))
    after: str | None = None
    while True:
        page = store.page(entity, [key, *columns], filter=query, after=after, limit=_AT_ONCE)
        yield from page
        if len(page) < _AT_ONCE:
            return
        after = str(page[-1][0])


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None
