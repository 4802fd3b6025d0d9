"""The table of cells says what is tested, and every cell has its test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import cells

TABLE = Path(__file__).with_name("CELLS.md")


def test_the_table_is_the_one_of_the_cells() -> None:
    assert TABLE.read_text("utf-8") == cells.table(), "Write it again: python -m tests.acceptance"


def test_every_cell_of_the_authors_is_there() -> None:
    assert len(cells.DATA) == 10 * 2 * 2
    assert len(cells.DELETIONS) == 9 * 2 * 2
    assert len({cell.id for cell in cells.DATA}) == len(cells.DATA)


@pytest.mark.parametrize("cell", cells.DATA, ids=lambda cell: cell.id)
def test_the_table_names_the_test_of_a_cell(cell: cells.Cell) -> None:
    assert f"`test_data.py::test_data[{cell.id}]`" in TABLE.read_text("utf-8")
