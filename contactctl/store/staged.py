"""Rows for temporary tables, as Python holds them; imported without SQLAlchemy."""

from datetime import UTC, date, datetime
from enum import IntEnum
from typing import Any

Staged = tuple[Any, ...]


class SignKind(IntEnum):
    """What a sign of life shows. `BY_MACHINE` is an open or a click."""

    DELIVERED = 0
    OPENED = 1
    BY_MACHINE = 2
    CLICKED = 3


def stored_date(day: date) -> str:
    """A date as staged rows hold it."""
    return day.isoformat()


def stored_instant(moment: datetime) -> str:
    """An aware instant as staged rows hold it: UTC, as SQLite sorts it and Postgres reads it."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # isoformat asks for the offset first, and takes half as long again
    return "%04d-%02d-%02d %02d:%02d:%02d.%06d" % (  # noqa: UP031 (f-strings take twice as long)
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond,
    )
