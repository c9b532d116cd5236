"""Single values: each function returns the value, or raises ValueError saying what it must be.

Numbers and booleans are accepted as text too, since environment variables have nothing else.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.criteria.values import parse_duration
from contactctl.domain.policies import LARGEST_COUNT, DailyLimit
from contactctl.domain.sources import EXAMPLE, is_template
from contactctl.domain.text import show_safely

EnumT = TypeVar("EnumT", bound=StrEnum)

_MAX_PRICE = 10**10
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(?:per|/|a) ?(second|minute|hour)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
# what a shell or a template should have filled in
_UNFILLED = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|<%.*?%>|(?:(?<=/)|\A)\$[A-Za-z_]\w*")
_BOOLEANS = {"true": True, "false": False}


def text(value: Any) -> str:
    """Text that is not empty and has no control characters."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"must be text, not {quoted(value)}")
    return value


def require_filled_in(text: str) -> None:
    """ValueError for a text with a placeholder: the config knows none."""
    if found := _UNFILLED.search(text):
        raise ValueError(f"holds {quoted(found[0])}, which nothing fills in: write it out")


def absolute_path(value: Any, folder: Path) -> Path:
    """A path; a relative one starts from `folder`, `~` is the home folder."""
    require_filled_in(text(value))
    try:
        return (folder / Path(text(value)).expanduser()).absolute()
    except RuntimeError:
        raise ValueError("must be a path; the home folder of '~' is unknown") from None


def boolean(value: Any) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise ValueError(f"must be true or false, not {quoted(value)}")


def whole_number(minimum: int) -> Callable[[Any], int]:
    """Whole numbers from `minimum` to LARGEST_COUNT."""

    def parse(value: Any) -> int:
        number = _decimal(value)
        bound = f"at least {minimum}"
        if number is not None and number > LARGEST_COUNT:
            number, bound = None, f"at most {LARGEST_COUNT}"
        if number is None or number < minimum or number != int(number):
            raise ValueError(f"must be a whole number of {bound}, not {quoted(value)}")
        return int(number)

    return parse


def percentage(value: Any) -> Decimal:
    """0 to 100, also written as `25%`."""
    said = value.removesuffix("%").rstrip() if isinstance(value, str) else value
    return _up_to(100, said, f"must be a percentage from 0 to 100, not {quoted(value)}")


def daily_limit(value: Any) -> DailyLimit:
    """A number of contacts, or a share of the active ones: `500`, `25%`."""
    if isinstance(value, str) and value.endswith("%"):
        return DailyLimit(max_percent=percentage(value))
    try:
        return DailyLimit(max_contacts=whole_number(0)(value))
    except ValueError as error:
        raise ValueError(
            f"must be a number of contacts or a share such as 25%, not {quoted(value)}"
        ) from error


def price(value: Any) -> Decimal:
    """A price of 0 or more."""
    return _up_to(_MAX_PRICE, value, f"must be a price of 0 or more, not {quoted(value)}")


def duration(value: Any) -> timedelta:
    """A number of hours, days or weeks."""
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        problem = "must be a duration such as 24 hours, 30 days or 2 weeks"
        raise ValueError(f"{problem}, not {quoted(value)}") from None


def rate(value: Any) -> float:
    """How many a second at most: `10 per second`, `90 per minute`, `3600 per hour`."""
    found = _RATE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None or not float(found[1]):
        raise ValueError(
            f"must be a rate such as 10 per second or 90 per minute, not {quoted(value)}"
        )
    return float(found[1]) / _SECONDS[found[2]]


def one_of(choices: type[EnumT]) -> Callable[[Any], EnumT]:
    """One of an enumeration's values."""

    def parse(value: Any) -> EnumT:
        known = [choice.value for choice in choices]
        if value not in known:
            close = did_you_mean(value, known) if isinstance(value, str) else ""
            problem = f"must be one of {', '.join(known)}, not {quoted(value)}"
            raise ValueError(f"{problem}: {close}" if close else problem)
        return choices(value)

    return parse


def form_of(pattern: str, what: str, *, cited: bool = True) -> Callable[[Any], str]:
    """Text that has this form as a whole; `cited`: errors may repeat it, as it is not secret."""
    form = re.compile(pattern)

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable() or not form.fullmatch(value):
            raise ValueError(f"must be {what}" + (f", not {quoted(value)}" if cited else ""))
        return value

    return parse


currency = form_of(r"[A-Z]{3}", "a currency code such as USD")  # ISO 4217
header_name = form_of(  # RFC 5322, 2.2
    r"[!-9;-~]{1,100}", "a header field's name such as X-ListMember"
)
environment_name = form_of(
    r"[A-Za-z_][A-Za-z0-9_]*",
    "the name of an environment variable (not the password itself)",
    cited=False,
)
web_address = form_of(
    r"https?://[^\s/@?#]+(?:[/?#]\S*)?",
    "a URL such as https://example.com/ping/1234, without a password",
    cited=False,
)


def time_zone(value: Any) -> str:
    """The name of a time zone that exists here."""
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - only when one is set

    try:
        return ZoneInfo(text(value)).key
    except (KeyError, ValueError, OSError):
        known = {name.casefold(): name for name in sorted(available_timezones())}
        close = get_close_matches(str(value).casefold(), known, n=1)
        problem = f"must be a time zone such as Europe/Oslo, not {quoted(value)}"
        suggestion = f": did you mean '{known[close[0]]}'?" if close else ""
        raise ValueError(problem + suggestion) from None


def verp_pattern(value: Any) -> str:
    """The return address of sent mails, which contains the recipient's parts."""
    if not isinstance(value, str) or not is_template(value):
        raise ValueError(f"must be an address pattern such as {EXAMPLE}, not {quoted(value)}")
    return value


def quoted(value: Any) -> str:
    """A value in an error message: short, and never a whole section."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return f"{str(value).lower()} (quote it if it is text)"
    return f"'{show_safely(str(value)[:60])}'"


def _up_to(most: int, value: Any, problem: str) -> Decimal:
    number = _decimal(value)
    if number is None or not 0 <= number <= most:
        raise ValueError(problem)
    return number


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
