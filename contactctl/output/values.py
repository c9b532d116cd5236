"""Single values as JSON has them, and as people read them."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite

from contactctl.domain.text import UNSAFE_CHARACTERS, counted, show_safely

MISSING = "-"


def to_json(value: object) -> object:
    """A value as JSON has it: instants in UTC with Z, dates ISO, decimals as numbers, sets sorted.

    Raises TypeError for a type that has no JSON form.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return _plain(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, AbstractSet):
        return sorted(str(to_json(item)) for item in value)
    return _scalar(value)


def _plain(value: str | bool | float | None) -> object:
    if isinstance(value, Enum):
        return value.value
    # JSON has no NaN and no infinity (RFC 8259, section 6)
    return None if isinstance(value, float) and not isfinite(value) else value


def _scalar(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def instant_text(moment: datetime) -> str:
    """ISO 8601 in UTC with Z, fractions of a second only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def age_text(age: timedelta) -> str:
    """A length of time in its largest unit, such as `5 minutes`; what is to come has none."""
    seconds = max(0, int(age.total_seconds()))
    for length, noun in _UNITS:
        if seconds >= length:
            return counted(seconds // length, noun)
    return counted(0, "second")


def escape_unsafe_in_json(document: str) -> str:
    """JSON text whose control and bidi characters are \\u escapes: the same value, safe to print.

    Tab and newline stay: in JSON text they occur only between values.
    """
    return UNSAFE_CHARACTERS.sub(_json_escape, document)


def _json_escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in "\n\t":
        return character
    encoded = character.encode("utf-16-be", "surrogatepass")
    units = [encoded[at : at + 2].hex() for at in range(0, len(encoded), 2)]
    return "".join(f"\\u{unit}" for unit in units)


def to_people(value: object) -> str:
    """A value as one safe line of text for people."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list | tuple | AbstractSet):
        return _several(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{show_safely(str(k))}={to_people(v)}" for k, v in value.items())
    return show_safely(str(to_json(value)))


def _several(values: list[object] | tuple[object, ...] | AbstractSet[object]) -> str:
    ordered = values if isinstance(values, list | tuple) else sorted(values, key=str)
    return ", ".join(to_people(item) for item in ordered) or MISSING
