"""Erased from the files too: no page of SQLite's, old or new, holds the address."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from contactctl.domain.emails import parse_email
from contactctl.domain.errors import BusyError
from contactctl.domain.run_kinds import DeleteRun, ErasingRun
from contactctl.domain.runs import Confirmation, Run, RunState
from contactctl.domain.waits import Waits
from contactctl.operations.contacts import standing_of
from contactctl.operations.erasure import erase_one, plan_erasing
from contactctl.operations.run_work import work_for
from contactctl.operations.runs import cancel_run, read_run
from contactctl.operations.session import Session
from contactctl.operations.sweep import SweepPart, sweep
from contactctl.store import tables
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.store import Store, open_store
from contactctl.store.erasure import clean_up, needs_clean_up
from contactctl.store.run_steps import apply_batch
from contactctl.store.scrubbing import may_hold_any
from helpers.contacts import seed_contacts
from helpers.erased import ADDRESS, KEY, KINDS, fill, selection_of
from helpers.handled import add_deactivated, statuses
from helpers.sessions import NOW, make_role_session

SOON = Waits(locks_s=0.2)  # how long to wait for a reader


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    return make_role_session(store, suppression_key_file=tmp_path / "keys" / "suppression.key")


def files_holding(folder: Path, words: bytes) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and words in path.read_bytes().lower()
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_of_any_file_holds_the_address(
    sqlite_url: str, tmp_path: Path, kind: type[ErasingRun]
) -> None:
    store = open_store(sqlite_url)
    with store.engine.connect() as connection:  # some builds of SQLite have it on by themselves
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    seed_contacts(store, 500)
    ann, bob = fill(store)
    with store.writing() as connection:  # leave copies of it in free pages
        connection.execute(text("DELETE FROM contact WHERE id BETWEEN 50 AND 400"))
        connection.execute(text("DELETE FROM contact_email WHERE contact_id = :id"), {"id": bob})
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": bob})
        for number in range(200):
            name = f"{'x' * number}"
            connection.execute(
                text("UPDATE contact SET first_name = :n WHERE id = :id"), {"n": name, "id": ann}
            )
    assert files_holding(tmp_path, KEY.encode())
    session = make_role_session(store, suppression_key_file=tmp_path / "key")

    erase_one(session, kind, standing_of(session, str(ann)))

    assert files_holding(tmp_path, KEY.encode()) == []  # while the store is open still
    assert files_holding(tmp_path, b"ann.secret") == []
    store.close()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (b"<ANN.Secret@Mail.example.com>", True),
        (b"bounce+ann.secret=mail.example.com@lists.example", True),
        (b"?who=ann.secret%40mail.example.com", True),
        (b"ann.secret=40mail.example.com", True),
        (b"SRS0=x=y=mail.example.com=ann.secret@relay.example", True),
        (b"ann.secret ann.secret@example.org ann.secret", False),
        (b"ann.ann.secret@mail.example.com", True),  # rather once too often
        (b"", False),
    ],
)
def test_old_pages_are_searched_for_an_address_in_every_spelling(
    tmp_path: Path, text: bytes, *, holds: bool
) -> None:
    path, size = tmp_path / "pages", 512
    first = (b"\0" * 16 + size.to_bytes(2)).ljust(size, b"\0")
    leaf = b"\x0d" + (0).to_bytes(2) + (1).to_bytes(2) + (300).to_bytes(2) + b"\0" * 5
    with_free_block = leaf[:1] + (400).to_bytes(2) + leaf[3:]
    free_block = (0).to_bytes(2) + (100).to_bytes(2) + text
    for page, is_searched in (
        (b"\0" * 8 + text, True),  # of no b-tree
        ((leaf + text).ljust(300), True),  # before the cells
        (leaf.ljust(300) + text, False),  # a cell, and so of a row
        (with_free_block.ljust(400) + free_block, True),
        (with_free_block.ljust(300) + text.ljust(100) + free_block[:4], False),
        ((leaf[:5] + b"\0\0" + leaf[7:] + text), True),  # no cell: they start at 65,536
    ):
        path.write_bytes(first + page.ljust(size, b"\0") + leaf.ljust(size, b"\0"))
        assert may_hold_any(path, [parse_email(ADDRESS)]) is (holds and is_searched), page


def test_what_no_page_holds_any_more_needs_no_rewriting(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    ann = add_deactivated(store, ADDRESS)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    statements: list[str] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda *args: statements.append(str(args[2]))
    )

    erase_one(session, DeleteRun, standing_of(session, str(ann)))

    assert not any("VACUUM" in statement for statement in statements)
    assert not needs_clean_up(store)
    assert files_holding(tmp_path, KEY.encode()) == []
    store.close()


def test_who_reads_meanwhile_makes_the_run_wait_for_its_end(
    sqlite_url: str, tmp_path: Path
) -> None:
    store, reader = open_store(sqlite_url, SOON), open_store(sqlite_url)
    ann = add_deactivated(store, ADDRESS)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    with reader.reading() as reading:
        reading.execute(select(tables.contact)).all()
        with pytest.raises(BusyError, match="write-ahead log"):
            erase_one(session, DeleteRun, standing_of(session, str(ann)))
        assert statuses(store) == {}
    reader.close()

    assert len(sweep(session, [SweepPart.RUNS]).finished) == 1
    assert files_holding(tmp_path, KEY.encode()) == []
    store.close()


@pytest.fixture
def half_erased(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Session, Run]]:
    """A run whose first batch has erased Ann, of whom the file keeps old copies, and no more."""
    store = open_store(sqlite_url, SOON)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    ann = add_deactivated(store, ADDRESS)
    seed_contacts(store, 200, after=ann)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    selection = selection_of(session, "id <= 10")
    run = plan_erasing(session, DeleteRun, selection, said=Confirmation(10, 10))
    assert run is not None
    apply_batch(store, run, 3, NOW, work_for(session, run))
    assert files_holding(tmp_path, KEY.encode())
    yield session, run
    store.close()


def test_a_cancelled_erasure_leaves_no_byte_of_what_it_has_erased(
    half_erased: tuple[Session, Run], tmp_path: Path
) -> None:
    session, run = half_erased
    session.settings.suppression_key_file.unlink()  # which cancelling does not need

    cancelled = cancel_run(session, run.id)

    assert (cancelled.state, cancelled.changed) == (RunState.CANCELLED, 3)
    assert len(statuses(session.store)) == 198
    assert files_holding(tmp_path, KEY.encode()) == []


def test_a_cancelled_erasure_is_not_cleaned_up_beside_another_one(
    half_erased: tuple[Session, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file would be marked clean although the other one had just left old pages."""
    session, run = half_erased
    monkeypatch.setattr("contactctl.operations.runs.FOR_LOCKS_S", 0)
    with (
        exclusive(session.store, CONTACT_CHANGES),
        pytest.raises(BusyError, match="cancelled, but") as busy,
    ):
        cancel_run(session, run.id)
    assert "sweep runs" in busy.value.hint
    assert read_run(session, run.id).state is RunState.CANCELLED
    assert needs_clean_up(session.store)

    assert sweep(session, [SweepPart.RUNS]).problems == ()
    assert files_holding(tmp_path, KEY.encode()) == []


def test_what_a_reader_kept_from_being_cleaned_up_the_next_sweep_cleans_up(
    half_erased: tuple[Session, Run], sqlite_url: str, tmp_path: Path
) -> None:
    session, run = half_erased
    with closing(open_store(sqlite_url)) as reader, reader.reading() as reading:
        reading.execute(select(tables.contact)).all()
        with pytest.raises(BusyError, match="write-ahead log") as busy:
            cancel_run(session, run.id)
    assert "sweep runs" in busy.value.hint
    assert read_run(session, run.id).state is RunState.CANCELLED

    assert sweep(session, [SweepPart.RUNS]).problems == ()
    assert files_holding(tmp_path, KEY.encode()) == []


def test_a_clean_store_is_not_rewritten(half_erased: tuple[Session, Run]) -> None:
    session, run = half_erased
    cancel_run(session, run.id)
    assert session.store.path is not None
    before = session.store.path.stat()

    assert not needs_clean_up(session.store)
    clean_up(session.store)

    assert session.store.path.stat().st_mtime_ns == before.st_mtime_ns
