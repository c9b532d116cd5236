"""Addresses that must not come back: asked by what creates contacts, kept by hand."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contactctl.domain.emails import email_key
from contactctl.domain.erasure import Digest, Hasher, Key, Keyring, domain_of, keyed
from contactctl.domain.errors import RefusedError, StoreError, UsageError
from contactctl.domain.run_kinds import SuppressionsRun
from contactctl.domain.text import show_safely, trim
from contactctl.operations.secrets import (
    copy_keyring,
    create_key_file,
    new_key,
    read_keyring,
    write_keyring,
)
from contactctl.operations.session import Session
from contactctl.store import erasure
from contactctl.store.addresses import id_of_key
from contactctl.store.contacts import count_of_domain
from contactctl.store.database.locks import taking_turn
from contactctl.store.runs import insert_done_run


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The latest ones, and how many there are."""

    total: int
    rows: Sequence[erasure.SuppressionRow]


@dataclass(frozen=True, slots=True)
class SuppressionChange:
    """Whether an address is suppressed now; `run` None: it was so already.

    `contacts` have an address of the domain that was suppressed.
    """

    suppressed: bool
    run: int | None
    contacts: int = 0


def suppressed_in(session: Session) -> erasure.Suppressed:
    """A function that says, within a transaction, which of some email keys are suppressed.

    StoreError when the key that made a hash is not at hand: then nobody can tell, and nothing may
    be created.
    """
    return partial(erasure.suppressed_among, keys_named=partial(_keys_in_use, session))


def read_suppressions(session: Session, limit: int) -> Suppressions:
    """The latest suppressions; no address can be read back from them."""
    with session.store.reading() as connection:
        return Suppressions(
            erasure.count_suppressions(connection), erasure.list_suppressions(connection, limit)
        )


def key_of(address: str) -> str:
    """The normalised key of an address, or of `@domain`; UsageError for what is neither."""
    try:
        return suppressible_key(address)
    except ValueError as error:
        raise UsageError(f"'{show_safely(address)}' is not an email address: {error}") from None


def suppressible_key(text: str) -> str:
    """The normalised key of an address, or of `@domain`; ValueError for what is neither."""
    bare = trim(text)
    if "@*." in bare:
        raise ValueError("each domain is suppressed by itself, a subdomain too: @mail.example.com")
    if bare.startswith("@"):
        return domain_of(email_key(f"x{bare}"))
    name, _, domain = bare.rpartition("@")
    # `*@example.org` is an address, but nobody means that one
    if not name.strip("*%") and is_readable(email_key, f"x@{domain}"):
        raise ValueError(f"a whole domain is written {domain_of(email_key(f'x@{domain}'))}")
    return email_key(bare)


def is_suppressed(session: Session, address: str) -> bool:
    """Whether this address is suppressed."""
    with session.store.reading() as connection:
        return bool(suppressed_in(session)(connection, [key_of(address)]))


def add_suppression(session: Session, address: str, *, reason: str = "") -> SuppressionChange:
    """Suppress an address that no contact has, or `@domain`; RefusedError where one has it."""
    key = key_of(address)
    with taking_turn(session.store) as connection:
        if suppressed_in(session)(connection, [key]):
            return SuppressionChange(True, None)
        if id_of_key(connection, key) is not None:
            raise RefusedError(
                "a contact has this address",
                hint="`contactctl contacts delete EMAIL` deletes it and suppresses its address",
            )
        run_id = _run_writer(session, "add", reason)(connection)
        current = key_for_hashing(session, erasure.key_ids(connection))
        erasure.add_hashes(connection, [current.hash_of(key)], run_id, session.clock())
        contacts = count_of_domain(connection, key[1:]) if key.startswith("@") else 0
    return SuppressionChange(True, run_id, contacts)


def remove_suppression(session: Session, address: str, *, reason: str = "") -> SuppressionChange:
    """Let an address be imported again; RefusedError where its whole domain is suppressed."""
    key = key_of(address)
    with taking_turn(session.store) as connection:
        if not suppressed_in(session)(connection, [key]):
            return SuppressionChange(False, None)
        run_id = _run_writer(session, "remove", reason)(connection)
        hashers = _keys_in_use(session, erasure.key_ids(connection))
        if not erasure.remove_hashes(connection, [each.hash_of(key) for each in hashers]):
            raise RefusedError(
                "the whole domain of this address is suppressed",
                hint=f"`contactctl suppressions remove {domain_of(key)}` ends that",
            )
    return SuppressionChange(False, run_id)


@dataclass(frozen=True, slots=True)
class Rotation:
    """The keys that are in the file now, the ids of those that were dropped, and the file's copy
    as it was before."""

    keyring: Keyring
    dropped: Sequence[str]
    backup: Path


def rotate_key(session: Session, *, drop: bool = False) -> Rotation:
    """Make a new key for the hashes to come.

    Old keys stay: another store may have hashes of theirs. With `drop` those go that this store
    does not use. Nobody hashes meanwhile. The file changes last but for the commit: a kill in
    between leaves the new key without a run that says so, and never a hash without its key.
    """
    path = session.settings.suppression_key_file
    with taking_turn(session.store) as connection:
        used = erasure.key_ids(connection)
        keyring = read_keyring(path)
        _require(keyring, used, session)
        rotated = keyring.rotated(new_key())
        if drop:
            rotated = rotated.without_unused(keyed(used))
        _run_writer(session, "rotate-key")(connection)
        backup = copy_keyring(path, keyring, session.clock())
        write_keyring(path, rotated)
    dropped = [key.id for key in keyring.keys if key not in rotated.keys]
    return Rotation(rotated, dropped, backup)


def require_key(session: Session) -> None:
    """Make sure, before anything is planned, that addresses can be hashed."""
    with session.store.reading() as connection:
        used = erasure.key_ids(connection)
    key_for_hashing(session, used)


def key_for_hashing(session: Session, used: Collection[str]) -> Key:
    """The current key; a new one where there is no file and nothing is suppressed yet.

    `used` are the ids of the keys of the stored hashes; StoreError when one is not at hand. Ask
    within the transaction that stores the hash, or the key may be rotated away in between.
    """
    path = session.settings.suppression_key_file
    if not keyed(used):
        create_key_file(path)
    keyring = read_keyring(path)
    _require(keyring, used, session)
    return keyring.current


def _keys_in_use(session: Session, used: Collection[str]) -> list[Hasher]:
    """What has made the stored hashes."""
    digests: list[Hasher] = [Digest(each) for each in used if each in list(Digest)]
    if not keyed(used):
        return digests
    keyring = read_keyring(session.settings.suppression_key_file)
    return [*_require(keyring, used, session), *digests]


def _require(keyring: Keyring, used: Collection[str], session: Session) -> list[Key]:
    try:
        return keyring.named(keyed(used))
    except KeyError as missing:
        raise StoreError(
            f"{session.settings.suppression_key_file} lacks the key {missing.args[0]},"
            " with which some suppressions were made",
            hint="add that key's line from your backup: key files can be joined line by line",
            code="no-suppression-key",
        ) from None


def _run_writer(session: Session, action: str, reason: str = "") -> "partial[int]":
    """What writes the run's row within a transaction, and gives its number."""
    return partial(
        insert_done_run,
        request=session.request(SuppressionsRun(action), reason=reason),
        now=session.clock(),
    )


def is_readable(parse: Callable[[str], object], text: str) -> bool:
    """Whether `parse` has no ValueError for the text."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
