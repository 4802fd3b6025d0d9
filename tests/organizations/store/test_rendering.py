"""Lines of COPY say what the rows say, whatever the texts hold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from organizations.records import Value
from organizations.schema import Attribute, AttributeType, Column
from organizations.store.rendering import render

COLUMNS = [
    Column("name", Attribute(name="name", type=AttributeType.STRING)),
    Column("employees", Attribute(name="employees", type=AttributeType.INTEGER)),
    Column("revenue", Attribute(name="revenue", type=AttributeType.MONEY)),
    Column("active", Attribute(name="active", type=AttributeType.BOOLEAN)),
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS | st.text("\\N\t\n\r\x1e\x1f"),
        st.none() | st.integers(-(2**31), 2**31 - 1),
        st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
        st.none() | st.booleans(),
    ),
    max_size=8,
)


def read_back(lines: bytes) -> list[tuple[Value, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS rendered"
            " (place serial, name text, employees integer, revenue numeric, active boolean)"
        )
        cursor.execute("TRUNCATE rendered")
        with cursor.copy("COPY rendered (name, employees, revenue, active) FROM STDIN") as copy:
            copy.write(lines)
        cursor.execute("SELECT name, employees, revenue, active FROM rendered ORDER BY place")
        found: list[tuple[Value, ...]] = cursor.fetchall()
    return found


@pytest.mark.django_db
@given(rows=ROWS)
def test_it_reads_back_as_it_was(rows: list[tuple[Value, ...]]) -> None:
    assert read_back(render(COLUMNS, rows)) == rows


def test_it_keeps_a_text_in_a_column_of_numbers_from_ending_the_line() -> None:
    assert render(COLUMNS, [("a", "1\n2\t3", Decimal(1), True)]) == b"a\t1\\n2\\t3\t1\tTrue"


def test_it_renders_no_rows() -> None:
    assert render(COLUMNS, []) == b""
