"""Removing addresses from free text: diagnostics, reasons, criteria kept with runs.

An address is recognised as itself; as a link or quoted-printable text spells it
(`ann%40example.com`, `ann=40example.com`, RFC 2045 section 6.7); and inside the local part of a
bounce address: VERP (`bounce+ann=example.com@...`) and SRS (`SRS0=x=y=example.com=ann@...`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from contactctl.domain.emails import EmailAddress, email_key
from contactctl.domain.text import fold

ERASED = "[erased]"
SIGNS = ("@", "%40", "=40")  # text without any of them contains no address

# A run of local characters is read from its start, and once: time grows with the text's length.
_IN_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]"
_DOMAIN = r"[\w-]++(?:\.[\w-]++)++"
_PLAIN = re.compile(rf'({_IN_LOCAL}++)(?:"?@(?=({_DOMAIN})))?')
_ESCAPED = re.compile(rf"({_IN_LOCAL}+?)[%=]40(?=({_DOMAIN}))|{_IN_LOCAL}++")
_VERP = re.compile(rf"({_IN_LOCAL}+?)=(?:3D)?(?=({_DOMAIN})@)|{_IN_LOCAL}++")
_SRS = re.compile(rf"=({_DOMAIN})=([\w.!#$%&'*+/?^`{{|}}~-]++)(?=@)")

# Where in a run an address may start: at its start, after what separates rather than belongs to an
# address, after an escape of such a mark; and there, behind quotes and the like (group 1) too.
_STARTS = re.compile(
    r"(?:^|[=/?|!#{}`*~^$]|(?<=[%=](?:0[9AD]|2[02678CF]|3[A-F])))(?=(['&.+-]*))", re.IGNORECASE
)
_VERP_STARTS = re.compile(rf"{_STARTS.pattern}|[+-]", re.IGNORECASE)
_LONGEST_LOCAL = 3 * 64  # RFC 5321 section 4.5.3.1.1, every octet escaped

_Spans = Iterator[tuple[int, int]]


def placeholder(contact_id: int) -> str:
    """What an anonymised contact has in place of an address; no address can be equal to it."""
    return f"erased-{contact_id}"


def clues(address: EmailAddress) -> tuple[str, ...]:
    """What every text that holds the address contains in lower case, for databases to search by.

    Parts that another spelling would replace are left out, so that there may be none.
    """
    given_local, key_local = (each.rpartition("@")[0] for each in (address.email, address.key))
    parts = re.split(r"[^a-z0-9._-]+", key_local) if given_local.isascii() else [""]
    labels = address.domain.split(".")
    as_given = [label for label in labels if not label.startswith("xn--")]  # RFC 5890: else A-label
    domain = address.domain if as_given == labels else max(as_given, key=len, default="")
    return tuple(part for part in (max(parts, key=len), domain) if part)


def erase_from(text: str, keys: Collection[str]) -> str:
    """The text without the addresses that have these keys, however they are spelled."""
    if not any(sign in text for sign in SIGNS):
        return text
    composed = unicodedata.normalize("NFC", text)
    left = composed
    for sign, find in _FORMS:
        if sign in left:
            left = _without(left, find(left, keys))
    return text if left == composed else left


def erase_from_json(value: Any, keys: Collection[str]) -> Any:
    """The same for every text in a JSON value, names of members included."""
    if isinstance(value, str):
        return erase_from(value, keys)
    if isinstance(value, Mapping):
        return {erase_from(key, keys): erase_from_json(each, keys) for key, each in value.items()}
    if isinstance(value, list):
        return [erase_from_json(each, keys) for each in value]
    return value


def _in_srs(text: str, keys: Collection[str]) -> _Spans:
    for match in _SRS.finditer(text):
        domain, local = match.groups()
        if _is_one_of(keys, local, domain):
            yield match.start(1), match.end(2)


def _addresses(
    form: re.Pattern[str], starts: re.Pattern[str], text: str, keys: Collection[str]
) -> _Spans:
    """Where the form is found with one of the addresses: from its local part to its domain."""
    for match in form.finditer(text):
        local, domain = match.groups()
        if domain is None:
            continue
        for start in _possible_starts(starts, local):
            if _is_one_of(keys, local[start:], domain):
                yield match.start(1) + start, match.end(2)
                break


_FORMS = (
    ("=", partial(_addresses, _VERP, _VERP_STARTS)),
    ("=", _in_srs),
    ("40", partial(_addresses, _ESCAPED, _STARTS)),
    ("@", partial(_addresses, _PLAIN, _STARTS)),
)


def _possible_starts(starts: re.Pattern[str], local: str) -> Iterator[int]:
    for match in starts.finditer(local, max(0, len(local) - _LONGEST_LOCAL)):
        yield match.end()
        if match[1]:
            yield match.end(1)


def _is_one_of(keys: Collection[str], local: str, domain: str) -> bool:
    return any(_key(f"{reading}@{domain}") in keys for reading in _readings(local))


def _readings(local: str) -> Iterator[str]:
    """The text itself, and what it says as part of a link, as quoted-printable, as xtext."""
    yield local
    for mark in "%=+":
        if mark in local:
            yield unquote(local.replace(mark, "%"))


def _key(address: str) -> str:
    try:
        return email_key(address)
    except ValueError:
        return fold(address)


def _without(text: str, spans: _Spans) -> str:
    """The text with ERASED in place of the spans, which come in order and may overlap."""
    parts, end = [], 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], ERASED]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
