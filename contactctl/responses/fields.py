"""Hostile values of payloads and tables -> text, addresses, instants and keys. Nothing raises."""

import hashlib
import re
from datetime import UTC, datetime, tzinfo
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii

from contactctl.responses.data import read_data

MAX_TEXT_CHARACTERS = 2_000
MAX_KEY_CHARACTERS = 200
# U+FFFD stands for what could not be read
_ADDRESS = re.compile(
    r"[^\0- \x7f<>,;\ud800-\udfff\ufffd]{1,255}@[^\0- \x7f<>,;@\ud800-\udfff\ufffd]{1,255}"
)
_PLAIN_ADDRESS = re.compile(r"[\w.+-]{1,255}@[\w.-]{1,255}")
# by links, by Exchange, by spreadsheets, and in quotes
_WRAPPED = re.compile(r"(?i:mailto|smtp):(.*)|=?\"(.*)\"|'(.*)'", re.DOTALL)
_MAIL_DATE = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d")
_NO_TIME = re.compile(r"0001-01-01|[0: T.Z-]*\Z")  # of .NET and Go, of MySQL
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def text_of(value: object) -> str:
    """A string or whole number as trimmed text of at most 2,000 characters, else "".

    NUL and lone surrogates, which no database takes, become U+FFFD.
    """
    if isinstance(value, str):
        if len(value) <= MAX_TEXT_CHARACTERS and value.isascii() and "\0" not in value:
            return value.strip()
        return _storable(value[:MAX_TEXT_CHARACTERS].strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:MAX_TEXT_CHARACTERS]
    return ""


def address_of(value: object) -> str:
    """The email address in a value, without display name and brackets; "" where there is none."""
    if isinstance(value, str) and _PLAIN_ADDRESS.fullmatch(value):
        return value
    text = text_of(value)
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1] or wrapped[2] or wrapped[3] or ""
    if _ADDRESS.fullmatch(text):
        return text
    in_brackets = re.search(r"<([^<>]*)>\s*\Z", text)
    if in_brackets and _ADDRESS.fullmatch(in_brackets[1].strip()):
        return in_brackets[1].strip()
    return ""


def instant_of(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Seconds, milli-, micro- or nanoseconds since 1970, ISO 8601 or a mail's date, as aware UTC.

    Text without an offset is of `zone`. None where the value is unreadable or outside 2000 to 2099.
    An object of one value is that value, as MongoDB writes `{"$date": ...}`.
    """
    while isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, (int, float)):
        return _instant_of_number(value)
    return _instant_of_text(value.strip(), zone) if isinstance(value, str) else None


def instant_in_format(value: object, date_format: str, zone: tzinfo = UTC) -> datetime | None:
    """A text in a strptime format as aware UTC; without an offset it is of `zone`."""
    try:
        found = datetime.strptime(text_of(value), date_format)  # noqa: DTZ007 - see below
        aware = found.replace(tzinfo=zone) if found.tzinfo is None else found
        return instant_of(aware.astimezone(UTC).isoformat())
    except (ValueError, OverflowError):
        return None


def says_a_time(value: object) -> bool:
    """Whether a value stands for a time: not empty, nor zeros, which programs write for none."""
    return bool(value) and not (isinstance(value, str) and _NO_TIME.match(value.strip()))


def addresses_of(value: object) -> list[str]:
    """The addresses of a header such as `To: Ane <a@b.no>, c@d.no`."""
    text = text_of(value)
    if "," not in text:
        return []
    return [address for _, found in getaddresses([text]) if (address := address_of(found))]


def event_key(provider: str, identifier: object, *distinguishing: object) -> str:
    """`provider:identifier`; where there is no fit identifier, a digest of what distinguishes.

    A part of the identifier (between colons) that holds an address is kept as its digest: keys stay
    when addresses are erased, and must be the same when the event is read again.
    """
    text = _without_addresses(text_of(identifier))
    if text and len(text) <= MAX_KEY_CHARACTERS:
        return f"{provider}:{text}"
    parts = [
        part.isoformat() if isinstance(part, datetime) else text_of(part).lower()
        for part in (identifier, *distinguishing)
    ]
    return f"{provider}:{_digest(parts)}"


def _without_addresses(identifier: str) -> str:
    if "@" not in identifier:
        return identifier
    return ":".join(_digest([part]) if "@" in part else part for part in identifier.split(":"))


def _digest(parts: list[str]) -> str:
    """Of the JSON of the parts, written as json.dumps does, in a quarter of its time."""
    array = f"[{', '.join(map(encode_basestring_ascii, parts))}]"
    return hashlib.blake2b(array.encode(), digest_size=16).hexdigest()


def _storable(text: str) -> str:
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _instant_of_text(text: str, zone: tzinfo) -> datetime | None:
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) > 8:
        return _instant_of_number(float(text))
    try:
        parsed = _parsed(text)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone)
        aware = parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)
        in_range = _EARLIEST <= aware.timestamp() < _LATEST
    except (ValueError, OverflowError):
        return None
    return aware if in_range else None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        if not _MAIL_DATE.match(text):
            raise
    return parsedate_to_datetime(text)


def _instant_of_number(number: float) -> datetime | None:
    if _EARLIEST <= number < _LATEST:
        return datetime.fromtimestamp(number, UTC)
    for units_a_second in (1_000, 1_000_000, 1_000_000_000):
        if _EARLIEST * units_a_second <= number < _LATEST * units_a_second:
            return datetime.fromtimestamp(number / units_a_second, UTC)
    return None


@lru_cache(4096)
def is_machine(user_agent: str) -> bool:
    """Whether who opened or clicked is a proxy or a scanner that calls itself so (`machines.yaml`).
    An empty text says nothing: False."""
    known, agent = read_data("machines.yaml"), user_agent.strip().lower()
    return agent in known["exactly"] or any(part in agent for part in known["containing"])
