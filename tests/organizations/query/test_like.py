"""Patterns of like: T-SQL wildcards, case ignored."""

from __future__ import annotations

import pytest

from organizations.query.like import fold, pattern


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("con%", "contoso", True),
        ("con%", "xcontoso", False),
        ("%TOSO", "Contoso", True),
        ("c_n%", "contoso", True),
        ("_", "", False),
        ("%", "", True),
        ("[a-d]%", "Contoso", True),
        ("[^a-d]%", "Contoso", False),
        ("[^]", "x", True),
        ("[]", "x", False),
        ("[c-a]", "b", False),
        ("50[%]", "50%", True),
        ("50[%]", "50 percent", False),
        ("[_]", "_", True),
        ("[[]x]", "[x]", True),
        ("[x", "[X", True),
        ("a.c", "abc", False),
        ("a%c", "a\nc", True),
        ("a", "a\n", False),
        ("ÄÖ%", "äö", True),
        ("a\\b", "a\\b", True),
    ],
)
def test_it_matches_as_t_sql_does(text: str, value: str, expected: bool) -> None:
    assert pattern(text).matches(fold(value)) is expected


def test_it_uses_like_where_there_are_no_sets() -> None:
    assert pattern("A%_\\").like == "a%_\\\\"
    assert pattern("[%]").like is None


def test_it_folds_one_character_at_a_time() -> None:
    assert fold("ÄİΣ") == "äiσ"


def test_it_stays_fast_with_repeated_wildcards() -> None:
    assert pattern("%" * 5000 + "b").regex.count(".*") == 1
