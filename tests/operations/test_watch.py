"""Following a run that another process works on."""

import pytest

from contactctl.domain.runs import RunState
from contactctl.operations import runs as runs_module
from contactctl.operations.runs import cancel_run, read_run, resume_run, watch_run
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.plans import deactivated, plan, started, states
from helpers.sessions import make_session


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only when the watcher sleeps."""
    now = [0.0]
    monkeypatch.setattr(runs_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(runs_module.time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    return now


def test_watching_a_finished_run_returns_it(store: Store, fake_time: list[float]) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = deactivated(session, "id <= 2")

    watched = watch_run(session, run.id)

    assert (watched.run, watched.problem, fake_time) == (run, None, [0.0])


def test_watching_a_plan_says_that_it_has_not_started(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)

    problem = watch_run(session, plan(session, "id <= 2").id).problem

    assert problem is not None
    assert problem.message == "run 1 has not started"


def test_watching_follows_the_run_to_its_end(
    store: Store, fake_time: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 20")
    sleeps = iter(range(10))

    def work_goes_on(_seconds: float) -> None:
        if next(sleeps) == 3:
            resume_run(session, run.id)

    monkeypatch.setattr(runs_module.time, "sleep", work_goes_on)
    watched = watch_run(session, run.id)

    assert (watched.run.state, watched.run.changed, watched.problem) == (RunState.DONE, 20, None)
    assert next(sleeps) == 4


def test_watching_a_run_that_nobody_works_on_ends_after_a_while(
    store: Store, fake_time: list[float]
) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 20")

    watched = watch_run(session, run.id)

    assert watched.problem is not None
    assert (watched.problem.code, "runs resume 1" in watched.problem.hint) == (
        "interrupted-run",
        True,
    )
    assert 15 < fake_time[0] < 16
    assert read_run(session, run.id).state is RunState.RUNNING


def test_watching_is_patient_while_somebody_holds_the_right_to_change_contacts(
    store: Store, fake_time: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from contactctl.store.database.store import open_store

    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 20")
    other = open_store(store.engine.url.render_as_string(hide_password=False))

    def pass_time(seconds: float) -> None:
        fake_time[0] += seconds
        if fake_time[0] == 20:
            cancel_run(session, run.id)

    monkeypatch.setattr(runs_module.time, "sleep", pass_time)
    with exclusive(other, CONTACT_CHANGES):
        watched = watch_run(session, run.id)
    other.close()

    assert (watched.run.state, watched.problem, fake_time) == (RunState.CANCELLED, None, [20.0])
    assert states(store) == [RunState.CANCELLED]
