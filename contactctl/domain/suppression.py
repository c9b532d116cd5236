"""Keyed hashes of erased addresses: without the key they reveal nothing, not even to guesses.

A whole domain is suppressed as `@domain`, hashed as an address is. Hashes that come in a list from
elsewhere (SHA-256 or MD5 of the address in lower case) have no key, and are kept as they are.

A keyring is a text file, one key a line in hex; the first one makes new hashes, the others are
kept to check the hashes made with them.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5, sha256
from typing import Protocol

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


class Digest(StrEnum):
    """A hash without a key, as lists from elsewhere have it; hexadecimal."""

    SHA256 = "sha256"
    MD5 = "md5"

    @property
    def id(self) -> str:
        return self.value

    def hash_of(self, email_key: str) -> str:
        """`sha256:HEX` of an address' normalised key."""
        make = sha256 if self is Digest.SHA256 else md5
        return f"{self.value}:{make(email_key.encode(), usedforsecurity=False).hexdigest()}"

    def parse(self, text: str) -> str:
        """A hash out of a list, as it is stored; ValueError for anything else."""
        digits = 64 if self is Digest.SHA256 else 32
        if re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", text) is None:
            raise ValueError(f"not {digits} hexadecimal digits, as {self.value} has")
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

    def rotated(self, new: Key, still_used: Iterable[str]) -> "Keyring":
        """`new` first, then only the keys whose ids are still used."""
        used = set(still_used)
        return Keyring((new, *(key for key in self.keys if key.id in used)))


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
