"""`$expand` of lookups: the record a lookup points to, within the record (assumed, §3.2).

Each navigation costs one statement a page. Options in brackets: `$select` and, three levels deep,
`$expand`; `*` means every navigation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from organizations.odata import selecting
from organizations.odata.call import Call
from organizations.odata.errors import ODataError, not_served
from organizations.odata.names import Navigation, Shape
from organizations.odata.rows import Document, RowPrinter
from organizations.records import Row
from organizations.schema import Attribute

MOST = 10
"""Navigations of one query, those within others counted."""
DEEPEST = 3
"""Navigations within each other."""
_LONGEST = 4000
_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """One navigation to expand, the entity it leads to, and what is shown of it."""

    navigation: Navigation
    shape: Shape
    attributes: tuple[Attribute, ...]
    inner: tuple[Item, ...] = ()


Items = tuple[Item, ...]


def read(call: Call, shape: Shape) -> Items:
    """Return the navigations of `$expand`. Raises ODataError 400, 501."""
    text = call.options.get("$expand", "")
    if len(text) > _LONGEST:
        raise _wrong(f"$expand is longer than {_LONGEST:,} characters.")
    return _Reader(call).items(shape, text, 1) if text else ()


@dataclass(slots=True)
class _Reader:
    call: Call
    count: int = field(default=0)

    def items(self, shape: Shape, text: str, depth: int) -> Items:
        """Return the navigations of one level."""
        if depth > DEEPEST:
            raise _wrong(f"$expand goes at most {DEEPEST} levels deep.")
        return tuple(
            self._item(shape, name, inside, depth)
            for part in _split(text, ",")
            for name, inside in self._named(shape, part)
        )

    def _named(self, shape: Shape, part: str) -> Iterator[tuple[str, str]]:
        """Yield name and options of an item; `*` is every navigation to what is served."""
        name, inside = _divided(part)
        if name == "*":
            for one, navigation in shape.navigations.items():
                if self.call.catalog.enabled(navigation.target):
                    yield one, inside
        elif _NAME.match(name):
            yield name, inside
        elif re.match(r"[\w.@*$/]+\Z", name):
            raise not_served(f"$expand of '{name[:60]}'")
        else:
            raise _syntax(part)

    def _item(self, shape: Shape, name: str, inside: str, depth: int) -> Item:
        self.count += 1
        if self.count > MOST:
            raise _wrong(f"A query has at most {MOST} $expand items.")
        navigation = shape.navigation(name)
        target = self.call.shape(navigation.target)
        options = dict(_options(inside))
        chosen = selecting.attributes(target, options.pop("$select", None))
        inner = options.pop("$expand", "")
        for option in options:
            raise not_served(f"'{option[:40]}' within $expand")
        items = self.items(target, inner, depth + 1) if inner else ()
        return Item(navigation, target, tuple(chosen), items)


def _divided(part: str) -> tuple[str, str]:
    """Return name and options of one item."""
    name, bracket, rest = part.partition("(")
    if bracket and not rest.rstrip().endswith(")"):
        raise _syntax(part)
    return name.strip(), rest.rstrip().removesuffix(")")


def _options(inside: str) -> Iterator[tuple[str, str]]:
    for part in _split(inside, ";") if inside.strip() else ():
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise _syntax(part)
        yield name.strip(), value.strip()


def _split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts of a list, brackets kept whole."""
    depth, start = 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == separator and depth == 0:
            yield text[start:at]
            start = at + 1
    if depth:
        raise _syntax(text)
    yield text[start:]


def _syntax(text: str) -> ODataError:
    return _wrong(f"Syntax error in $expand at '{text[:80]}'.")


def _wrong(message: str) -> ODataError:
    return ODataError(message, target="$expand")


def with_lookups(attributes: Sequence[Attribute], items: Items) -> list[Attribute]:
    """Return the attributes with the lookups that are followed."""
    known = {item.name: item for item in attributes}
    followed = {i.navigation.attribute.name: i.navigation.attribute for i in items}
    return list((known | followed).values())


def printer(
    call: Call, shape: Shape, attributes: Sequence[Attribute], items: Items = ()
) -> RowPrinter:
    """Return what writes records of an entity in the form that is wanted."""
    return RowPrinter(
        shape,
        with_lookups(attributes, items),
        call.organization.language,
        is_annotated=call.is_annotated,
        as_text=call.form.as_text,
        root=call.root if call.form.is_full else "",
    )


def fill(
    call: Call,
    items: Items,
    rows: Sequence[Row],
    columns: Sequence[str],
    documents: Sequence[Document],
) -> None:
    """Put the record of each navigation, or null, into the documents of a page."""
    for item in items:
        place = columns.index(item.navigation.attribute.name)
        kind = f"{item.navigation.attribute.name}__type"
        target = columns.index(kind) if kind in columns else None
        ids = [_id(row, place, target, item.navigation.target) for row in rows]
        found = _found(call, item, sorted({one for one in ids if one}))
        for one, document in zip(ids, documents, strict=True):
            document[item.navigation.name] = found.get(one or "")


def _id(row: Row, place: int, target: int | None, entity: str) -> str | None:
    if row[place] is None or (target is not None and row[target] != entity):
        return None
    return str(row[place])


def _found(call: Call, item: Item, ids: Sequence[str]) -> Mapping[str, Document]:
    if not ids:
        return {}
    writer = printer(call, item.shape, item.attributes, item.inner)
    rows = call.store.fetch(item.shape.entity.name, writer.columns, ids)
    written = writer.write(call.store, rows)
    fill(call, item.inner, rows, writer.columns, written)
    return {str(row[0]): made for row, made in zip(rows, written, strict=True)}
