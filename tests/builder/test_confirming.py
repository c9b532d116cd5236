"""A plan in the builder: over a limit, for a second operator, left while it is carried out."""

from contactctl.domain.policies import Approval, Limits, PlanPolicy
from contactctl.domain.runs import Run, RunState
from contactctl.operations.session import Session
from contactctl.store.database.store import open_store
from helpers.builder import CONTACTS, Driver, drive
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS, active_ids, plan_items, states
from helpers.sessions import make_session


def test_over_a_limit_the_whole_phrase_is_typed_and_never_unseen(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, CONTACTS)

    async def steps(user: Driver) -> None:
        await user.start()
        assert "! Limits: " in user.figures
        await user.to_confirmation()
        count = int(user.count.split()[0])
        await user.pilot.resize_terminal(80, 12)
        await user.until(lambda: user.typed.disabled)
        assert "too small" in user.drawn
        await user.write(user.to_be_typed)
        assert user.typed.value == ""
        await user.pilot.resize_terminal(80, 24)
        await user.until(lambda: not user.typed.disabled)
        shown = user.drawn
        assert "Over the limits. Type" in shown and "→" in shown and "Groups" in shown
        await user.write(str(count))
        await user.press("enter")
        assert "nothing was deactivated" in user.text("#problem")
        user.typed.value = f"deactivate {count} of {CONTACTS}"
        await user.press("enter")
        await user.screen("OutcomeScreen")

    drive(make_session(store, limits=Limits(max_contacts=10)), steps)

    assert states(store) == [RunState.DONE]
    store.close()


def test_a_second_operator_gets_the_plan(on_sqlite: Session) -> None:
    policy = PlanPolicy(approval=Approval.SECOND_OPERATOR)
    store = on_sqlite.store

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert "contactctl runs apply 1" in user.text("#question")
        await user.press("enter")  # Keep the plan
        await user.screen("OutcomeScreen")
        assert "contactctl runs apply 1" in user.text("#run")

    app = drive(make_session(store, plans=policy, limits=NO_LIMITS), steps)

    assert app.outcome.run is not None and app.outcome.run.state is RunState.PLANNED
    assert len(active_ids(store)) == CONTACTS
    assert plan_items(store) > 0


def test_leaving_during_progress_leaves_the_run_to_its_process(on_sqlite: Session) -> None:
    begun: list[Run] = []

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        await user.write(user.to_be_typed)
        await user.press("enter")
        await user.screen("ProgressScreen")
        assert user.text("#done").startswith("0 of ")
        await user.press("q")

    app = drive(on_sqlite, steps, finish=begun.append)

    assert [run.id for run in begun] == [1]
    assert states(on_sqlite.store) == [RunState.RUNNING]
    assert app.outcome.run is not None and app.outcome.run.state is RunState.RUNNING
