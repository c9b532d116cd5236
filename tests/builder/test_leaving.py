"""Leaving the builder while the store is at work: no plan is left, and no begun run forgotten."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.widgets import Button

from contactctl.builder import opened as plan_in_hand
from contactctl.builder.app import BuilderApp
from contactctl.builder.work import BuilderWork
from contactctl.domain.errors import StoreError
from contactctl.domain.runs import Run, RunState
from contactctl.operations import runs
from contactctl.operations.session import Session
from contactctl.store.database.store import Store, open_store
from helpers.builder import PATIENCE_S, Driver, drive
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS, active_ids, plan_items, states
from helpers.sessions import make_session

CONTACTS = 40
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000000)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Session]:
    """For what the database has no part in."""
    store = open_store(sqlite_url)
    seed_contacts(store, CONTACTS)
    yield make_session(store, limits=NO_LIMITS)
    store.close()


def test_a_run_that_begins_while_the_builder_is_left_goes_on(
    on_sqlite: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, store = on_sqlite, on_sqlite.store
    start_run = runs.start_run
    reached = Event()
    begun: list[Run] = []

    async def steps(user: Driver) -> None:
        def start_when_left(*args: Any, **values: Any) -> Run:
            reached.set()
            while user.app.is_running:
                time.sleep(0.01)
            return start_run(*args, **values)

        monkeypatch.setattr(runs, "start_run", start_when_left)
        await user.start()
        await user.to_confirmation()
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.until(reached.is_set)
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)

    app = drive(session, steps, finish=begun.append)

    assert [run.id for run in begun] == [1]
    assert states(store) == [RunState.RUNNING]
    assert app.outcome.run is not None and app.outcome.run.state is RunState.RUNNING


def test_leaving_cancels_a_plan_that_is_written(
    session: Session, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, written = Event(), Event()

    def write_slowly(*_: Any, **__: Any) -> None:
        with store.reading() as connection:
            reached.set()
            connection.exec_driver_sql(SLOW[store.dialect]).all()
            written.set()

    monkeypatch.setattr(plan_in_hand, "plan_deactivation", write_slowly)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("D")
        await user.until(reached.is_set)
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)

    drive(session, steps)

    assert not written.is_set()


def app_on(session: Session, opening: Callable[[], object]) -> BuilderApp:
    @contextmanager
    def open_session() -> Iterator[Session]:
        opening()
        yield session

    return BuilderApp(BuilderWork(open_session, lambda _run: None, Path()))


def run(app: BuilderApp, steps: Callable[[Driver], Awaitable[None]]) -> None:
    async def drive_it() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await steps(Driver(app, pilot))

    try:
        asyncio.run(drive_it())
    finally:
        app.close()


def test_leaving_does_not_wait_for_a_store_that_does_not_open(on_sqlite: Session) -> None:
    asked, left = Event(), Event()

    def open_slowly() -> None:
        asked.set()
        assert left.wait(PATIENCE_S)

    async def steps(user: Driver) -> None:
        await user.screen("ReminderScreen")
        await user.press("enter", "enter")
        await user.until(asked.is_set)
        assert "Opening the store" in str(user.app.screen.query_one(Button).label)
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)

    app = app_on(on_sqlite, open_slowly)
    run(app, steps)
    left.set()

    assert app.outcome.run is None and app.outcome.failure is None


def test_a_store_that_cannot_be_opened_ends_the_builder_with_its_error(on_sqlite: Session) -> None:
    def fail() -> None:
        raise StoreError("the store has gone away")

    async def steps(user: Driver) -> None:
        await user.until(lambda: user.app._exit)

    app = app_on(on_sqlite, fail)
    run(app, steps)

    assert str(app.outcome.failure) == "the store has gone away"


def test_a_terminal_that_closes_takes_the_plan_with_it(on_sqlite: Session) -> None:
    store = on_sqlite.store

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert plan_items(store) > 0
        user.app.end("SIGHUP")
        await user.until(lambda: user.app._exit)

    app = drive(on_sqlite, steps)

    assert app.outcome.closed_by == "SIGHUP"
    assert (plan_items(store), len(active_ids(store))) == (0, CONTACTS)
    assert states(store) == [RunState.CANCELLED]
    app.end("SIGTERM")  # after the last picture: the rest is done all the same
    assert app.outcome.closed_by == "SIGTERM"


def test_a_signal_before_the_first_picture_is_not_forgotten(on_sqlite: Session) -> None:
    app = app_on(on_sqlite, lambda: None)
    app.end("SIGTERM")
    try:
        app.run(headless=True)
    finally:
        app.close()

    assert app.outcome.closed_by == "SIGTERM"
