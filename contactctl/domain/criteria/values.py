"""Values of criteria: their grammar by field type, spans and calendar arithmetic."""

import json
import math
import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum

from contactctl.domain.criteria.fields import (
    BUILT_IN_FIELDS,
    DEACTIVATION_RUN_FIELD,
    OF_WHOLE_VALUES,
    USAGES,
    Field,
    FieldType,
    Operator,
    Takes,
    did_you_mean,
)
from contactctl.domain.emails import email_key
from contactctl.domain.errors import CriteriaError
from contactctl.domain.lazy import dataclass
from contactctl.domain.text import fold, show_safely

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


# Calendar arithmetic: spans of days, weeks, months and years, counted in one time zone


class Unit(StrEnum):
    """A calendar unit; the plural is how it is written."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


_TOO_SHORT = frozenset({"seconds", "minutes", "mins", "hours"})  # minutes are not mistyped months
_DAYS_PER_UNIT = {Unit.DAYS: 1, Unit.WEEKS: 7}
_MONTHS_PER_UNIT = {Unit.MONTHS: 1, Unit.YEARS: 12}


@dataclass(frozen=True)
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


# The grammar of values, by field type. No guessing: a value that does not fit is an error


Scalar = str | bool | int | float | date | datetime | Span

EARLIEST_YEAR, LATEST_YEAR = 1000, 9000
MAX_SPAN_DAYS = 200 * 366
MAX_TEXT = 1000

_CONTROL_OR_SURROGATE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_NUMBER = re.compile(r"[-+]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][-+]?[0-9]{1,4})?")
_INT64 = range(-(2**63), 2**63)
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "t", "y", "1"), True),
    **dict.fromkeys(("false", "no", "off", "f", "n", "0"), False),
}
# ISO 8601, sections 5.2.2 and 5.2.4: days by month, or by week
_DATE = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}-?[0-9]")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[-+][0-9]{2}:[0-9]{2}(:[0-9]{2})?)"  # historical local times had seconds
)
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_RELATIVE = re.compile(
    r"\A\s*[-+]\s*[0-9]{1,6}\b|\b(today|yesterday|tomorrow|now|ago|last|next|this)\b"
    r"|[0-9]\s*(hour|day|week|month|year|[dhwmy]\b)",
    re.IGNORECASE,
)
_SPAN = re.compile(r"([0-9]{1,6})\s+(\S+)(.*)")


_ADDRESS_AROUND = {"email": "{}", "email_domain": "x@{}"}


def parse_values(field: Field, operator: Operator, words: Sequence[str]) -> tuple[Scalar, ...]:
    """The typed values of a condition from their texts; CriteriaError if one does not fit.

    `words` holds what the operator takes: none, one, several, two (`between`) or one span.
    """
    if operator is Operator.ON:
        return (parse_date(words[0]),)
    if USAGES[operator].takes is Takes.SPAN:
        return (parse_span(words[0]),)
    values = tuple(_parse(field, word) for word in words)
    if operator is Operator.BETWEEN:
        _check_order(values)
    if operator in OF_WHOLE_VALUES and field.name in _ADDRESS_AROUND:
        for word in words:
            _require_address(field, word)
    return values


def find_choice(field: Field, text: str) -> str | None:
    """The field's choice that is written so, case ignored; None where there is none."""
    folded = fold(text)
    return next((choice for choice in field.choices if fold(choice) == folded), None)


def parse_boolean(text: str) -> bool:
    """true, yes, on, t, y, 1, or the opposites; case ignored. CriteriaError for anything else."""
    found = _BOOLEANS.get(text.casefold())
    if found is None:
        raise CriteriaError(
            f"'{shown(text)}' is neither true nor false", hint="write true, yes, 1; false, no, 0"
        )
    return found


def parse_date(text: str) -> date:
    """An ISO 8601 date (`2024-05-31`, `20240531`); CriteriaError for anything else."""
    if not _DATE.fullmatch(text):
        hint = _relative_hint(text) or "write it like 2024-05-31"
        raise CriteriaError(f"'{shown(text)}' is not a date", hint=hint)
    _check_year(text, int(text[:4]), EARLIEST_YEAR, LATEST_YEAR)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CriteriaError(f"'{text}' is not a calendar day") from None


def format_value(value: Scalar, zone: tzinfo = UTC) -> str:
    """The value as `parse_values` reads it; an instant in the time of `zone`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def parse_span(text: str) -> Span:
    """A span such as `24 months`; CriteriaError with a did-you-mean for the unit."""
    found = _SPAN.fullmatch(text)
    if not found or found[3].strip():
        raise CriteriaError(
            f"'{shown(text)}' is not a span of time",
            hint="write it like 24 months, 30 days, 1 year",
        )
    unit = found[2].casefold()
    plural = unit if unit.endswith("s") else f"{unit}s"
    if plural not in list(Unit):
        guess = "" if plural in _TOO_SHORT else did_you_mean(plural, list(Unit))
        hint = guess or f"units: {', '.join(Unit)}"
        raise CriteriaError(f"unknown unit '{shown(found[2])}'", hint=hint)
    span = Span(int(found[1]), Unit(plural))
    if span.approximate_days > MAX_SPAN_DAYS:
        raise CriteriaError(f"'{shown(text)}' is too long", hint="at most 200 years")
    return span


def shown(text: str) -> str:
    """Text from outside for an error message: one line, at most 60 characters, harmless."""
    return show_safely(text if len(text) <= 60 else f"{text[:57]}...")


def shown_json(value: object) -> str:
    """A value out of JSON for an error message: text in quotes, never a whole list or object."""
    if isinstance(value, str):
        return f"'{shown(value)}'"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return shown(json.dumps(value))


def _parse(field: Field, text: str) -> Scalar:
    if field.choices:
        return _choice(field, text)
    match field.type:
        case FieldType.NUMBER:
            return _whole_number(field, text) if field.is_whole_number else _number(text)
        case FieldType.BOOLEAN:
            return parse_boolean(text)
        case FieldType.DATE:
            return parse_date(text)
        case FieldType.INSTANT:
            return parse_date(text) if _DATE.fullmatch(text) else _instant(text)
        case _:
            is_number = field.name == DEACTIVATION_RUN_FIELD
            return str(_whole_number(field, text)) if is_number else _text(text)


def _text(text: str) -> str:
    if not text:
        raise CriteriaError("an empty text", hint="for contacts without a value use 'missing'")
    if len(text) > MAX_TEXT:
        raise CriteriaError(f"a text of {len(text)} characters", hint=f"at most {MAX_TEXT}")
    if _CONTROL_OR_SURROGATE.search(text):
        raise CriteriaError(f"a control character, or invalid UTF-8, in '{shown(text)}'")
    return text


def _choice(field: Field, text: str) -> str:
    found = find_choice(field, text)
    if found is None:
        close = did_you_mean(text, [fold(choice) for choice in field.choices])
        hint = close or _of_another_field(text) or f"choices: {', '.join(field.choices)}"
        raise CriteriaError(f"'{shown(text)}' is not a choice of '{field.name}'", hint=hint)
    return found


def _of_another_field(text: str) -> str:
    """`unsubscribed` is no category of a deactivation, but an origin."""
    conditions = {choice: f"{f.name} = {choice}" for f in BUILT_IN_FIELDS for choice in f.choices}
    close = get_close_matches(fold(text), conditions, n=1, cutoff=0.8)
    return f"did you mean '{conditions[close[0]]}'?" if close else ""


def _whole_number(field: Field, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise CriteriaError(f"'{shown(text)}' is not a whole number, as '{field.name}' is")
    number = int(text)
    if number not in _INT64:
        raise CriteriaError(f"the number '{shown(text)}' is too large")
    return number


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise CriteriaError(f"'{shown(text)}' is not a number", hint="write it like 12 or 12.5")
    if _INTEGER.fullmatch(text) and int(text) in _INT64:
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise CriteriaError(f"the number '{shown(text)}' is too large")
    if Decimal(text) != Decimal(repr(number)):  # rounded it could let more contacts in
        raise CriteriaError(
            f"the number '{shown(text)}' has more digits than can be told apart",
            hint="at most 15 significant digits",
        )
    return number


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise CriteriaError(
            f"'{shown(text)}' is neither a date nor an instant",
            hint=_relative_hint(text)
            or "write it like 2024-05-31 or 2024-05-31T14:30:00+02:00 (with the offset, or Z)",
        )
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CriteriaError(f"'{text}' is not a calendar time") from None
    # in some zones the first and the last day reach into the neighbouring years
    _check_year(text, moment.year, EARLIEST_YEAR - 1, LATEST_YEAR + 1)
    return moment


def _relative_hint(text: str) -> str:
    """For `30 days ago`, `-1 month`, `yesterday`: the operators that count from today."""
    month = "a month is 'between 2024-05-01 and 2024-05-31'"
    if _MONTH.fullmatch(text):
        return month
    if not _RELATIVE.search(text):
        return ""
    return (
        "counted from today: 'older-than 30 days', 'within-last 30 days', 'within-next 2 weeks';"
        f" {month}"
    )


def _check_year(text: str, year: int, earliest: int, latest: int) -> None:
    if not earliest <= year <= latest:
        raise CriteriaError(
            f"the year of '{text}' is out of range",
            hint=f"years from {EARLIEST_YEAR} to {LATEST_YEAR}",
        )


def _require_address(field: Field, text: str) -> None:
    """No contact has such a value, so `email != ann@example` would match everybody."""
    try:
        if text.startswith(("*", "%")):  # allowed by RFC 5322, but meant as a pattern
            raise ValueError("no operator knows patterns")
        email_key(_ADDRESS_AROUND[field.name].format(text))
    except ValueError as error:
        kind = "address" if field.name == "email" else "domain"
        raise CriteriaError(
            f"'{shown(text)}' is not an email {kind}: {error}",
            hint="'contains', 'starts-with' and 'ends-with' search for a part of it",
        ) from None


def _check_order(values: Sequence[Scalar]) -> None:
    lower, upper = values
    if type(lower) is type(upper) and lower > upper:  # type: ignore[operator]
        raise CriteriaError(
            f"{format_value(lower)} comes after {format_value(upper)}",
            hint="'between' takes the lower value first",
        )
