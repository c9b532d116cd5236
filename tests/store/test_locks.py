"""Locks of a file by any of its names; turns on Postgres, where who asks for one has a snapshot."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text

from contactctl.domain.errors import BusyError
from contactctl.domain.runs import SkipReason
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive, serialise
from contactctl.store.database.store import Store, open_store
from contactctl.store.plans import BatchWork
from contactctl.store.run_steps import apply_batch
from helpers.contacts import seed_contacts
from helpers.meanwhile import change_phone
from helpers.plans import started
from helpers.sessions import NOW, make_session

_WAITING_FOR_TURN = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def both(postgres_url: str) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores on one database of 20 contacts."""
    with closing(open_store(postgres_url)) as one, closing(open_store(postgres_url)) as other:
        seed_contacts(one, 20)
        yield one, other


def test_a_batch_sees_what_was_committed_while_it_waited_for_its_turn(
    both: tuple[Store, Store],
) -> None:
    store, other = both
    run = started(make_session(store), "id <= 2")

    with ThreadPoolExecutor() as threads:
        with other.writing() as connection:
            serialise(connection)
            batch = threads.submit(apply_batch, store, run, 100, NOW)
            _wait_until_somebody_waits(other)
            change_phone(connection, 1)
        after = batch.result()

    assert after is not None
    assert (after.changed, dict(after.skipped)) == (1, {SkipReason.CHANGED: 1})


def test_a_batch_that_fails_gives_its_turn_back(both: tuple[Store, Store]) -> None:
    store, other = both
    run = started(make_session(store), "id <= 2")

    with pytest.raises(ZeroDivisionError):
        apply_batch(store, run, 100, NOW, BatchWork(None, lambda *_: 1 // 0, ()))

    with other.writing() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        serialise(connection)


def test_a_file_has_one_lock_by_whatever_name(sqlite_url: str, tmp_path: Path) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    link = tmp_path / "link.db"
    link.symlink_to(file)
    with (
        closing(open_store(sqlite_url)) as store,
        closing(open_store(f"sqlite:///{link}")) as linked,
        exclusive(store, CONTACT_CHANGES),
        pytest.raises(BusyError),
        exclusive(linked, CONTACT_CHANGES),
    ):
        pass


def _wait_until_somebody_waits(store: Store) -> None:
    tick = Event()
    with store.reading() as connection:
        while not connection.execute(text(_WAITING_FOR_TURN)).scalar_one():
            tick.wait(0.01)
