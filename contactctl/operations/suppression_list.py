"""Whole lists of addresses, or of their hashes, that must not come in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from contactctl.domain.run_kinds import SuppressionsRun
from contactctl.domain.suppression import Digest
from contactctl.operations.importing.address_list import Listed, read_list
from contactctl.operations.importing.options import Reject, Rejects
from contactctl.operations.importing.source import open_source
from contactctl.operations.session import Session
from contactctl.operations.suppressions import key_for_hashing, suppressed_in, suppressible_key
from contactctl.store.contacts import keys_after, known_keys
from contactctl.store.locks import serialise
from contactctl.store.runs import CONTACT_CHANGES, insert_done_run, update_run
from contactctl.store.suppressions import add_hashes, key_ids, known_hashes

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
        open_source(given.path, given.stdin, given.encoding) as source,
        session.store.writing() as connection,
    ):
        serialise(connection, CONTACT_CHANGES)
        rejects.begin(["address"])
        listed = read_list(source, given.column, given.delimiter, partial(_fits, parse))
        request = session.request(SuppressionsRun("import", file=source.name), reason=reason)
        run_id = insert_done_run(
            connection, request, identity=session.store.identity, now=session.clock()
        )
        result, may_hit_contacts = ListResult(run_id), given.digest is not None
        while batch := list(islice(listed, _BATCH)):
            lines, bad = _readable(batch, parse)
            if given.digest:
                hashes = lines.keys() - known_hashes(connection, lines)
            else:
                taken = known_keys(connection, lines)
                bad += [Reject(lines.pop(key), _TAKEN, (key,)) for key in taken]
                may_hit_contacts = may_hit_contacts or any(key[0] == "@" for key in lines)
                new = lines.keys() - suppressed_in(session)(connection, lines)
                key_now = key_for_hashing(session, key_ids(connection))
                hashes = {key_now.hash_of(each) for each in new}
            add_hashes(connection, sorted(hashes), run_id, session.clock())
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


def _readable(batch: Sequence[Listed], parse: Parse) -> tuple[dict[str, int], list[Reject]]:
    """What the rows hold, each once with its first line, and the rows that hold nothing usable."""
    lines: dict[str, int] = {}
    rejects = []
    for line, text in batch:
        try:
            lines.setdefault(parse(text), line)
        except ValueError as error:
            rejects.append(Reject(line, str(error), (text,)))
    return lines, rejects
