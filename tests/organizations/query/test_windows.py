"""The exact spans of relative dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from organizations.errors import InvalidRequest
from organizations.query.context import Context
from organizations.query.nodes import Operator
from organizations.query.operators import RULES
from organizations.query.windows import Window, of_day, window

MONDAY_1PM = Context(now=datetime(2020, 8, 17, 13, 20, 30, tzinfo=UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def make_window(operator: Operator, amount: int = 0, context: Context = MONDAY_1PM) -> Window:
    return window(operator, amount, context)


@pytest.mark.parametrize(
    ("operator", "start", "end"),
    [
        (Operator.TODAY, "2020-08-17", "2020-08-18"),
        (Operator.YESTERDAY, "2020-08-16", "2020-08-17"),
        (Operator.TOMORROW, "2020-08-18", "2020-08-19"),
        (Operator.THIS_WEEK, "2020-08-16", "2020-08-23"),
        (Operator.LAST_WEEK, "2020-08-09", "2020-08-16"),
        (Operator.NEXT_WEEK, "2020-08-23", "2020-08-30"),
        (Operator.THIS_MONTH, "2020-08-01", "2020-09-01"),
        (Operator.LAST_MONTH, "2020-07-01", "2020-08-01"),
        (Operator.NEXT_MONTH, "2020-09-01", "2020-10-01"),
        (Operator.THIS_YEAR, "2020-01-01", "2021-01-01"),
        (Operator.LAST_YEAR, "2019-01-01", "2020-01-01"),
        (Operator.NEXT_YEAR, "2021-01-01", "2022-01-01"),
    ],
)
def test_it_takes_whole_calendar_units(operator: Operator, start: str, end: str) -> None:
    assert make_window(operator) == Window(at(start), at(end))


@pytest.mark.parametrize(
    ("operator", "amount", "start"),
    [
        (Operator.LAST_SEVEN_DAYS, 0, "2020-08-10"),
        (Operator.LAST_X_DAYS, 4, "2020-08-13"),
        (Operator.LAST_X_WEEKS, 2, "2020-08-03"),
        (Operator.LAST_X_MONTHS, 3, "2020-05-17"),
        (Operator.LAST_X_YEARS, 2, "2018-08-17"),
        (Operator.LAST_X_HOURS, 2, "2020-08-17T11:00:00"),
    ],
)
def test_it_goes_back_from_midnight_to_now(operator: Operator, amount: int, start: str) -> None:
    expected = Window(at(start), at("2020-08-17T13:20:30"), is_closed=True)
    assert make_window(operator, amount) == expected


@pytest.mark.parametrize(
    ("operator", "amount", "end"),
    [
        (Operator.NEXT_SEVEN_DAYS, 0, "2020-08-25"),
        (Operator.NEXT_X_DAYS, 4, "2020-08-22"),
        (Operator.NEXT_X_WEEKS, 2, "2020-09-01"),
        (Operator.NEXT_X_MONTHS, 3, "2020-11-18"),
        (Operator.NEXT_X_YEARS, 2, "2022-08-18"),
    ],
)
def test_it_goes_from_now_to_the_end_of_a_day(operator: Operator, amount: int, end: str) -> None:
    assert make_window(operator, amount) == Window(at("2020-08-17T13:20:30"), at(end))


def test_it_counts_next_hours_from_now() -> None:
    expected = Window(at("2020-08-17T13:20:30"), at("2020-08-17T16:20:30"), is_closed=True)
    assert make_window(Operator.NEXT_X_HOURS, 3) == expected


@pytest.mark.parametrize(
    ("operator", "end"),
    [
        (Operator.OLDERTHAN_X_MINUTES, "2020-08-17T13:17:30"),
        (Operator.OLDERTHAN_X_HOURS, "2020-08-17T10:20:30"),
        (Operator.OLDERTHAN_X_DAYS, "2020-08-14T13:20:30"),
        (Operator.OLDERTHAN_X_WEEKS, "2020-07-27T13:20:30"),
        (Operator.OLDERTHAN_X_MONTHS, "2020-05-17T13:20:30"),
        (Operator.OLDERTHAN_X_YEARS, "2017-08-17T13:20:30"),
    ],
)
def test_it_knows_what_is_older(operator: Operator, end: str) -> None:
    assert make_window(operator, 3) == Window(None, at(end))


def test_it_starts_a_week_on_sunday_itself() -> None:
    sunday = Context(now=datetime(2020, 8, 16, tzinfo=UTC))
    assert make_window(Operator.THIS_WEEK, context=sunday).start == at("2020-08-16")


def test_it_keeps_to_the_last_day_of_a_shorter_month() -> None:
    context = Context(now=datetime(2024, 3, 31, 9, tzinfo=UTC))
    assert make_window(Operator.LAST_X_MONTHS, 1, context).start == at("2024-02-29")


def test_it_takes_days_of_the_users_zone() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    context = Context(now=datetime(2020, 8, 17, 13, tzinfo=UTC), zone=zone)
    assert make_window(Operator.TODAY, context=context).start == at("2020-08-18")


def test_it_counts_hours_across_the_end_of_summer_time() -> None:
    zone = ZoneInfo("Europe/Bratislava")
    context = Context(now=datetime(2024, 10, 27, 1, 30, tzinfo=UTC), zone=zone)
    found = make_window(Operator.OLDERTHAN_X_HOURS, 1, context).end
    assert found is not None
    assert found.replace(tzinfo=zone).astimezone(UTC) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_it_takes_the_whole_day_of_a_date() -> None:
    day = date(2024, 5, 1)
    assert of_day(Operator.ON, day) == Window(at("2024-05-01"), at("2024-05-02"))
    assert of_day(Operator.ON_OR_BEFORE, day) == Window(None, at("2024-05-02"))
    assert of_day(Operator.ON_OR_AFTER, day) == Window(at("2024-05-01"), None)


def test_it_has_a_window_for_every_relative_operator() -> None:
    relative = [operator for operator, rule in RULES.items() if rule.is_relative]
    assert len(relative) == 30
    assert all(make_window(operator, 1) for operator in relative)


@pytest.mark.parametrize(
    "operator", [Operator.LAST_X_YEARS, Operator.NEXT_X_DAYS, Operator.OLDERTHAN_X_HOURS]
)
def test_it_refuses_what_is_beyond_the_calendar(operator: Operator) -> None:
    with pytest.raises(InvalidRequest, match=f"'{operator}' with 999999999 reaches beyond"):
        make_window(operator, 999999999)


def test_it_refuses_a_day_at_the_end_of_the_calendar() -> None:
    with pytest.raises(InvalidRequest, match="'9999-12-31' is beyond the calendar"):
        of_day(Operator.ON, date.max)


def test_it_refuses_a_moment_without_zone() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        Context(now=datetime(2024, 1, 1))
