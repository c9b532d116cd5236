"""Leaving the builder while the store is at work: no plan is left, and no begun run forgotten."""

import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from contactctl.builder import app as builder_app
from contactctl.builder import plan_in_hand
from contactctl.builder.app import BuilderApp
from contactctl.builder.plan_in_hand import BuilderWork
from contactctl.domain.errors import StoreError
from contactctl.domain.runs import Run, RunState
from contactctl.operations import runs
from contactctl.operations.session import Session
from contactctl.store.database.store import Store
from helpers.builder import PATIENCE_S, Driver, drive
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS, states
from helpers.sessions import make_session

CONTACTS = 400
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000000)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS)


def test_a_run_that_begins_while_the_builder_is_left_goes_on(
    session: Session, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_leaving_does_not_wait_for_a_store_that_has_not_named_its_groups(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, left = Event(), Event()

    def slow_group_names(_session: object) -> list[str]:
        asked.set()
        assert left.wait(PATIENCE_S)
        return []

    async def steps(user: Driver) -> None:
        monkeypatch.setattr(builder_app, "names_of_groups", slow_group_names)
        await user.screen("ReminderScreen")
        await user.press("enter", "enter")
        await user.until(asked.is_set)
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
        left.set()

    assert drive(session, steps).outcome.run is None


def test_a_store_that_does_not_name_its_groups_can_be_asked_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = builder_app.names_of_groups

    def unreachable(_session: object) -> list[str]:
        monkeypatch.setattr(builder_app, "names_of_groups", names)
        raise StoreError("the store has gone away")

    async def steps(user: Driver) -> None:
        told: list[str] = []
        monkeypatch.setattr(user.app, "notify", lambda text, **_: told.append(text))
        monkeypatch.setattr(builder_app, "names_of_groups", unreachable)
        await user.screen("ReminderScreen")
        await user.press("enter")
        await user.until(lambda: told == ["the store has gone away"])
        user.app.action_start_finding()
        await user.screen("EditorScreen")

    assert drive(session, steps).outcome.run is None


def test_a_signal_after_the_last_picture_leaves_the_rest_to_be_done(session: Session) -> None:
    async def steps(user: Driver) -> None:
        await user.start()

    app = drive(session, steps)
    app.end("SIGTERM")

    assert app.outcome.closed_by == "SIGTERM"


def test_a_signal_before_the_first_picture_is_not_forgotten(session: Session) -> None:
    app = BuilderApp(BuilderWork(session, lambda _run: None, Path()))
    app.end("SIGTERM")
    try:
        app.run(headless=True)
    finally:
        app.close()

    assert app.outcome.closed_by == "SIGTERM"
