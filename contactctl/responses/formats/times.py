"""When an event happened, as a mapping says it: `occurred_at`, `date_format`, `time_zone`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from contactctl.domain.contact_values import require_whole_date
from contactctl.domain.criteria.values import shown_json
from contactctl.responses.fields import instant_in_format, instant_of, says_a_time, text_of
from contactctl.responses.formats.paths import Row, Scope, texts_of, value_getter


class UnreadableTimeError(ValueError):
    """A document says when it happened, and it cannot be read: not now, at any rate."""


def instant_reader(mapping: Mapping[str, Any], scope: Scope) -> Callable[[Row], datetime | None]:
    """What finds the first readable time; it raises UnreadableTimeError where all are others."""
    instant = _instant_of(mapping.get("date_format"), _zone_of(mapping))
    if "occurred_at" not in mapping:
        return lambda _row: None
    try:
        get = value_getter(mapping["occurred_at"], scope)
    except ValueError as error:
        raise ValueError(f"occurred_at: {error}") from error
    getters = [value_getter(path, scope) for path in texts_of(mapping["occurred_at"])]

    def read(row: Row) -> datetime | None:
        if found := instant(get(row)):
            return found
        values = [value for each in getters if says_a_time(value := each(row))]
        if found := next(filter(None, map(instant, values)), None):
            return found
        if values:
            raise UnreadableTimeError(f"its time {shown_json(values[0])} cannot be read")
        return None

    return read


def _instant_of(date_format: object, zone: tzinfo) -> Callable[[object], datetime | None]:
    if date_format is None:
        return instant_of if zone is UTC else partial(instant_of, zone=zone)
    _require_date_format(date_format)
    written = text_of(date_format)
    return lambda value: instant_in_format(value, written, zone) or instant_of(value, zone)


def _zone_of(mapping: Mapping[str, Any]) -> tzinfo:
    if "time_zone" not in mapping:
        return UTC
    try:
        return ZoneInfo(text_of(mapping["time_zone"]))
    except (KeyError, ValueError, OSError):
        raise ValueError("time_zone: must be a name such as Europe/Oslo") from None


def _require_date_format(date_format: object) -> None:
    try:
        require_whole_date(text_of(date_format))
    except ValueError as error:
        raise ValueError(f"date_format: {error}; write it like %d.%m.%Y %H:%M") from None
