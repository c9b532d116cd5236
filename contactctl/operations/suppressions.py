"""Addresses that must not come back: asked by what creates contacts, and kept by hand."""

from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from contactctl.domain.emails import email_key
from contactctl.domain.errors import RefusedError, StoreError, UsageError
from contactctl.domain.runs import Request, RunKind
from contactctl.domain.suppression import Key, Keyring
from contactctl.operations.keyring import create_key_file, new_key, read_keyring, write_keyring
from contactctl.operations.session import Session
from contactctl.store.contacts import id_of_key
from contactctl.store.runs import insert_done_run
from contactctl.store.suppressions import (
    SuppressionRow,
    add_hashes,
    any_suppressed,
    count_suppressions,
    key_ids,
    known_hashes,
    list_suppressions,
    remove_hashes,
)

Suppressed = Callable[[Collection[str]], AbstractSet[str]]


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The latest ones, and how many there are."""

    total: int
    rows: Sequence[SuppressionRow]


@dataclass(frozen=True, slots=True)
class SuppressionChange:
    """Whether an address is suppressed now; `run` None: it was so already."""

    suppressed: bool
    run: int | None


def suppression_check(session: Session) -> Suppressed:
    """A function that says which of some email keys are suppressed at the moment of its call.

    While nothing is suppressed it hashes nothing. StoreError when the key that made a hash is not
    at hand: then nobody can tell, and nothing may be created.
    """

    def suppressed(email_keys: Collection[str]) -> AbstractSet[str]:
        with session.store.reading() as connection:
            if not any_suppressed(connection):
                return frozenset()
            keys = _keys_in_use(session, key_ids(connection))
            by_hash = {key.hash_of(each): each for each in email_keys for key in keys}
            return {by_hash[known] for known in known_hashes(connection, by_hash)}

    return suppressed


def read_suppressions(session: Session, limit: int) -> Suppressions:
    """The latest suppressions; no address can be read back from them."""
    with session.store.reading() as connection:
        return Suppressions(count_suppressions(connection), list_suppressions(connection, limit))


def key_of(address: str) -> str:
    """The normalised key of an address; UsageError for what is none."""
    try:
        return email_key(address)
    except ValueError as error:
        raise UsageError(f"no email address: {error}") from None


def is_suppressed(session: Session, address: str) -> bool:
    """Whether this address is suppressed."""
    return bool(suppression_check(session)([key_of(address)]))


def add_suppression(session: Session, address: str, *, reason: str = "") -> SuppressionChange:
    """Suppress an address that no contact has; RefusedError where one has it."""
    key = key_of(address)
    if is_suppressed(session, address):
        return SuppressionChange(True, None)
    keyring = keyring_for_writing(session)
    with session.store.writing() as connection:
        run_id = insert_done_run(
            connection,
            _request(session, "add", reason),
            identity=session.store.identity,
            now=session.clock(),
        )
        if id_of_key(connection, key) is not None:
            raise RefusedError(
                "a contact has this address",
                hint="`contactctl contacts delete EMAIL` deletes it and keeps its address out",
            )
        add_hashes(connection, [keyring.current.hash_of(key)], run_id, session.clock())
    return SuppressionChange(True, run_id)


def remove_suppression(session: Session, address: str, *, reason: str = "") -> SuppressionChange:
    """Let an address be imported again."""
    key = key_of(address)
    if not is_suppressed(session, address):
        return SuppressionChange(False, None)
    with session.store.writing() as connection:
        run_id = insert_done_run(
            connection,
            _request(session, "remove", reason),
            identity=session.store.identity,
            now=session.clock(),
        )
        keys = _keys_in_use(session, key_ids(connection))
        remove_hashes(connection, [each.hash_of(key) for each in keys])
    return SuppressionChange(False, run_id)


def rotate_key(session: Session) -> Keyring:
    """Make a new key for the hashes to come; old keys stay for as long as hashes of theirs do."""
    with session.store.writing() as connection:
        used = key_ids(connection)
        keyring = read_keyring(session.settings.suppression_key_file)
        _require(keyring, used, session)
        rotated = keyring.rotated(new_key(), used)
        insert_done_run(
            connection,
            _request(session, "rotate-key", ""),
            identity=session.store.identity,
            now=session.clock(),
        )
        write_keyring(session.settings.suppression_key_file, rotated)
    return rotated


def keyring_for_writing(session: Session) -> Keyring:
    """The keyring; made new where there is none and nothing is suppressed yet."""
    with session.store.reading() as connection:
        used = key_ids(connection)
    if not used:
        create_key_file(session.settings.suppression_key_file)
    keyring = read_keyring(session.settings.suppression_key_file)
    _require(keyring, used, session)
    return keyring


def _keys_in_use(session: Session, used: Collection[str]) -> list[Key]:
    return _require(read_keyring(session.settings.suppression_key_file), used, session)


def _require(keyring: Keyring, used: Collection[str], session: Session) -> list[Key]:
    try:
        return keyring.named(used)
    except KeyError as missing:
        raise StoreError(
            f"{session.settings.suppression_key_file} lacks the key {missing.args[0]},"
            " which some suppressions were made with",
            hint="add that key's line from your backup: key files can be joined line by line",
            code="no-suppression-key",
        ) from None


def _request(session: Session, action: str, reason: str) -> Request:
    return session.request(RunKind.SUPPRESSIONS, reason=reason, details={"action": action})
