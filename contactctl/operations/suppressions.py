"""Addresses that must not come back: asked by what creates contacts, kept by hand or by lists."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from contactctl.domain.emails import email_key
from contactctl.domain.erasure import Digest, Hasher, Key, Keyring, domain_of, keyed
from contactctl.domain.errors import RefusedError, StoreError, UsageError
from contactctl.domain.run_kinds import SuppressionsRun
from contactctl.domain.text import show_safely, trim
from contactctl.operations.address_lists import ListedLine, read_list
from contactctl.operations.importing.options import Reject, Rejects
from contactctl.operations.importing.source import open_source
from contactctl.operations.secrets import (
    copy_keyring,
    create_key_file,
    new_key,
    read_keyring,
    write_keyring,
)
from contactctl.operations.session import Session
from contactctl.store import erasure
from contactctl.store.addresses import id_of_key, ids_of_keys
from contactctl.store.contacts import count_of_domain, keys_after
from contactctl.store.database.locks import serialise, taking_turn
from contactctl.store.runs import insert_done_run, update_run


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
    if not name.strip("*%") and _fits(email_key, f"x@{domain}"):
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


# Whole lists of addresses, or of their hashes, that must not come in


_BATCH = 10_000
_TAKEN = "a contact has this address (`contactctl contacts delete` deletes it, and keeps it out)"

Parse = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ListInput:
    """A file, or None for `stdin`. `digest`: it holds such hashes, not addresses."""

    path: Path | None
    stdin: BinaryIO
    digest: Digest | None = None
    column: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8-sig"
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class ListResult:
    """Row by row: suppressed, unchanged (it was already) or rejected.

    `contacts` have an address whose hash or domain is suppressed now, and stay as they are.
    """

    run: int
    suppressed: int = 0
    unchanged: int = 0
    rejected: int = 0
    contacts: int = 0


def suppress_list(
    session: Session, given: ListInput, rejects: Rejects, *, reason: str = ""
) -> ListResult:
    """Suppress every address, `@domain` or hash of the file, all in one transaction.

    Rejected are what is none of these, and addresses that contacts have: to keep those out, the
    contacts must be deleted. InputError, and nothing is changed, when the file cannot be used.
    """
    parse = given.digest.parse if given.digest else suppressible_key
    with (
        open_source(given.path, given.stdin, given.encoding, given.sheet) as source,
        session.store.writing() as connection,
    ):
        serialise(connection)
        rejects.begin(["address"])
        listed = read_list(source, given.column, given.delimiter, partial(_fits, parse))
        request = session.request(SuppressionsRun("import", file=source.name), reason=reason)
        run_id = insert_done_run(connection, request, session.clock())
        result, may_hit_contacts = ListResult(run_id), given.digest is not None
        while batch := list(islice(listed, _BATCH)):
            lines, bad = _readable(batch, parse)
            if given.digest:
                hashes = lines.keys() - erasure.known_hashes(connection, lines)
            else:
                taken = ids_of_keys(connection, lines)
                bad += [Reject(lines.pop(key), _TAKEN, (key,)) for key in taken]
                may_hit_contacts = may_hit_contacts or any(key[0] == "@" for key in lines)
                new = lines.keys() - suppressed_in(session)(connection, lines)
                key_now = key_for_hashing(session, erasure.key_ids(connection))
                hashes = {key_now.hash_of(each) for each in new}
            erasure.add_hashes(connection, sorted(hashes), run_id, session.clock())
            for reject in sorted(bad, key=lambda reject: reject.line):
                rejects.add(reject)
            result = replace(
                result,
                suppressed=result.suppressed + len(hashes),
                unchanged=result.unchanged + len(batch) - len(bad) - len(hashes),
                rejected=result.rejected + len(bad),
            )
        if may_hit_contacts:
            last_id = 0
            while found := keys_after(connection, last_id, _BATCH):
                last_id = found[-1][0]
                hit = suppressed_in(session)(connection, [key for _, key in found])
                result = replace(result, contacts=result.contacts + len(hit))
        totals = {"planned": result.suppressed + result.unchanged, "changed": result.suppressed}
        update_run(connection, run_id, totals)
    return result


def _fits(parse: Parse, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _readable(batch: Sequence[ListedLine], parse: Parse) -> tuple[dict[str, int], list[Reject]]:
    """What the rows hold, each once with its first line, and the rows that hold nothing usable."""
    lines: dict[str, int] = {}
    rejects = []
    for line, text in batch:
        try:
            lines.setdefault(parse(text), line)
        except ValueError as error:
            rejects.append(Reject(line, str(error), (text,)))
    return lines, rejects
