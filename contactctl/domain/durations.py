"""Lengths of time as people write them: `24 hours`, `30 days`, `2 weeks`."""

import re
from datetime import timedelta

_HOURS_PER_UNIT = {"hour": 1, "day": 24, "week": 168}
_MAX_AMOUNT = 100_000
_DURATION = re.compile(r"([0-9]{1,6}) *(hour|day|week)s?\Z", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """A number of hours, days (24 hours) or weeks; ValueError for anything else, and for 0.

    Months and years are refused: how long they are depends on where they start.
    """
    match = _DURATION.match(text.strip().lower())
    amount = int(match[1]) if match else 0
    if match is None or not 1 <= amount <= _MAX_AMOUNT:
        raise ValueError(f"'{text}' is not a duration")
    return timedelta(hours=amount * _HOURS_PER_UNIT[match[2]])


def format_duration(duration: timedelta) -> str:
    """Whole days as days, everything else as hours; `parse_duration` reads it back."""
    hours = duration // timedelta(hours=1)
    amount, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{amount} {unit}" if amount == 1 else f"{amount} {unit}s"
