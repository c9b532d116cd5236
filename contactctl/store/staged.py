"""Rows for temporary tables, as Python holds them; imported without SQLAlchemy."""

from datetime import UTC, datetime
from typing import Any

Staged = tuple[Any, ...]


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
