"""Times in mails (RFC 5322, section 3.3), as aware UTC; None for what is no time."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_time(value: str) -> datetime | None:
    """The time that a Date, Arrival-Date or Last-Attempt-Date field names, in UTC.

    A time without a zone, or with the unknown zone `-0000`, counts as UTC.
    """
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value[:100])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def first_time(*values: str) -> datetime | None:
    """The first of several fields that holds a time."""
    return next((moment for value in values if (moment := parse_time(value))), None)
