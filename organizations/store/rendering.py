"""Rows as lines of PostgreSQL's COPY text format.

Work goes by column and not by value: a column of texts is escaped in one piece, because joining,
replacing and splitting it costs less than looking at each. Rendering touches no database, so a
reader can do it in a thread of its own while another page is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from organizations.records import Row, Value
from organizations.schema import Column
from organizations.tables.types import sql_type

NULL = "\\N"
_BETWEEN, _NOTHING = "\x1f", "\x1e"
"""Characters that canonical text cannot hold; text that has them goes the long way."""
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_NUMBERS = frozenset({"integer", "bigint", "numeric", "double precision", "boolean"})


def render(columns: Iterable[Column], rows: Sequence[Row]) -> bytes:
    """Return one line per row, without the last line's end; values in the order of `columns`.

    What UTF-8 cannot say goes through as it is: PostgreSQL refuses the row then, and only it.
    """
    if not rows:
        return b""
    printed = [
        _printer(column)(values)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    lines = "\n".join(map("\t".join, zip(*printed, strict=True)))
    return lines.encode("utf-8", "surrogatepass")


def _printer(column: Column) -> Callable[[Sequence[Value]], Sequence[str]]:
    return _numbers if sql_type(column) in _NUMBERS else _texts


def _texts(values: Sequence[Value]) -> Sequence[str]:
    nothing = values.count(None)
    try:
        whole = _BETWEEN.join(
            values if not nothing else [_NOTHING if v is None else v for v in values]  # type: ignore[misc,arg-type]
        )
    except TypeError:
        return _one_by_one(values)
    if whole.count(_BETWEEN) != len(values) - 1 or whole.count(_NOTHING) != nothing:
        return _one_by_one(values)
    whole = _escaped(whole)
    if nothing:
        whole = whole.replace(_NOTHING, NULL)
    return whole.split(_BETWEEN)


def _one_by_one(values: Sequence[Value]) -> Sequence[str]:
    return [NULL if value is None else _escaped(str(value)) for value in values]


def _numbers(values: Sequence[Value]) -> Sequence[str]:
    # Text in a column of numbers is refused by PostgreSQL; it must only not end the line.
    if str in set(map(type, values)):
        return _one_by_one(values)
    return [NULL if value is None else str(value) for value in values]


def _escaped(text: str) -> str:
    for character, written in _ESCAPES:
        if character in text:
            text = text.replace(character, written)
    return text
