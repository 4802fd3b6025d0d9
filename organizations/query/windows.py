"""Relative dates: the exact span of time each operator means, for a moment and a time zone.

Days, weeks (from Sunday), months and years are those of the user's zone. Sources: field reports
measured against Dataverse ("FetchXML date filtering", M. Carrington, 2020; "Date and time
operators in CRM explained", G. Ruiz, 2012), as its documentation does not give the bounds:

==========================  ================================================================
last-x-days (weeks, …)      from midnight of today less x units, to now (included)
next-x-days (weeks, …)      from now, to midnight at the end of today plus x units (excluded)
last-seven-days, next-…     the same with seven days
last-x-hours                from the start of the current hour less x hours, to now (included)
next-x-hours                from now to x hours from now (included)
olderthan-x-…               before now less x units (assumed for days and longer)
this-, last-, next-week …   the whole calendar unit
on, on-or-before, …         whole days
==========================  ================================================================
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from organizations.errors import InvalidRequest
from organizations.query.context import Context
from organizations.query.nodes import Operator

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A span on the clock of the user's zone (naive); a missing bound is open.

    `start` belongs to it; `end` only if `is_closed`.
    """

    start: datetime | None
    end: datetime | None
    is_closed: bool = False


def local(moment: datetime, context: Context) -> datetime:
    """Return a moment as the clock of the user's zone shows it (naive, `fold` kept)."""
    return moment.astimezone(context.zone).replace(tzinfo=None)


def day(value: date) -> datetime:
    """Return the midnight at which a day (or the day of a moment) starts."""
    return datetime(value.year, value.month, value.day)


def window(operator: Operator, amount: int, context: Context) -> Window:
    """Return the span of a relative operator; `amount` is x, ignored where there is none."""
    try:
        return _WINDOWS[operator](amount, context)
    except (OverflowError, ValueError) as error:
        raise InvalidRequest(
            f"Operator '{operator}' with {amount} reaches beyond the calendar. "
            "Use a smaller number.",
            "condition",
        ) from error


def of_day(operator: Operator, value: date) -> Window:
    """Return the span of `on`, `on-or-before` or `on-or-after` that day."""
    start = day(value)
    try:
        end = start + _DAY
    except OverflowError as error:
        raise InvalidRequest(f"'{value}' is beyond the calendar.", "condition") from error
    if operator is Operator.ON_OR_BEFORE:
        return Window(None, end)
    return Window(start, None if operator is Operator.ON_OR_AFTER else end)


def _plus_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _plus_days(moment: datetime, days: int) -> datetime:
    return moment + timedelta(days=days)


def _plus_weeks(moment: datetime, weeks: int) -> datetime:
    return moment + timedelta(weeks=weeks)


def _plus_years(moment: datetime, years: int) -> datetime:
    return _plus_months(moment, 12 * years)


_Plus = Callable[[datetime, int], datetime]
_Window = Callable[[int, Context], Window]


def _today(context: Context) -> datetime:
    return day(local(context.now, context))


def _last(plus: _Plus) -> _Window:
    def span(amount: int, context: Context) -> Window:
        return Window(plus(_today(context), -amount), local(context.now, context), is_closed=True)

    return span


def _next(plus: _Plus) -> _Window:
    def span(amount: int, context: Context) -> Window:
        return Window(local(context.now, context), plus(_today(context) + _DAY, amount))

    return span


def _older(plus: _Plus) -> _Window:
    def span(amount: int, context: Context) -> Window:
        return Window(None, plus(local(context.now, context), -amount))

    return span


def _older_by(unit: timedelta) -> _Window:
    def span(amount: int, context: Context) -> Window:
        return Window(None, local(context.now.astimezone(UTC) - amount * unit, context))

    return span


def _last_hours(amount: int, context: Context) -> Window:
    now = context.now.astimezone(UTC)
    hour = now - timedelta(
        minutes=local(now, context).minute, seconds=now.second, microseconds=now.microsecond
    )
    start = hour - timedelta(hours=amount)
    return Window(local(start, context), local(now, context), is_closed=True)


def _next_hours(amount: int, context: Context) -> Window:
    end = context.now.astimezone(UTC) + timedelta(hours=amount)
    return Window(local(context.now, context), local(end, context), is_closed=True)


def _whole(start: Callable[[datetime], datetime], plus: _Plus, offset: int) -> _Window:
    def span(amount: int, context: Context) -> Window:
        first = plus(start(_today(context)), offset)
        return Window(first, plus(first, 1))

    return span


def _week_start(today: datetime) -> datetime:
    return today - timedelta(days=(today.weekday() + 1) % 7)


def _month_start(today: datetime) -> datetime:
    return today.replace(day=1)


def _year_start(today: datetime) -> datetime:
    return today.replace(month=1, day=1)


def _seven(span: _Window) -> _Window:
    return lambda amount, context: span(7, context)


_WINDOWS: dict[Operator, _Window] = {
    Operator.TODAY: _whole(day, _plus_days, 0),
    Operator.YESTERDAY: _whole(day, _plus_days, -1),
    Operator.TOMORROW: _whole(day, _plus_days, 1),
    Operator.THIS_WEEK: _whole(_week_start, _plus_weeks, 0),
    Operator.LAST_WEEK: _whole(_week_start, _plus_weeks, -1),
    Operator.NEXT_WEEK: _whole(_week_start, _plus_weeks, 1),
    Operator.THIS_MONTH: _whole(_month_start, _plus_months, 0),
    Operator.LAST_MONTH: _whole(_month_start, _plus_months, -1),
    Operator.NEXT_MONTH: _whole(_month_start, _plus_months, 1),
    Operator.THIS_YEAR: _whole(_year_start, _plus_years, 0),
    Operator.LAST_YEAR: _whole(_year_start, _plus_years, -1),
    Operator.NEXT_YEAR: _whole(_year_start, _plus_years, 1),
    Operator.LAST_SEVEN_DAYS: _seven(_last(_plus_days)),
    Operator.NEXT_SEVEN_DAYS: _seven(_next(_plus_days)),
    Operator.LAST_X_HOURS: _last_hours,
    Operator.NEXT_X_HOURS: _next_hours,
    Operator.LAST_X_DAYS: _last(_plus_days),
    Operator.NEXT_X_DAYS: _next(_plus_days),
    Operator.LAST_X_WEEKS: _last(_plus_weeks),
    Operator.NEXT_X_WEEKS: _next(_plus_weeks),
    Operator.LAST_X_MONTHS: _last(_plus_months),
    Operator.NEXT_X_MONTHS: _next(_plus_months),
    Operator.LAST_X_YEARS: _last(_plus_years),
    Operator.NEXT_X_YEARS: _next(_plus_years),
    Operator.OLDERTHAN_X_MINUTES: _older_by(timedelta(minutes=1)),
    Operator.OLDERTHAN_X_HOURS: _older_by(timedelta(hours=1)),
    Operator.OLDERTHAN_X_DAYS: _older(_plus_days),
    Operator.OLDERTHAN_X_WEEKS: _older(_plus_weeks),
    Operator.OLDERTHAN_X_MONTHS: _older(_plus_months),
    Operator.OLDERTHAN_X_YEARS: _older(_plus_years),
}
