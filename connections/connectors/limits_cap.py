"""Leaving some of an allowance to others: "use at most 30 % on weekdays from 8 to 18"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

WHOLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The part of the allowance that may be used on some days at some hours.

    `days` are those of `datetime.weekday` (0: Monday) in `zone`, an IANA name. It holds from
    `from_hour` until before `until_hour` (24: the end of the day).
    """

    percent: int
    days: frozenset[int]
    from_hour: int
    until_hour: int
    zone: str

    def fraction(self, moment: datetime) -> float:
        """Return the part that may be used at that (aware) moment, at most 1."""
        here = moment.astimezone(ZoneInfo(self.zone))
        holds = here.weekday() in self.days and self.from_hour <= here.hour < self.until_hour
        return self.percent / 100 if holds else WHOLE
