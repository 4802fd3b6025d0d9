"""Why a record belongs to a query, or does not: the verdict of `matcher`, condition by condition.

A finding is true, false, or None where only somebody else can tell (the server, for an operator
of its signed-in user). A group is judged as far as what is known decides it. Of several joined
rows the one is explained that passes, else the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from organizations.query.context import Context
from organizations.query.literals import comparable
from organizations.query.matcher import Linked, Row, Values, World, value_of, verdict
from organizations.query.nodes import Condition, Exists, Group, Logic, Member, Query
from organizations.query.operators import RULES
from organizations.query.predicates import Within
from organizations.query.scope import (
    Scope,
    Source,
    bind,
    hanging,
    join_attributes,
    scope,
    start_of,
    within,
)
from organizations.records import RecordValue, Reference
from organizations.schema import Attribute

Verdict = bool | None
Unknown = Callable[[Condition], str]
"""Says why a condition cannot be decided here; empty where it can."""

_ROWS = 1000
"""Of more joined rows of one record, the rest is not looked at."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, whether it is true (None: not known here), and what it rests on."""

    text: str
    is_true: Verdict
    children: tuple[Finding, ...] = ()

    def deciding(self) -> Iterator[Finding]:
        """Yield the innermost findings that share this one's verdict."""
        same = [child for child in self.children if child.is_true is self.is_true]
        if not same:
            yield self
        for child in same:
            yield from child.deciding()


def everything_is_known(condition: Condition) -> str:
    """Say that any condition can be decided."""
    return ""


def explain(
    query: Query,
    values: Values,
    *,
    context: Context,
    linked: Linked,
    unknown: Unknown = everything_is_known,
) -> Finding:
    """Return why the record belongs to the query, or why not.

    `linked` gives metadata, and the linked records there are. Raises InvalidRequest where the
    matcher does, but for conditions that are `unknown`.
    """
    return _Explainer(query, scope(query, linked.entity), linked, context, unknown).explain(values)


def why(finding: Finding) -> str:
    """Return the verdict with what decides it: "excluded: statecode eq 0 is false, it is 1"."""
    word = {True: "included", False: "excluded", None: "not known here"}[finding.is_true]
    reasons = list(dict.fromkeys(item.text for item in finding.deciding()))
    if finding.is_true or not finding.children:
        return "included: every condition is met" if finding.is_true else word
    return f"{word}: {'; '.join(reasons)}"


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return false if any is, else None if any is, else true."""
    found = set(verdicts)
    return False if False in found else None if None in found else True


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return true if any is, else None if any is, else false."""
    found = set(verdicts)
    return True if True in found else None if None in found else False


@dataclass(frozen=True, slots=True)
class _Explainer:
    query: Query
    sources: Scope
    linked: Linked
    context: Context
    unknown: Unknown

    def explain(self, values: Values) -> Finding:
        root = self.sources.root
        links = tuple(self._link(child, {"": values}) for child in self.sources.children(root))
        rows = self._rows(self.sources.sources[1:], {"": values}, is_certain=True)
        found = [self._judged(row, is_certain) for row, is_certain in islice(rows, _ROWS)]
        nothing = {source.alias: None for source in self.sources.sources[1:]}
        filters = sorted(found, key=_rank) or [
            self._group(self.query.filter, root, {**nothing, "": values})
        ]
        children = (*links, *((filters[0],) if self.query.filter.children else ()))
        text = f"{self.query.entity} is inside the filter"
        return Finding(text, any_of(item.is_true for item in found), children)

    def _judged(self, row: Row, is_certain: bool) -> Finding:  # noqa: FBT001
        finding = self._group(self.query.filter, self.sources.root, row)
        if is_certain:
            return finding
        return Finding(finding.text, all_of((finding.is_true, None)), finding.children)

    # Links

    def _rows(
        self, remaining: Sequence[Source], row: Row, *, is_certain: bool
    ) -> Iterator[tuple[Row, bool]]:
        """Yield the joined rows as the matcher makes them, and whether each is certain."""
        if not remaining:
            yield row, is_certain
            return
        source, rest = remaining[0], remaining[1:]
        met = [(record, own.is_true) for record, own in self._candidates(source, row)]
        for record, is_met in met:
            if is_met is not False:
                known = is_certain and is_met is True
                yield from self._rows(rest, {**row, source.alias: record}, is_certain=known)
        if not source.is_required and not any(is_met for _, is_met in met):
            known = is_certain and all(is_met is False for _, is_met in met)
            yield from self._rows(rest, {**row, source.alias: None}, is_certain=known)

    def _candidates(self, source: Source, row: Row) -> Iterator[tuple[Values, Finding]]:
        """Yield the records that hang on the parent's, and what the link's filter says of each."""
        own, theirs = join_attributes(source)
        wanted = value_of(_parent(source, row), theirs)
        if wanted is None or source.link is None:
            return
        for record in self.linked.records(source.entity.name):
            if comparable(own, record.get(own.name)) == wanted:
                extended: Row = {**row, source.alias: record}
                yield record, self._group(source.link.filter, source, extended)

    def _link(self, source: Source, row: Row) -> Finding:
        own, theirs = join_attributes(source)
        parent = _parent(source, row)
        found = [
            self._candidate(source, {**row, source.alias: record}, finding)
            for record, finding in self._candidates(source, row)
        ]
        is_met = any_of(item.is_true for item in found)
        said = f"a linked {source.entity.name} ({own.name} = {theirs.name})"
        if not source.is_required:
            return Finding(f"{said} may be there", is_true=True)
        if value_of(parent, theirs) is None:
            return Finding(f"{said} is not there, because {theirs.name} is empty", is_true=False)
        if not found:
            shown = shown_value(theirs, (parent or {}).get(theirs.name))
            return Finding(f"{said} is not there: none has {shown}", is_true=False)
        texts = {True: "is there", False: "does not pass", None: "may pass"}
        chosen = tuple(sorted(found, key=_rank)[: 1 if is_met else _SHOWN])
        return Finding(f"{said} {texts[is_met]}", is_met, chosen)

    def _candidate(self, source: Source, row: Row, finding: Finding) -> Finding:
        nested = [self._link(child, row) for child in self.sources.children(source)]
        parts = (*finding.children, *nested) if finding.children else tuple(nested)
        verdicts = [finding.is_true, *(item.is_true for item in nested)]
        name = (row[source.alias] or {}).get(source.entity.primary_id)
        return Finding(f"{source.entity.name} {name} passes", all_of(verdicts), parts)

    # Filters

    def _group(self, group: Group, place: Source, row: Row) -> Finding:
        if not group.children:
            return Finding("there is no condition", is_true=True)
        children = tuple(self._member(child, place, row) for child in group.children)
        verdicts = (child.is_true for child in children)
        found = all_of(verdicts) if group.logic is Logic.AND else any_of(verdicts)
        word = "all of these" if group.logic is Logic.AND else "at least one of these"
        if group.is_negative:
            found = None if found is None else not found
            word = f"not {word} ({'; '.join(child.text for child in children)})"
        return Finding(word, found, children)

    def _member(self, child: Member, place: Source, row: Row) -> Finding:
        if isinstance(child, Group):
            return self._group(child, place, row)
        if isinstance(child, Exists):
            return self._exists(child, place, row)
        if reason := self.unknown(child):
            return Finding(f"{said(child)}: {reason}", is_true=None)
        found = verdict(child, place, row, self._world)
        return Finding(self._told(child, place, row, is_true=found), found)

    @property
    def _world(self) -> World:
        return World(self.sources, self.linked, self.context)

    def _told(self, child: Condition, place: Source, row: Row, *, is_true: bool) -> str:
        bound = bind(child, place, self.sources, self.context)
        record, attribute = row[bound.source.alias], bound.predicate.attribute
        word = "true" if is_true else "false"
        now = shown_value(attribute, None if record is None else record.get(attribute.name))
        if record is None:
            now = "empty, because there is no linked record"
        if child.value_of:
            other = bound.source.attribute(child.value_of, "condition")
            theirs = shown_value(other, None if record is None else record.get(other.name))
            now = f"{now} and {other.name} is {theirs}"
        span = ""
        if RULES[child.operator].is_relative and isinstance(bound.predicate.test, Within):
            span = _span(bound.predicate.test)
        return f"{said(child)}{span} is {word}, it is {now}"

    def _exists(self, exists: Exists, place: Source, row: Row) -> Finding:
        start = start_of(exists, place, self.sources)
        query = within(exists)
        inner = scope(query, self.linked.entity)
        own, theirs = hanging(exists, start, inner)
        wanted = value_of(row[start.alias], theirs)
        found = [
            explain(query, record, context=self.context, linked=self.linked, unknown=self.unknown)
            for record in (self.linked.records(query.entity) if wanted is not None else ())
            if comparable(own, record.get(own.name)) == wanted
        ]
        is_there = any_of(item.is_true for item in found)
        is_true = is_there
        if exists.is_negative and is_there is not None:
            is_true = not is_there
        said = "there is no" if exists.is_negative else "there is a"
        word = {True: "is true", False: "is false", None: "is not known here"}[is_true]
        text = f"{said} {query.entity} with {own.name} = {theirs.name} that passes {word}"
        return Finding(f"{text}, {len(found)} hang on it", is_true)


def _parent(source: Source, row: Row) -> Values | None:
    return row[source.parent.alias] if source.parent else None


def _rank(finding: Finding) -> int:
    return {True: 0, None: 1, False: 2}[finding.is_true]


def said(condition: Condition) -> str:
    """Return a condition in words: "statecode eq 0"."""
    name = f"{condition.alias}.{condition.attribute}" if condition.alias else condition.attribute
    if condition.value_of:
        return f"{name} {condition.operator} {condition.value_of}"
    return " ".join([name, condition.operator, ", ".join(map(str, condition.values))]).strip()


def _span(test: Within) -> str:
    parts = [f"from {test.low}"] if test.low is not None else []
    if test.high is not None:
        parts.append(f"{'to' if test.is_closed else 'before'} {test.high}")
    return f" ({' '.join(parts)})"


def shown_value(attribute: Attribute, value: RecordValue) -> str:
    """Return a value for people: an option with its label, what is null as "empty"."""
    if value is None:
        return "empty"
    if isinstance(value, Reference):
        return value.id
    chosen = attribute.option_set and isinstance(value, int) and attribute.option_set.option(value)
    label = chosen.label.text() if chosen else ""
    return f"{value} ({label})" if label else str(value)
