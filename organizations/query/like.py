"""Patterns of `like`: T-SQL wildcards, case ignored.

`%` any text, `_` one character, `[a-f]` one character of a set, `[^a-f]` one outside it; a
bracket makes a wildcard literal (`[%]`). A bracket that is never closed is an ordinary character;
an empty set matches nothing. Wildcards work in `begins-with` and `ends-with` too (Dataverse
documentation, wildcard characters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from organizations.errors import InvalidRequest

LONGEST = 30_000
"""Characters of a pattern, which are more than it takes to tell a text by. Not documented."""
Token = str | None
"""One step of a pattern: a regular expression for one character, or None for any text."""


def fold(text: str) -> str:
    """Return text without letter case, character by character as PostgreSQL's `lower` does."""
    if text.isascii():
        return text.lower()
    return "".join("i" if character == "İ" else character.lower() for character in text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready for use: `like` for LIKE with backslash as escape, `regex` where it is None.

    Both are to be compared with folded text. The regular expression is understood alike by
    Python (`fullmatch`, DOTALL) and by PostgreSQL (between ``^`` and ``$``).
    """

    regex: str
    like: str | None

    def matches(self, folded: str) -> bool:
        """Return whether folded text fits the whole pattern."""
        return re.fullmatch(self.regex, folded, re.DOTALL) is not None


_NEVER = r"[^\s\S]"


def pattern(text: str) -> Pattern:
    """Translate a `like` pattern. Raises InvalidRequest for one that is too long."""
    regex, like, position, has_sets = "", "", 0, False
    text = re.sub("%+", "%", text)
    if len(text) > LONGEST:
        raise InvalidRequest(
            f"A text to look for has at most {LONGEST:,} characters, not {len(text):,}.",
            "condition",
        )
    while position < len(text):
        character, position = text[position], position + 1
        end = text.find("]", position) if character == "[" else -1
        if end >= 0:
            regex += _set(text[position:end])
            has_sets, position = True, end + 1
        elif character == "%":
            regex, like = regex + ".*", like + "%"
        elif character == "_":
            regex, like = regex + ".", like + "_"
        else:
            folded = fold(character)
            regex += _literal(folded)
            like += f"\\{folded}" if folded in "\\%_" else folded
    return Pattern(regex, None if has_sets else like)


def _literal(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _set(text: str) -> str:
    is_negative = text.startswith("^")
    members = _members(fold(text[1:] if is_negative else text))
    if not members:
        return "." if is_negative else _NEVER
    return f"[{'^' if is_negative else ''}{members}]"


def _members(text: str) -> str:
    found = ""
    for first, last, single in re.findall(r"(.)-(.)|(.)", text, re.DOTALL):
        if single:
            found += _literal(single)
        elif first <= last:
            found += f"{_literal(first)}-{_literal(last)}"
    return found
