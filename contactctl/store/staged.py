"""Rows for temporary tables, as Python holds them; imported without SQLAlchemy."""

from datetime import UTC, datetime
from typing import Any

Staged = tuple[Any, ...]


def stored_instant(moment: datetime) -> str:
    """An aware instant as staged rows hold it: UTC, as SQLite sorts it and Postgres reads it."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(" ", "microseconds").removesuffix("+00:00")
