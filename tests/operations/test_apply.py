"""Applying plans: exactly the planned contacts, whatever happens meanwhile."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, func, select, update

from contactctl.domain.confirmation import Confirmation
from contactctl.domain.contacts import Origin, Status
from contactctl.domain.errors import (
    BusyError,
    InterruptedByUserError,
    NotFoundError,
    RefusedError,
)
from contactctl.domain.policies import Approval, PlanPolicy
from contactctl.domain.runs import Run, RunKind, RunState, SkipReason
from contactctl.operations import apply as apply_module
from contactctl.operations.apply import (
    apply_run,
    begin_run,
    read_run,
    resume_run,
    work_through,
)
from contactctl.operations.deactivate import require_plan_confirmed, run_confirmed
from contactctl.operations.plan import plan_deactivation
from contactctl.operations.runs import cancel_run
from contactctl.operations.session import Session
from contactctl.store import runwork, tables
from contactctl.store.groups import add_member, mark_changed, remove_member
from contactctl.store.locks import exclusive
from contactctl.store.runwork import CONTACT_CHANGES, apply_batch, start_run
from contactctl.store.store import Store, open_store
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import (
    NO_LIMITS,
    active_ids,
    confirmed,
    deactivated_by,
    plan,
    plan_items,
    selection,
    states,
)
from helpers.sessions import NOW, make_session


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_module, "BATCH_CONTACTS", 7)


def started(session: Session, *where: str) -> Run:
    run = plan(session, *where)
    return start_run(session.store, run.id, session.clock())


def test_exactly_the_planned_contacts_become_inactive(store: Store, small_batches: None) -> None:
    seed_contacts(store, 100)
    session = make_session(store)
    run = plan(session, "id between 11 and 60")

    done = apply_run(session, run.id)

    assert active_ids(store) == {*range(1, 11), *range(61, 101)}
    assert deactivated_by(store, run.id) == list(range(11, 61))
    assert (done.state, done.planned, done.changed, done.skipped) == (RunState.DONE, 50, 50, {})
    assert (done.active_before, done.active_after) == (100, 50)
    assert (done.started_at, done.finished_at, done.cursor) == (NOW, NOW, 60)
    assert plan_items(store) == 0


def test_each_deactivation_says_why_since_when_and_by_which_run(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = apply_run(session, plan(session, "id = 4").id)

    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(tables.deactivation)).mappings()]
    assert rows == [
        {
            "contact_id": 4,
            "group_id": 0,
            "run_id": run.id,
            "category": "",
            "origin": Origin.BULK,
            "started_at": NOW,
            "ended_at": None,
            "ended_by_run_id": None,
        }
    ]


def test_data_tags_and_memberships_of_the_contacts_stay_as_they_are(store: Store) -> None:
    seed_contacts(store, 50)
    session = make_session(store)
    before = dump(store, without=("run", "deactivation"))

    apply_run(session, plan(session, "id <= 50").id)

    with store.writing() as connection:
        connection.execute(update(tables.contact).values(status=Status.ACTIVE))
    assert dump(store, without=("run", "deactivation")) == before


def with_data(connection: Connection, contact_id: int) -> None:
    connection.execute(
        update(tables.contact).where(tables.contact.c.id == contact_id).values(phone="555")
    )
    mark_changed(connection, [contact_id], NOW)


def with_a_group_more(connection: Connection, contact_id: int) -> None:
    group_id = connection.execute(
        select(tables.group.c.id).where(tables.group.c.name == "partners")
    ).scalar_one()
    assert add_member(connection, contact_id, group_id, NOW)


def with_a_group_less(connection: Connection, contact_id: int) -> None:
    group_id = connection.execute(
        select(tables.membership.c.group_id).where(tables.membership.c.contact_id == contact_id)
    ).scalars()
    assert remove_member(connection, contact_id, next(iter(group_id)), NOW)


def inactive(connection: Connection, contact_id: int) -> None:
    connection.execute(
        update(tables.contact).where(tables.contact.c.id == contact_id).values(status="inactive")
    )


def deleted(connection: Connection, contact_id: int) -> None:
    connection.execute(delete(tables.contact).where(tables.contact.c.id == contact_id))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_data, SkipReason.CHANGED),
        (with_a_group_more, SkipReason.CHANGED),
        (with_a_group_less, SkipReason.CHANGED),
        (inactive, SkipReason.NOT_ACTIVE),
        (deleted, SkipReason.GONE),
    ],
)
@pytest.mark.parametrize("when", ["before it starts", "between two batches"])
def test_a_contact_that_changes_after_it_was_shown_is_skipped_and_counted(
    store: Store,
    small_batches: None,
    change: Callable[[Connection, int], None],
    reason: SkipReason,
    when: str,
) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 20")
    if when == "between two batches":
        started_run = start_run(store, run.id, NOW)
        apply_batch(store, started_run, 7, NOW)
    with store.writing() as connection:
        change(connection, 14)

    done = (apply_run if when == "before it starts" else resume_run)(session, run.id)

    assert (done.changed, done.skipped) == (19, {reason: 1})
    assert deactivated_by(store, run.id) == [id_ for id_ in range(1, 21) if id_ != 14]
    assert (14 in active_ids(store)) == (reason is SkipReason.CHANGED)


def test_skips_of_several_batches_and_reasons_add_up(store: Store, small_batches: None) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 40")
    with store.writing() as connection:
        for contact_id in (1, 20, 40):
            deleted(connection, contact_id)
        for contact_id in (2, 39):
            with_data(connection, contact_id)
        inactive(connection, 21)

    done = apply_run(session, run.id)

    assert done.skipped == {SkipReason.GONE: 3, SkipReason.CHANGED: 2, SkipReason.NOT_ACTIVE: 1}
    assert (done.changed, done.skipped_total) == (34, 6)
    assert (done.active_before, done.active_after) == (36, 2)


def test_contacts_created_after_the_plan_are_not_touched(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store)
    run = plan(session, "id > 0")
    seed_contacts(store, 5, after=20)

    assert apply_run(session, run.id).changed == 20
    assert active_ids(store) == set(range(21, 26))


def test_two_plans_of_the_same_contacts_deactivate_them_once(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    first, second = plan(session, "id <= 20"), plan(session, "id between 11 and 30")

    apply_run(session, first.id)
    done = apply_run(session, second.id)

    assert (done.changed, done.skipped) == (10, {SkipReason.NOT_ACTIVE: 10})
    assert deactivated_by(store, first.id) + deactivated_by(store, second.id) == [*range(1, 31)]


def test_a_run_goes_on_from_its_cursor(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 30")
    for _ in range(2):
        after = apply_batch(store, run, 10, NOW)
        assert after is not None
        run = after
    assert (run.cursor, run.changed, len(active_ids(store))) == (20, 20, 10)

    done = resume_run(make_session(store, now=NOW + timedelta(hours=1)), run.id)

    assert (done.changed, done.active_before, done.active_after) == (30, 30, 0)
    assert deactivated_by(store, run.id) == list(range(1, 31))
    assert resume_run(session, run.id) == done


def test_a_batch_applied_by_somebody_who_saw_an_older_cursor_changes_nothing(
    store: Store,
) -> None:
    seed_contacts(store, 30)
    run = started(make_session(store), "id <= 30")
    apply_batch(store, run, 10, NOW)
    before = dump(store)

    with pytest.raises(BusyError, match="another process works on run 1"):
        apply_batch(store, run, 10, NOW)
    assert dump(store) == before


def test_a_batch_that_changes_another_number_than_it_counted_is_rolled_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 30)
    run = started(make_session(store), "id <= 30")
    reported = report_one_less(monkeypatch)
    before = dump(store)

    with pytest.raises(AssertionError, match="counted 30 contacts, changed 29"):
        apply_batch(store, run, 100, NOW)
    assert reported == [29]
    assert dump(store) == before


def report_one_less(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have bulk work report one contact less than it changed; returns what it reported."""
    work = runwork.WORK_OF_KIND[RunKind.DEACTIVATE]
    reported: list[int] = []

    def one_less(connection, run, batch, now) -> int:
        reported.append(work.change(connection, run, batch, now) - 1)
        return reported[-1]

    monkeypatch.setitem(
        runwork.WORK_OF_KIND, RunKind.DEACTIVATE, runwork.BatchWork(work.outcome, one_less)
    )
    return reported


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, InterruptedByUserError])
def test_interrupted_at_work_it_says_how_to_go_on(
    store: Store,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
    interruption: Callable[..., BaseException],
) -> None:
    seed_contacts(store, 30)
    session = make_session(store, limits=NO_LIMITS)
    batches = []

    def second_is_interrupted(*args) -> Run | None:
        batches.append(args)
        if len(batches) == 2:
            raise interruption("now")
        return apply_batch(*args)

    monkeypatch.setattr(apply_module, "apply_batch", second_is_interrupted)
    with pytest.raises(InterruptedByUserError, match="run 1 was interrupted") as interrupted:
        run_confirmed(
            session,
            lambda: plan_deactivation(session, selection(session, "id <= 30"), said=confirmed(30)),
        )

    assert "contactctl runs resume 1" in interrupted.value.hint
    run = read_run(session, 1)
    assert (run.state, run.changed, len(active_ids(store))) == (RunState.RUNNING, 7, 23)
    assert resume_run(session, 1).changed == 30
    assert deactivated_by(store, 1) == list(range(1, 31))


def test_progress_tells_every_contact_once_also_after_a_resume(
    store: Store, small_batches: None
) -> None:
    seed_contacts(store, 30)
    steps: list[int] = []

    @contextmanager
    def progress(title: str, total: int | None):
        steps.append(-(total or 0))
        yield steps.append

    session = replace(make_session(store), progress=progress)
    run = started(session, "id <= 20")
    apply_batch(store, run, 7, NOW)
    with store.writing() as connection:
        deleted(connection, 20)
    resume_run(session, run.id)

    assert steps[0] == -20
    assert sum(steps[1:]) == 20
    assert steps[1] == 7


def test_a_planned_run_cannot_be_resumed(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    plan(session, "id <= 5")

    with pytest.raises(RefusedError, match="never started"):
        resume_run(session, 1)
    assert len(active_ids(store)) == 10


@pytest.mark.parametrize("act", [apply_run, begin_run, resume_run, cancel_run, read_run])
def test_a_run_that_does_not_exist(store: Store, act: Callable[..., object]) -> None:
    with pytest.raises(NotFoundError, match="no run 7"):
        act(make_session(store), 7)


def test_a_run_cannot_be_applied_twice(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = plan(session, "id <= 5")
    apply_run(session, run.id)
    before = dump(store)

    for again in (apply_run, begin_run):
        with pytest.raises(RefusedError, match="run 1 is done, not planned"):
            again(session, run.id)
    assert dump(store) == before


@pytest.mark.parametrize("act", [apply_run, begin_run])
def test_an_expired_plan_is_ended_when_it_is_tried(
    store: Store, act: Callable[..., object]
) -> None:
    seed_contacts(store, 10)
    policy = PlanPolicy(expire_after=timedelta(hours=2))
    plan(make_session(store, plans=policy), "id <= 5")

    with pytest.raises(RefusedError, match="has expired"):
        act(make_session(store, now=NOW + timedelta(hours=2)), 1)
    assert (states(store), plan_items(store)) == ([RunState.EXPIRED], 0)
    assert len(active_ids(store)) == 10


def test_a_plan_is_applied_until_the_last_moment(store: Store) -> None:
    seed_contacts(store, 10)
    plan(make_session(store), "id <= 5")
    late = NOW + timedelta(hours=24, microseconds=-1)

    assert apply_run(make_session(store, now=late), 1).changed == 5


def test_a_second_operator_is_required_where_the_config_asks_for_one(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, plans=PlanPolicy(approval=Approval.SECOND_OPERATOR))
    run = plan(session, "id <= 5")

    with pytest.raises(RefusedError, match="tester@host planned it"):
        apply_run(session, run.id)
    with pytest.raises(RefusedError, match="second operator") as refusal:
        run_confirmed(session, lambda: plan(session, "id <= 5"))
    assert refusal.value.code == "second-operator"
    assert len(active_ids(store)) == 10
    assert apply_run(replace(session, operator="boss@host"), run.id).changed == 5


def test_a_kept_plan_is_confirmed_with_its_own_count_and_todays_limits(store: Store) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 10")

    with pytest.raises(RefusedError, match="10 contacts match"):
        require_plan_confirmed(session, run.id, confirmed(9))
    assert require_plan_confirmed(session, run.id, Confirmation(10)).id == run.id
    with store.writing() as connection:
        inactive(connection, 40)
    with pytest.raises(RefusedError, match="10 of 39 active contacts is over the limit of 25 %"):
        require_plan_confirmed(session, run.id, Confirmation(10))


def test_while_another_run_changes_contacts_nothing_is_written(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, limits=NO_LIMITS)
    run = plan(session, "id <= 5")
    before = dump(store)
    other = open_store(store.engine.url.render_as_string(hide_password=False))

    with exclusive(other, CONTACT_CHANGES):
        for act in (
            lambda: apply_run(session, run.id, wait_seconds=0.05),
            lambda: resume_run(session, run.id, wait_seconds=0),
            lambda: run_confirmed(session, lambda: plan(session, "id > 5"), wait_seconds=0),
        ):
            with pytest.raises(BusyError, match="another process"):
                act()
        assert dump(store) == before
    other.close()
    assert apply_run(session, run.id, wait_seconds=0).changed == 5


def test_a_run_that_is_cancelled_at_work_stops_at_once(store: Store, small_batches: None) -> None:
    seed_contacts(store, 30)
    session = make_session(store)

    @contextmanager
    def cancels_after_the_first_batch(title: str, total: int | None):
        yield lambda steps: steps and cancel_run(session, 1)

    watched = replace(session, progress=cancels_after_the_first_batch)
    run = started(session, "id <= 30")
    with pytest.raises(RefusedError, match="run 1 is cancelled by now"):
        work_through(watched, run)

    stopped = read_run(session, 1)
    assert (stopped.state, stopped.changed, stopped.active_after) == (RunState.CANCELLED, 7, 23)
    assert (plan_items(store), len(active_ids(store))) == (0, 23)


def test_a_run_confirmed_by_a_script_is_planned_and_done_in_one_go(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store, limits=NO_LIMITS)

    def plan_confirmed() -> Run | None:
        return plan_deactivation(
            session, selection(session, "id <= 30"), reason="why", said=confirmed(30)
        )

    begun = run_confirmed(session, plan_confirmed, leave_to_background=True)
    assert begun is not None
    assert (begun.state, begun.changed, len(active_ids(store))) == (RunState.RUNNING, 0, 30)
    done = resume_run(session, begun.id)
    assert (done.state, done.changed, done.reason) == (RunState.DONE, 30, "why")


def test_a_batch_that_meets_another_writer_is_tried_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contact changes after the batch has counted it: the server says 40001."""
    store = open_store(postgres_url)
    seed_contacts(store, 20)
    session = make_session(store)
    work = runwork.WORK_OF_KIND[RunKind.DEACTIVATE]
    attempts: list[int] = []

    def meddled(connection, run, batch, now) -> int:
        attempts.append(batch.last)
        if len(attempts) == 1:
            with store.writing() as other:
                with_data(other, 5)
        return work.change(connection, run, batch, now)

    monkeypatch.setitem(
        runwork.WORK_OF_KIND, RunKind.DEACTIVATE, runwork.BatchWork(work.outcome, meddled)
    )
    done = apply_run(session, plan(session, "id <= 10").id)

    assert attempts == [10, 10]
    assert (done.changed, done.skipped) == (9, {SkipReason.CHANGED: 1})
    assert deactivated_by(store, done.id) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    store.close()


def test_a_batch_that_meets_another_writer_again_and_again_is_busy(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(postgres_url)
    seed_contacts(store, 20)
    session = make_session(store)
    work = runwork.WORK_OF_KIND[RunKind.DEACTIVATE]

    contact_ids = iter(range(1, 11))

    def always_meddled(connection, run, batch, now) -> int:
        with store.writing() as other:
            with_data(other, next(contact_ids))
        return work.change(connection, run, batch, now)

    monkeypatch.setitem(
        runwork.WORK_OF_KIND, RunKind.DEACTIVATE, runwork.BatchWork(work.outcome, always_meddled)
    )
    run = plan(session, "id <= 10")
    with pytest.raises(BusyError) as busy:
        apply_run(session, run.id)
    assert busy.value.code == "conflict"
    assert len(active_ids(store)) == 20

    monkeypatch.undo()
    assert resume_run(session, run.id).skipped == {SkipReason.CHANGED: 5}
    store.close()


def test_the_active_total_is_counted_by_the_store(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = plan(session, "id <= 10")
    with store.writing() as connection:
        inactive(connection, 30)

    done = apply_run(session, run.id)

    with store.reading() as connection:
        is_active = tables.contact.c.status == Status.ACTIVE
        count = connection.execute(select(func.count()).where(is_active)).scalar_one()
    assert (
        (run.active_before, done.active_before, done.active_after)
        == (30, 29, count)
        == (
            30,
            29,
            19,
        )
    )
