"""A contact's values as text: read strictly, and as cells of other programs' files hold them.

ValueError says what does not fit.

The forms are those of criteria (domain.criteria.values), but a number has no exponent: spreadsheets
write one where they have lost digits.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache, partial
from shlex import quote

from contactctl.domain.criteria import values
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.values import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    MAX_TEXT,
    find_choice,
    parse_date,
    shown,
)
from contactctl.domain.errors import CriteriaError
from contactctl.domain.policies import LARGEST_COUNT

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
_LARGEST_EXACT = 2**53  # the largest number up to which a double holds every integer
# what our databases cannot store as text: NUL (Postgres), halves of surrogate pairs (UTF-8)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# only the century is the same, so no part of a date can be left out
_WRITTEN_AND_READ = (datetime(2001, 2, 3, tzinfo=UTC), datetime(2022, 11, 30, tzinfo=UTC))

ContactValue = str | int | float | bool
Parser = Callable[[str], ContactValue]


def parser_for(field: Field) -> Parser:
    """The reader of one field's text; dates are read by a DateReader."""
    if field.choices:
        return partial(_parse_choice, field)
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
    if not _YEAR_CODE.search(date_format):  # Python warns of these, and will refuse them
        raise ValueError("it lacks the year, month or day")
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


def _parse_choice(field: Field, text: str) -> str:
    found = find_choice(field, text)
    if found is None:
        raise ValueError(f"'{shown(text)}' is not one of {', '.join(field.choices)}")
    return found


def _strptime(text: str, date_format: str) -> datetime:
    return datetime.strptime(text, date_format)  # noqa: DTZ007  (the caller knows the zone)


# What cells of other programs' files hold: dates, and several names in one.
#
# Of several date formats the first that fits decides. A format is `iso` (ISO 8601: a date as
# criteria have it, or an instant, which may leave out its offset), `epoch` (seconds, milliseconds
# or microseconds since 1970), `excel` (days since 1899-12-30, the 1900 date system) or strptime
# codes

ISO, EPOCH, EXCEL = "iso", "epoch", "excel"

# the separator is told apart: fromisoformat takes any character, and reads the year 1612 out of a
# number of milliseconds
_ISO = re.compile(r"([^Tt ]+)(?:[Tt ]+(\S.*))?\Z")
_UTC_AT_END = re.compile(r"\s*(?:UTC|GMT|Z)\Z", re.IGNORECASE)
_FRACTION = re.compile(r"([.,]\d{6})\d+")
_NUMBER_IN_CELL = re.compile(r"\d{5,17}(?:\.\d+)?\Z", re.ASCII)
# MySQL's date of zeros, .NET's first day and SAP's last
_NO_DATE = re.compile(r"[0:/. T-]*0[0:/. T-]*\Z|0001-01-01\b|9999-12-31\b")
_TWO_DIGIT_YEAR = re.compile(r"(?<!%)(?:%%)*%y")
_YEAR_CODE = re.compile(r"(?<!%)(?:%%)*%[YyGcx]")
# only proposed: some texts fit two of them, and nobody but the user knows which is meant
_USUAL = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y"),
    *("%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y"),
    *("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
    *("%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
    *("%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%b %d, %Y %I:%M %p"),
    *("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z", "%a %b %d %H:%M:%S %Y"),
    *("%d.%m.%y %H:%M", "%d/%m/%y %H:%M", "%m/%d/%y %H:%M", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S"),
    *("%m/%d/%y %I:%M %p", "%m/%d/%y %I%p", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %I:%M %p"),
    "%Y\u5e74%m\u6708%d\u65e5",
)
_EPOCH_DIGITS = 9  # from 1973 on; shorter numbers are days, years or ids
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  (Excel knows no zones)
_EXCEL_DAYS = range(10_000, 2_958_466)  # 1927 to 9999: smaller numbers are years or counts


@dataclass(slots=True)
class DateReader:
    """Reads the dates of one column; `zone` is that of times without an offset.

    `two_digit_year` becomes the first date read whose year had two digits: its text and its day.
    """

    formats: Sequence[str]
    zone: tzinfo
    two_digit_year: tuple[str, date] | None = None

    def day(self, text: str) -> date:
        """The date; of an instant its day in the zone. ValueError when no format fits."""
        moment = self._read(text, "a date", "2024-05-31")
        return moment.astimezone(self.zone).date()

    def instant(self, text: str) -> datetime:
        """The instant in UTC; a date is its midnight in the zone. ValueError when none fits."""
        return self._read(text, "an instant", "2024-05-31T14:30:00+02:00").astimezone(UTC)

    def _read(self, text: str, kind: str, example: str) -> datetime:
        for form in self.formats:
            try:
                found = _read_one(text, form)
                moment = found if found.tzinfo else found.replace(tzinfo=self.zone)
                moment.astimezone(UTC)  # OverflowError at the calendar's ends
            except (ValueError, OverflowError):
                continue
            if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
                continue
            if self.two_digit_year is None and _TWO_DIGIT_YEAR.search(form):
                self.two_digit_year = (text, moment.date())
            return moment
        forms = [example if form == ISO else form for form in self.formats]
        raise ValueError(
            f"'{shown(text)}' is not {kind} of the form {' or '.join(forms)}{_way_out(text)}"
        )


def mistake_in_format(form: str) -> str | None:
    """What is wrong with a date format; None when dates can be read by it."""
    if form in _NAMED:
        return None
    try:
        require_whole_date(form)
    except ValueError as error:
        return str(error)
    return None


def iso_instant(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 date or instant, in UTC; without an offset it is in `zone`. ValueError for
    anything else."""
    found = _iso(text)
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"'{shown(text)}' is out of the calendar's range") from None


def _read_one(text: str, form: str) -> datetime:
    if form in _NAMED:
        return _NAMED[form](text)
    found = _strptime(text, form)
    # %Z reads the zone's name and drops it
    return found.replace(tzinfo=UTC) if "%Z" in form and _UTC_AT_END.search(text) else found


def _iso(text: str) -> datetime:
    found = _ISO.match(text)
    try:
        day = parse_date(found[1] if found else text)
    except CriteriaError:
        raise ValueError(f"'{shown(text)}' is not a date") from None
    if found is None or found[2] is None:
        return datetime.combine(day, time.min)
    clock = _UTC_AT_END.sub("+00:00", _FRACTION.sub(r"\1", found[2]))
    return datetime.fromisoformat(f"{day}T{clock.replace(' ', '')}")


def _epoch(text: str) -> datetime:
    whole = text.partition(".")[0]
    if not _NUMBER_IN_CELL.match(text) or len(whole) < _EPOCH_DIGITS:
        raise ValueError(text)
    per_second = 1 if len(whole) <= 11 else 1_000 if len(whole) <= 14 else 1_000_000
    return datetime.fromtimestamp(float(text) / per_second, UTC)


def _excel(text: str) -> datetime:
    if not _NUMBER_IN_CELL.match(text) or int(float(text)) not in _EXCEL_DAYS:
        raise ValueError(text)
    seconds = round(float(text) * 86_400)  # Excel's fractions of a day are not exact
    return _EXCEL_DAY_ZERO + timedelta(seconds=seconds)


_NAMED = {ISO: _iso, EPOCH: _epoch, EXCEL: _excel}


@lru_cache(maxsize=10_000)  # a whole column may be wrong, with few different days
def _way_out(text: str) -> str:
    """What would read the text, where its look tells."""
    if _NO_DATE.match(text):
        return f" (--null {quote(text)} reads it as missing)"
    fitting = {form: day for form in (*_NAMED, *_USUAL) if (day := _day_by(text, form))}
    ways = [f"--date-format {quote(form)} reads it as {day}" for form, day in fitting.items()]
    ways = ways[:1] if ISO in fitting else ways  # not %Y-%m-%d besides
    if not ways and not any(map(str.isdigit, text)):
        ways = [f"--null {quote(shown(text))} reads it as missing"]
    return f" ({', or '.join(ways)})" if ways else ""


def _day_by(text: str, form: str) -> date | None:
    try:
        return _read_one(text, form).date()
    except (ValueError, OverflowError):
        return None
