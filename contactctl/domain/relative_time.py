"""Calendar arithmetic: spans of days, weeks, months and years, counted in one time zone."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum


class Unit(StrEnum):
    """A calendar unit; the plural is how it is written."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


_DAYS_PER_UNIT = {Unit.DAYS: 1, Unit.WEEKS: 7}
_MONTHS_PER_UNIT = {Unit.MONTHS: 1, Unit.YEARS: 12}


@dataclass(frozen=True, slots=True)
class Span:
    """A number of calendar units, such as 24 months; `count` is not negative."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"

    @property
    def approximate_days(self) -> int:
        """At least as many days as the span can hold."""
        return (
            self.count * {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31, Unit.YEARS: 366}[self.unit]
        )


def shift_date(day: date, span: Span, direction: int) -> date:
    """The date a span later (`direction` 1) or earlier (-1).

    Months keep the day of the month, or take the last one: 31 March minus 1 month is 28 February.
    """
    if span.unit in _DAYS_PER_UNIT:
        return day + timedelta(days=direction * span.count * _DAYS_PER_UNIT[span.unit])
    months = day.year * 12 + day.month - 1 + direction * span.count * _MONTHS_PER_UNIT[span.unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shift_instant(moment: datetime, span: Span, direction: int, zone: tzinfo) -> datetime:
    """The instant at the same wall-clock time in `zone`, a span later or earlier; in UTC.

    A time that the clocks skip is read with the offset before the change, a repeated one as the
    first, unless the moment itself is the second (PEP 495).
    """
    local = moment.astimezone(zone)
    shifted = datetime.combine(shift_date(local.date(), span, direction), local.timetz())
    return shifted.astimezone(UTC)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The instant (UTC) at which `day` begins in `zone`; where midnight is skipped, the change."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
