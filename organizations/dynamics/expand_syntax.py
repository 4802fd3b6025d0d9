"""The text of `$expand`: navigations, with the options in their brackets.

    primarycontactid($select=fullname),Account_Tasks($filter=contains(subject,'a;b');$top=3)

Options are separated by semicolons, navigations by commas; neither counts inside of quotes or
deeper brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from organizations.dynamics.errors import bad_request

MOST = 15
"""Expanded navigations of one query, nested ones included (Microsoft: join tables)."""

_KNOWN = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})


@dataclass(frozen=True, slots=True)
class Item:
    """One navigation to expand. `is_reference` asks for its address only (`/$ref`)."""

    name: str
    is_reference: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    nested: tuple[Item, ...] = ()

    @property
    def selected(self) -> list[str]:
        """The names in its `$select`."""
        return names(self.options.get("$select", ""))


def names(text: str) -> list[str]:
    """Return the names of a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse(text: str) -> tuple[Item, ...]:
    """Return the navigations of `$expand`. Raises WebApiError 400."""
    found = tuple(_item(part.strip()) for part in split(text, ","))
    if count(found) > MOST:
        raise bad_request(f"A query has at most {MOST} $expand options.", "0x80060888")
    return found


def count(items: tuple[Item, ...]) -> int:
    """Return how many navigations are expanded, nested ones included."""
    return sum(1 + count(item.nested) for item in items)


def _item(part: str) -> Item:
    name, bracket, inside = part.partition("(")
    name, slash, segment = name.strip().partition("/")
    if not name or (bracket and not inside.endswith(")")) or (slash and segment != "$ref"):
        raise bad_request(f"Syntax error in $expand at '{part[:200]}'.", "0x80060888")
    options = dict(_options(inside[:-1])) if bracket else {}
    nested = parse(options["$expand"]) if "$expand" in options else ()
    return Item(name, bool(slash), options, nested)


def _options(text: str) -> Iterator[tuple[str, str]]:
    for part in split(text, ";"):
        name, equals, value = part.strip().partition("=")
        if not equals or name not in _KNOWN:
            raise bad_request(
                f"'{part.strip()[:200]}' is not an option of $expand. It takes $select, $filter, "
                "$orderby, $top and $expand.",
                "0x80060888",
            )
        yield name, value.strip()


def split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts of a text between separators outside of quotes and brackets."""
    depth, start, is_quoted = 0, 0, False
    for index, character in enumerate(text):
        if character == "'":
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == separator and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def context(items: tuple[Item, ...]) -> list[str]:
    """Return how a context URL tells what is expanded."""
    found = []
    for item in items:
        if item.is_reference:
            found += [item.name, f"{item.name}/$ref()"]
        else:
            found.append(f"{item.name}({','.join([*item.selected, *context(item.nested)])})")
    return found
