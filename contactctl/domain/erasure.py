"""What erasing means: addresses out of free text, and keyed hashes of erased ones.

An address is recognised as itself; as a link or quoted-printable text spells it
(`ann%40example.com`, `ann=40example.com`, RFC 2045 section 6.7); and inside the local part of a
bounce address: VERP (`bounce+ann=example.com@...`) and SRS (`SRS0=x=y=example.com=ann@...`).
"""

import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from hashlib import md5, sha256
from itertools import pairwise
from typing import Any, Protocol
from urllib.parse import unquote

from contactctl.domain.emails import EmailAddress, key_or_folded
from contactctl.domain.errors import UsageError

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


_PLAIN_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_APART = frozenset(("", *" \t\r\n<>()[],;:"))  # in no address, so that one ends there


def mentions_others(text: str, key: str) -> bool:
    """Whether something like an address is in the text besides the one that has this key.

    That one is told from others only where it stands by itself.
    """
    if not _has_sign(text):
        return False
    if not text.isascii() or _PLAIN_KEY.fullmatch(key) is None:
        return True
    parts = text.lower().split(key)
    for part in parts:
        if _has_sign(part):
            return True
    for before, behind in pairwise(parts):
        stands_apart = behind[:1] in _APART or behind[:2].rstrip() == "."
        if before[-1:] not in _APART or not stands_apart:
            return True
    return False


def _has_sign(text: str) -> bool:
    return "@" in text or "%40" in text or "=40" in text  # half the time of a loop over SIGNS


def erase_from(text: str, keys: Collection[str]) -> str:
    """The text without the addresses that have these keys, however they are spelled."""
    if not _has_sign(text):
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
    return any(key_or_folded(f"{reading}@{domain}") in keys for reading in _readings(local))


def _readings(local: str) -> Iterator[str]:
    """The text itself, and what it says as part of a link, as quoted-printable, as xtext."""
    yield local
    for mark in "%=+":
        if mark in local:
            yield unquote(local.replace(mark, "%"))


def _without(text: str, spans: _Spans) -> str:
    """The text with ERASED in place of the spans, which come in order and may overlap."""
    parts, end = [], 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], ERASED]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


# Keyed hashes of erased addresses: without the key they reveal nothing, not even to guesses


KEY_BYTES = 32
_ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Key:
    """One secret. `id` names it in the hashes that it makes, and tells nothing about it."""

    secret: bytes

    @property
    def id(self) -> str:
        return sha256(b"contactctl suppression key" + self.secret).hexdigest()[:_ID_LENGTH]

    def hash_of(self, email_key: str) -> str:
        """`key id:HMAC-SHA-256` (RFC 2104) of an address' normalised key."""
        return f"{self.id}:{hmac.digest(self.secret, email_key.encode(), 'sha256').hex()}"


class Hasher(Protocol):
    """What makes the stored hashes: a key, or a digest without one."""

    @property
    def id(self) -> str: ...

    def hash_of(self, email_key: str) -> str: ...


_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")


class Digest(StrEnum):
    """A hash without a key, as lists from elsewhere have it; hexadecimal."""

    SHA256 = "sha256"
    MD5 = "md5"

    @property
    def id(self) -> str:
        return self.value

    @property
    def digits(self) -> int:
        return 64 if self is Digest.SHA256 else 32

    def hash_of(self, email_key: str) -> str:
        """`sha256:HEX` of an address' normalised key."""
        make = sha256 if self is Digest.SHA256 else md5
        return f"{self.value}:{make(email_key.encode(), usedforsecurity=False).hexdigest()}"

    def parse(self, text: str) -> str:
        """A hash out of a list, as it is stored.

        UsageError for a hash of the other kind, ValueError for anything else.
        """
        other = Digest.MD5 if self is Digest.SHA256 else Digest.SHA256
        if len(text) == other.digits and _HEXADECIMAL.fullmatch(text):
            raise UsageError(
                f"'{text}' is as long as a hash by {other.value}, not by {self.value}",
                hint=f"--{other.value} is for a file of such hashes; one file has one kind",
            )
        if len(text) != self.digits or not _HEXADECIMAL.fullmatch(text):
            raise ValueError(f"not {self.digits} hexadecimal digits, as {self.value} has")
        return f"{self.value}:{text.lower()}"


def keyed(hasher_ids: Iterable[str]) -> list[str]:
    """Those of the ids that are a key's."""
    return [each for each in hasher_ids if each not in list(Digest)]


def domain_of(email_key: str) -> str:
    """`@example.com`, by which a whole domain is suppressed."""
    return f"@{email_key.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys, the current one first; never empty."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[0]

    def named(self, key_ids: Iterable[str]) -> list[Key]:
        """The keys of these ids; KeyError names one that is not here."""
        by_id = {key.id: key for key in self.keys}
        return [by_id[key_id] for key_id in key_ids]

    def rotated(self, new: Key) -> "Keyring":
        """`new` first, then all others: another store may have hashes of theirs."""
        return Keyring((new, *self.keys))

    def without_unused(self, still_used: Iterable[str]) -> "Keyring":
        """The current key, and those whose ids are still used."""
        used = {self.current.id, *still_used}
        return Keyring(tuple(key for key in self.keys if key.id in used))


def key_id_of(key_hash: str) -> str:
    """The id of the key that made a hash."""
    return key_hash.partition(":")[0]


def parse_keyring(text: str) -> Keyring:
    """The keys of a key file; ValueError if it contains anything else, or nothing."""
    lines = [line.strip() for line in text.splitlines()]
    secrets = [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]
    if not secrets:
        raise ValueError("it contains no key")
    if any(len(secret) != KEY_BYTES for secret in secrets):
        raise ValueError(f"a key is {KEY_BYTES * 2} hexadecimal digits long")
    return Keyring(tuple(Key(secret) for secret in secrets))


def format_keyring(keyring: Keyring) -> str:
    """As `parse_keyring` reads it."""
    lines = [
        "# The keys of contactctl's suppressions, the current one first. Keep this file secret,",
        "# apart from the database, and back it up: without it suppressions cannot be checked.",
        *(key.secret.hex() for key in keyring.keys),
    ]
    return "\n".join(lines) + "\n"
