"""Write the table of cells again: `python -m tests.acceptance`."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.cells import table

if __name__ == "__main__":
    Path(__file__).with_name("CELLS.md").write_text(table(), "utf-8")
