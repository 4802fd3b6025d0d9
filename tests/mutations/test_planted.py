"""The planted bugs can be planted: each text stands where it is said, once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutations.planted import PLANTED, Planted

ROOT = Path(__file__).resolve().parents[2]


def test_there_are_thirty_of_them() -> None:
    assert len(PLANTED) == 30
    assert len({(item.file, item.old) for item in PLANTED}) == 30
    assert all(item.why and item.old != item.new for item in PLANTED)


@pytest.mark.parametrize("item", PLANTED, ids=[item.why for item in PLANTED])
def test_the_text_stands_there_once(item: Planted) -> None:
    text = (ROOT / item.file).read_text("utf-8")
    assert text.count(item.old) == 1
    ast.parse(text.replace(item.old, item.new))
