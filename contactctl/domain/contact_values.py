"""A contact's values as text, read strictly: ValueError says what does not fit.

The forms are those of criteria (domain.criteria.values), but a number has no exponent: spreadsheets
write one where they have lost digits.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contactctl.domain.criteria import values
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.values import MAX_TEXT, find_choice, shown
from contactctl.domain.errors import CriteriaError
from contactctl.domain.policies import LARGEST_COUNT
from contactctl.domain.text import UNSAFE_CHARACTERS, fold

MAX_NAME = 100
NAME_SEPARATORS = ";|"

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
_LARGEST_EXACT = 2**53  # the largest number up to which a double holds every integer
_NAME_SEPARATOR = re.compile(f"[{NAME_SEPARATORS}]")
# what our databases cannot store as text: NUL (Postgres), halves of surrogate pairs (UTF-8)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# only the century is the same, so no part of a date can be left out
_WRITTEN_AND_READ = (datetime(2001, 2, 3, tzinfo=UTC), datetime(2022, 11, 30, tzinfo=UTC))

ContactValue = str | int | float | bool
Parser = Callable[[str], ContactValue]


def parser_for(field: Field) -> Parser:
    """The reader of one field's text; dates are read by domain.cells."""
    if field.choices:
        return _choice_parser(field)
    match field.type:
        case FieldType.NUMBER:
            return parse_count if field.is_whole_number else parse_number
        case FieldType.BOOLEAN:
            return parse_boolean
        case _:
            return parse_text


def parse_text(text: str) -> str:
    """The text as it is; it must be storable, and at most 1,000 characters."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"longer than {MAX_TEXT:,} characters")
    if _UNSTORABLE.search(text):
        raise ValueError("contains a NUL, or is not valid Unicode")
    return text


def parse_number(text: str) -> int | float:
    """Digits, with a decimal point at most: `12`, `-3.50`; whole numbers up to 2**53."""
    if _NUMBER.match(text) is None:
        raise ValueError(f"'{shown(text)}' is not a number (write it like 12 or 12.5)")
    number = float(text)
    if math.fabs(number) > _LARGEST_EXACT:
        raise ValueError(f"the number '{shown(text)}' is too large (declare the attribute text)")
    return int(number) if number.is_integer() else number


def parse_count(text: str) -> int:
    """A whole number from 0 to 1,000,000,000: `12`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 40 or int(text) > LARGEST_COUNT:
        raise ValueError(f"'{shown(text)}' is not a whole number from 0 to {LARGEST_COUNT:,}")
    return int(text)


def parse_boolean(text: str) -> bool:
    """true, yes, 1 or false, no, 0; case ignored."""
    try:
        return values.parse_boolean(text)
    except CriteriaError as error:
        raise ValueError(f"{error.message} ({error.hint})") from None


def require_whole_date(date_format: str) -> None:
    """ValueError unless a date in this format can be read again: year, month and day."""
    if "%" not in date_format:
        raise ValueError("no % code")
    for written in _WRITTEN_AND_READ:
        try:
            read = _strptime(written.strftime(date_format), date_format)
        except re.error:  # a code given twice
            raise ValueError("no date can be read with it") from None
        if read.date() != written.date():
            raise ValueError("it lacks the year, month or day")


def with_codes(date_format: str) -> str:
    """`%d/%m/%Y` for `dd/mm/yyyy`, as other programs write it."""
    codes = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "m": "%m", "dd": "%d", "d": "%d"}
    return re.sub(
        "y{4}|y{2}|m{1,2}|d{1,2}", lambda part: codes[part[0].lower()], date_format, flags=re.I
    )


def parse_names(text: str) -> tuple[str, ...]:
    """Tag names out of one cell, separated by ; or |, each different name once."""
    return unique_names(_NAME_SEPARATOR.split(text))


def unique_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names, trimmed, without empty ones and without a second spelling of the same one."""
    by_folded: dict[str, str] = {}
    for text in texts:
        if name := text.strip():
            by_folded.setdefault(fold(name), _checked_name(name))
    return tuple(by_folded.values())


def parse_group_name(text: str) -> str:
    """A group's name: trimmed, not empty, at most 100 characters, none of them invisible."""
    name = text.strip()
    if not name:
        raise ValueError("a name cannot be empty")
    if UNSAFE_CHARACTERS.search(name):
        raise ValueError("a name cannot contain control or invisible characters")
    return _checked_name(name)


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME:
        raise ValueError(f"'{shown(name)}' is longer than {MAX_NAME} characters")
    if _NAME_SEPARATOR.search(name):
        raise ValueError("a name cannot contain ; or |, which separate names")
    return parse_text(name)


def _choice_parser(field: Field) -> Parser:
    def parse_choice(text: str) -> str:
        found = find_choice(field, text)
        if found is None:
            raise ValueError(f"'{shown(text)}' is not one of {', '.join(field.choices)}")
        return found

    return parse_choice


def _strptime(text: str, date_format: str) -> datetime:
    return datetime.strptime(text, date_format)  # noqa: DTZ007  (the caller knows the zone)
