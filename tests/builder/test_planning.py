"""What is pressed, or fails, while the store is still at work on a plan or a beginning run."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from contactctl.builder import opened as plan_in_hand
from contactctl.builder.draft import draft_of
from contactctl.domain.errors import BusyError
from contactctl.domain.policies import Limits
from contactctl.domain.runs import Run, RunState
from contactctl.operations import runs
from contactctl.operations.criteria import CriteriaSource
from contactctl.operations.runs import cancel_run, resume_run
from contactctl.operations.session import Session
from contactctl.store.database.store import Store, open_store
from helpers.builder import Driver, drive
from helpers.contacts import seed_contacts
from helpers.gate import Gate
from helpers.plans import NO_LIMITS, active_ids, deactivated, plan_items, states
from helpers.sessions import make_session

CONTACTS = 40
OLD = 21  # the prebuilt criteria select so many of them
UNDATED = 6  # so many have no last_opportunity


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """One database: the plans and runs themselves are tested on both elsewhere."""
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS)


@pytest.fixture
def planning(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Every plan waits here before it is written."""
    return Gate.before(monkeypatch, plan_in_hand, "plan_deactivation")


@pytest.fixture
def beginning(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Every run waits here before it begins."""
    return Gate.before(monkeypatch, runs, "start_run")


async def ask_for_plan(user: Driver) -> None:
    await user.press("D")
    await user.screen("PlanningScreen")


async def give_up(user: Driver) -> None:
    await user.press("escape")
    await user.screen("EditorScreen")


async def threads_left(user: Driver, number: int, name: str = "_write_plan") -> None:
    """Wait until the others have told the application what they had to say."""
    await user.until(lambda: sum(w.name == name for w in user.app.workers) == number)
    await user.pilot.pause()


async def choose_everyone(user: Driver, session: Session) -> None:
    everyone = CriteriaSource(where=("id exists",)).read(session.catalogue)
    assert everyone is not None
    user.editor.draft = draft_of(everyone)
    user.editor._show_draft(next(user.editor.draft.rows()))
    await user.pilot.pause()
    await user.counted()


# while a plan is written


def test_a_plan_that_was_given_up_is_never_shown_for_the_next(
    session: Session, store: Store, planning: Gate
) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await ask_for_plan(user)
        await user.until(lambda: planning.reached == 1)
        await give_up(user)
        await choose_everyone(user, session)
        await ask_for_plan(user)
        planning.let_through()
        await user.until(lambda: planning.reached == 2)
        await threads_left(user, 1)
        assert type(user.app.screen).__name__ == "PlanningScreen"
        assert plan_items(store) == 0
        planning.let_through()
        await user.screen("ConfirmationScreen")
        assert user.to_be_typed == str(CONTACTS)
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.screen("OutcomeScreen")

    app = drive(session, steps)

    assert app.outcome.run is not None and app.outcome.run.id == 2
    assert states(store) == [RunState.CANCELLED, RunState.DONE]
    assert (plan_items(store), len(active_ids(store))) == (0, 0)


def test_a_plan_that_was_given_up_leaves_none(
    session: Session, store: Store, planning: Gate
) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await ask_for_plan(user)
        await user.until(lambda: planning.reached == 1)
        await give_up(user)
        planning.let_through()
        await user.until(lambda: states(store) == [RunState.CANCELLED])
        assert type(user.app.screen).__name__ == "EditorScreen"

        for _ in range(2):  # before its turn
            await ask_for_plan(user)
            await give_up(user)
        await user.press_at_once("D", "D")
        planning.let_through(2)
        await user.screen("ConfirmationScreen")
        await threads_left(user, 0)
        assert planning.reached == 3
        await user.press("escape")
        await user.screen("EditorScreen")

        await ask_for_plan(user)  # while it arrives
        planning.let_through()
        await user.press_at_once("escape", "escape")
        await threads_left(user, 0)
        assert user.editor in user.app.screen_stack

    drive(session, steps)

    assert (plan_items(store), len(active_ids(store))) == (0, CONTACTS)
    assert set(states(store)) == {RunState.CANCELLED}


def test_the_failure_of_a_plan_that_was_given_up_leaves_the_next_alone(
    session: Session, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        second = Gate.before(monkeypatch, plan_in_hand, "plan_deactivation")
        gates.append(second)
        raise BusyError("too much to do")

    gates: list[Gate] = []
    first = Gate(fail)
    monkeypatch.setattr(plan_in_hand, "plan_deactivation", first)

    async def steps(user: Driver) -> None:
        await user.start()
        await ask_for_plan(user)
        await user.until(lambda: first.reached == 1)
        await give_up(user)
        await ask_for_plan(user)
        first.let_through()
        await user.until(lambda: len(gates) == 1 and gates[0].reached == 1)
        await threads_left(user, 1)
        assert type(user.app.screen).__name__ == "PlanningScreen"
        gates[0].let_through()
        await user.screen("ConfirmationScreen")

    drive(session, steps)

    assert states(store) == [RunState.CANCELLED]


def test_a_plan_that_cannot_be_shown_is_not_left_behind(
    session: Session, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [OSError(5, "no such luck"), BusyError("too much to do")]

    def fail(*_: Any) -> None:
        raise errors.pop()

    monkeypatch.setattr(plan_in_hand, "show_plan", fail)

    async def steps(user: Driver) -> None:
        await user.start()
        for number in (1, 2):
            await user.press("D")
            await user.until(lambda number=number: len(user.app._notifications) == number)
            await user.screen("EditorScreen")
        assert states(store) == [RunState.CANCELLED] * 2

    drive(session, steps)


# while a run begins


def test_a_plan_is_answered_once(session: Session, store: Store, beginning: Gate) -> None:
    begun: list[Run] = []

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        await user.write(user.to_be_typed)
        await user.press_at_once("enter", "enter")
        await user.until(lambda: beginning.reached == 1)
        await user.press("enter", "escape")
        assert type(user.app.screen).__name__ == "ConfirmationScreen"
        beginning.let_through(2)
        await user.screen("ProgressScreen")
        await threads_left(user, 0, "_begin")
        assert states(store) == [RunState.RUNNING]
        resume_run(session, 1)  # nobody waits for a process that there is not
        await user.screen("OutcomeScreen")

    app = drive(session, steps, finish=begun.append)

    assert [run.id for run in begun] == [1]
    assert beginning.reached == 1
    assert app.outcome.run is not None and app.outcome.run.id == 1


def test_a_run_without_a_process_is_told_as_begun(session: Session, store: Store) -> None:
    def fail(_run: Run) -> None:
        raise OSError(12, "Cannot allocate memory")

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.screen("OutcomeScreen")
        shown = " ".join(str(static.visual) for static in user.app.screen.query("Static"))
        assert "Cannot allocate memory" in shown and "contactctl runs resume 1" in shown

    app = drive(session, steps, finish=fail)

    assert states(store) == [RunState.RUNNING]
    assert app.outcome.run is not None and app.outcome.problem is not None


def test_a_plan_that_somebody_else_cancelled_does_not_begin(session: Session, store: Store) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        cancel_run(session, 1)
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.screen("EditorScreen")
        await user.to_confirmation()
        assert user.to_be_typed == str(OLD)

    drive(session, steps)

    assert states(store) == [RunState.CANCELLED, RunState.CANCELLED]
    assert len(active_ids(store)) == CONTACTS


def test_a_limit_that_is_exceeded_since_asks_for_the_plan_anew(store: Store) -> None:
    seed_contacts(store, CONTACTS)
    session = make_session(store, limits=Limits(max_percent=Decimal(55)))
    others = make_session(store, limits=NO_LIMITS)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert user.to_be_typed == str(OLD)
        deactivated(others, "last_opportunity missing")
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.screen("EditorScreen")
        told = next(iter(user.app._notifications)).message
        assert "over the limit" in told and "with D" in told and "--" not in told
        await user.to_confirmation()
        assert user.to_be_typed == f"deactivate {OLD} of {CONTACTS - UNDATED}"
        assert len(active_ids(store)) == CONTACTS - UNDATED

    drive(session, steps)
