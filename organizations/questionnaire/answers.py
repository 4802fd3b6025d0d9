"""Reading what was answered: records of a set with their values, a portion at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from organizations import schema, values
from organizations.query.context import Context
from organizations.query.matcher import matches
from organizations.query.nodes import (
    ALL,
    Condition,
    Group,
    Logic,
    Member,
    Operator,
    Order,
    Query,
)
from organizations.questionnaire import layout
from organizations.questionnaire.templates import Answered, Set, rows
from organizations.records import Row, Value
from organizations.schema import Attribute
from organizations.store import Store
from organizations.values import InvalidValue

PORTION = 200
"""Questionnaires whose answers are read at once."""
MOST_LOOKED_AT = 10_000
"""Records that one request looks at for a filter or an order that asks for answers."""


@dataclass(slots=True)
class Answer:
    """Values of one record, or of one repetition of a group, by column.

    `labels` are the texts that people saw, `unreadable` the texts that are no value of their
    question's type; both by property.
    """

    values: dict[str, Value]
    labels: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    parts: dict[str, list[Answer]] = field(default_factory=dict)
    version: int = 0

    def put(self, attribute: Attribute, text: Value, label: Value) -> None:
        """Take an answer in; the first of two to one question counts."""
        if attribute.name in self.values:
            return
        if label:
            self.labels[attribute.name] = str(label)
        try:
            self.values[attribute.name] = values.parse(attribute, text)
        except InvalidValue:
            self.values[attribute.name] = None
            self.unreadable[attribute.name] = str(text)


class _Given(NamedTuple):
    """One answer as it is stored."""

    name: str
    group: str
    value: Value
    label: Value


@dataclass(slots=True)
class Reading:
    """The records of a set that meet a filter, by id; `last` is the last one looked at."""

    store: Store
    of: Set
    shape: Answered
    filter: Group
    context: Context
    last: str = ""

    def count_is_cheap(self) -> bool:
        """Return whether the filter asks for a questionnaire's own attributes only."""
        return self._pushed() == self.filter

    def count(self) -> int:
        """Return how many records there are, where that is cheap."""
        return self.store.count(self._query(), context=self.context)

    def portions(self, after: str | None) -> Iterator[list[Answer]]:
        """Yield records, a portion at a time; those outside the filter are left out."""
        columns = [item.name for item in self._own_columns()]
        while True:
            page = self.store.page(
                layout.QUESTIONNAIRE,
                columns,
                filter=self._query(),
                after=after,
                limit=PORTION,
                context=self.context,
            )
            found = self._answered(columns, page)
            self.last = str(page[-1][0]) if page else ""
            yield [item for item in found.values() if self._is_inside(item)]
            if len(page) < PORTION:
                return
            after = self.last

    def one(self, record_id: str) -> Answer | None:
        """Return one record of the set, whatever the filter."""
        key = self.shape.entity.primary_id
        self.filter = Group(children=(Condition(key, Operator.EQ, (record_id,)),))
        return next((item for portion in self.portions(None) for item in portion), None)

    def can_order(self, order: Sequence[Order]) -> bool:
        """Return whether filter and order ask for a questionnaire's own attributes only."""
        asked = {item.name for item in self.shape.questions.values()}
        return self.count_is_cheap() and not asked & {item.attribute for item in order}

    def ordered(self, order: Sequence[Order], start: int, end: int) -> list[Answer]:
        """Return the records from `start` to `end`, where that `can_order`."""
        key = self.shape.entity.primary_id
        query = replace(self._query(), order=tuple(order), top=end)
        rows_ = self.store.query(query, context=self.context).rows[start:]
        ids = [str(row[key]) for row in rows_]
        columns = [item.name for item in self._own_columns()]
        found = self._answered(columns, self.store.fetch(layout.QUESTIONNAIRE, columns, ids))
        return [found[one] for one in ids if one in found]

    def _answered(self, columns: Sequence[str], page: Sequence[Row]) -> dict[str, Answer]:
        found = {
            str(row[0]): Answer(dict(zip(columns, row, strict=False)), version=_whole(row[-1]))
            for row in page
        }
        _fill(self.store, self.shape, found)
        return found

    def _own_columns(self) -> tuple[schema.Column, ...]:
        return schema.columns(self.store.catalog.entity(layout.QUESTIONNAIRE))

    def _is_inside(self, item: Answer) -> bool:
        if self.filter == ALL:
            return True
        query = Query(entity=self.shape.entity.name, filter=self.filter)
        return matches(query, item.values, self.shape.entity, context=self.context)

    def _query(self) -> Query:
        """Return what the database can decide: the set, and the filter's part of its own."""
        of = Condition(layout.TEMPLATE, Operator.IN, self.of.templates)
        pushed = self._pushed()
        children: tuple[Member, ...] = (of,) if pushed == ALL else (of, pushed)
        return Query(entity=layout.QUESTIONNAIRE, filter=Group(children=children))

    def _pushed(self) -> Group:
        """Return that part of the filter which no answer can change."""
        if self._is_own(self.filter):
            return self.filter
        if self.filter.logic is not Logic.AND or self.filter.is_negative:
            return ALL
        return Group(children=tuple(filter(self._is_own, self.filter.children)))

    def _is_own(self, member: Member) -> bool:
        if isinstance(member, Group):
            return all(map(self._is_own, member.children))
        if not isinstance(member, Condition):
            return False
        asked = {item.name for item in self.shape.questions.values()}
        return not {member.attribute, member.value_of} & asked


def _fill(store: Store, shape: Answered, found: Mapping[str, Answer]) -> None:
    """Give records their answers."""
    if not found:
        return
    groups = _groups(store, tuple(found))
    for record_id, given in _given(store, tuple(found)).items():
        answer, repeated = found[record_id], defaultdict[str, dict[int, Answer]](dict)
        for item in given:
            name, number = groups.get(item.group, ("", 0))
            part = shape.groups.get(name)
            if part is None:
                if item.name in shape.questions:
                    answer.put(shape.questions[item.name], item.value, item.label)
            elif item.name in shape.repeated[part].questions:
                empty = Answer({layout.REPETITION: number})
                row = repeated[part].setdefault(number, empty)
                row.put(shape.repeated[part].questions[item.name], item.value, item.label)
        answer.parts = {
            part: [rows_[at] for at in sorted(rows_)] for part, rows_ in repeated.items()
        }


def _groups(store: Store, ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return group → its name and which repetition it is."""
    of = (Condition(layout.OF, Operator.IN, tuple(ids)),)
    found = rows(store, layout.GROUP, [layout.NAME, layout.REPETITION], of)
    return {str(row[0]): (str(row[1]), _whole(row[2])) for row in found}


def _given(store: Store, ids: Sequence[str]) -> dict[str, list[_Given]]:
    """Return questionnaire → its answers."""
    of = (Condition(layout.OF, Operator.IN, tuple(ids)),)
    columns = [layout.OF, layout.NAME, layout.IN_GROUP, layout.VALUE, layout.VALUE_LABEL]
    found = defaultdict[str, list[_Given]](list)
    for row in rows(store, layout.QUESTION, columns, of):
        found[str(row[1])].append(_Given(str(row[2]), str(row[3] or ""), row[4], row[5]))
    return found


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
