"""Erasing while others create contacts, record responses or change the key: nothing slips by."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event as Moment
from typing import Any

import pytest
from sqlalchemy import select, text

from contactctl.domain.errors import RefusedError, RejectedError
from contactctl.domain.responses import Category, Event, Rejection, Response
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.domain.runs import Confirmation
from contactctl.operations import editing as add_module
from contactctl.operations import erasure as erasure_module
from contactctl.operations.contacts import standing_of
from contactctl.operations.criteria import CriteriaSource
from contactctl.operations.editing import add_contact as add_by_hand
from contactctl.operations.erasure import erase_one, plan_erasing
from contactctl.operations.importing import load as import_module
from contactctl.operations.plans import select_any
from contactctl.operations.run_work import work_for
from contactctl.operations.runs import resume_run
from contactctl.operations.session import Session
from contactctl.operations.suppressions import add_suppression, is_suppressed, rotate_key
from contactctl.store import tables
from contactctl.store.database.locks import serialise
from contactctl.store.database.store import Store, open_store
from contactctl.store.run_steps import apply_batch
from helpers.contacts import add_contact, seed_contacts
from helpers.dumps import dump
from helpers.handled import add_response
from helpers.imports import import_text
from helpers.ingested import ingest
from helpers.sessions import NOW, make_role_session

ANN, BOB = "ann@example.com", "bob@example.com"
UPDATE = f"email,phone\n{ANN},555\n"
_SECONDS = 60


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    return make_role_session(store, suppression_key_file=tmp_path / "key")


@pytest.fixture
def others(store_url: str, tmp_path: Path) -> Iterator[Session]:
    """Somebody else's session on the same store."""
    with closing(open_store(store_url)) as store:
        yield make_role_session(store, suppression_key_file=tmp_path / "key")


@pytest.fixture
def at_once() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def add(store: Store, *emails: str) -> list[int]:
    with store.writing() as connection:
        return [add_contact(connection, email) for email in emails]


def erase(session: Session, email: str = ANN) -> None:
    erase_one(session, DeleteRun, standing_of(session, email))


def emails(store: Store) -> list[str]:
    with store.reading() as connection:
        return sorted(connection.execute(select(tables.contact.c.email)).scalars())


def followed(function: Callable[..., Any], by: Callable[[], object]) -> Callable[..., Any]:
    """The function, and what happens as soon as it has its result."""

    def wrapped(*args: Any, **values: Any) -> Any:
        result = function(*args, **values)
        by()
        return result

    return wrapped


def wait(moment: Moment) -> None:
    assert moment.wait(_SECONDS)


def wait_until_somebody_waits(store: Store) -> None:
    """On Postgres, for another transaction's turn; on SQLite nobody can see it."""
    if store.dialect == "sqlite":
        return
    waiting = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(_SECONDS * 100):
        with store.reading() as connection:
            if connection.execute(waiting).first():
                return
        Moment().wait(0.01)
    pytest.fail("nobody waits")


def test_who_is_erased_between_reading_a_batch_and_storing_it_stays_out(
    store: Store, session: Session, others: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, ANN)
    erasing = followed(import_module.convert, by=lambda: erase(others))
    monkeypatch.setattr(import_module, "convert", erasing)

    imported = import_text(session, f"email\n{ANN}\n{BOB}\n")

    assert imported.counts == (1, 0, 0, 1)
    assert emails(store) == [BOB]


def test_so_does_who_is_about_to_be_added_by_hand(
    store: Store, session: Session, others: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, ANN)
    erasing = followed(add_module.convert, by=lambda: erase(others))
    monkeypatch.setattr(add_module, "convert", erasing)

    with pytest.raises(RejectedError, match="suppressed"):
        add_by_hand(session, {"email": ANN})

    assert emails(store) == []


@pytest.fixture
def erasure_under_way(
    others: Session, at_once: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Starts to erase Ann, and returns when that is about to be committed."""
    has_hashed, may_commit = Moment(), Moment()

    def pause_in_transaction() -> None:
        has_hashed.set()
        wait(may_commit)

    def start() -> None:
        at_once.submit(erase, others)
        wait(has_hashed)
        may_commit.set()

    hashing = followed(erasure_module.key_for_hashing, by=pause_in_transaction)
    monkeypatch.setattr(erasure_module, "key_for_hashing", hashing)
    return start


def test_an_import_waits_for_an_erasure_that_is_not_committed_yet(
    store: Store,
    session: Session,
    erasure_under_way: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(store, ANN)
    reading = followed(import_module.convert, by=erasure_under_way)
    monkeypatch.setattr(import_module, "convert", reading)

    imported = import_text(session, f"email\n{ANN}\n{BOB}\n")

    assert imported.counts == (1, 0, 0, 1)
    assert emails(store) == [BOB]


def test_so_does_an_ingest(
    store: Store, session: Session, erasure_under_way: Callable[[], None]
) -> None:
    add(store, ANN)
    rejects: list[Rejection] = []

    def events() -> Iterator[Event]:
        yield Response("test", "key", ANN, Category.TRANSIENT)
        erasure_under_way()

    result = ingest(session, events(), rejects.append)

    assert (result.counts.recorded, result.rejected, len(rejects)) == (0, 1, 1)
    assert ANN not in str(dump(store))


def test_an_address_is_not_suppressed_beside_the_contact_that_is_just_being_made(
    store: Store, others: Session, at_once: ThreadPoolExecutor
) -> None:
    with store.writing() as connection:
        serialise(connection)
        add_contact(connection, ANN)
        adding = at_once.submit(add_suppression, others, ANN)
        wait_until_somebody_waits(store)

    with pytest.raises(RefusedError, match="a contact has this address"):
        adding.result(_SECONDS)
    assert not is_suppressed(others, ANN)


@pytest.mark.parametrize("kind", [AnonymizeRun, DeleteRun])
def test_what_others_commit_while_an_erasure_waits_for_its_turn_is_erased_too(
    store: Store, others: Session, at_once: ThreadPoolExecutor, kind: type[ErasingRun]
) -> None:
    ann, bob = add(store, ANN, BOB)
    shown = standing_of(others, ANN)
    with store.writing() as connection:
        serialise(connection)
        add_response(connection, ann, Category.TRANSIENT, recipient=ANN)
        add_response(connection, bob, Category.TRANSIENT, diagnostic=f"not {ANN}")
        erasure = at_once.submit(erase_one, others, kind, shown)
        wait_until_somebody_waits(store)

    assert erasure.result(_SECONDS).changed == 1
    assert "ann@" not in str(dump(store))


def test_who_changes_in_the_same_moment_is_not_said_to_be_erased(
    store: Store, session: Session, others: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, ANN)
    importing = followed(erasure_module.write_plan, by=lambda: import_text(others, UPDATE))
    monkeypatch.setattr(erasure_module, "write_plan", importing)

    with pytest.raises(RefusedError, match="not erased"):
        erase(session)

    assert emails(store) == [ANN]
    assert not is_suppressed(session, ANN)


def test_a_key_that_is_rotated_away_during_a_run_makes_no_more_hashes(
    store: Store, session: Session
) -> None:
    """Nothing was suppressed when the run began, so the rotation kept no old key."""
    seed_contacts(store, 6)
    addresses = emails(store)
    selection = select_any(session, CriteriaSource(where=("id > 0",)))
    run = plan_erasing(session, DeleteRun, selection, said=Confirmation(6, 6))
    assert run is not None
    work = work_for(session, run)

    for _ in range(2):
        rotate_key(session, drop=True)
        run = apply_batch(store, run, 2, NOW, work) or run
    rotate_key(session, drop=True)
    resume_run(session, run.id)

    assert all(is_suppressed(session, address) for address in addresses)
