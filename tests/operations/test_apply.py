"""Applying plans: exactly the planned contacts, whatever happens meanwhile."""

from dataclasses import replace

from sqlalchemy import func, select, update

from contactctl.domain.contacts import Origin, Status
from contactctl.domain.runs import Run, RunState, SkipReason
from contactctl.operations.plans import plan_deactivation
from contactctl.operations.runs import apply_run, begin_run, resume_run, run_confirmed
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import CREATED, seed_contacts
from helpers.dumps import dump
from helpers.meanwhile import make_inactive
from helpers.plans import (
    NO_LIMITS,
    active_ids,
    confirmed,
    deactivated_by,
    plan,
    plan_items,
    selection,
)
from helpers.sessions import NOW, make_session


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
            "taken_back": False,
            "from_contact": None,
        }
    ]


def test_data_tags_and_memberships_of_the_contacts_stay_as_they_are(store: Store) -> None:
    seed_contacts(store, 50)
    session = make_session(store)
    moved = ("run", "deactivation", "change")
    before = dump(store, without=moved)

    apply_run(session, plan(session, "id <= 50").id)

    with store.writing() as connection:
        assert set(connection.execute(select(tables.contact.c.updated)).scalars()) == {NOW}
        as_before = {"status": Status.ACTIVE, "updated": CREATED}
        connection.execute(update(tables.contact).values(as_before))
    assert dump(store, without=moved) == before


def test_contacts_created_after_the_plan_are_not_touched(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store)
    run = plan(session, "id > 0")
    seed_contacts(store, 5, after=20)

    assert apply_run(session, run.id).changed == 20
    assert active_ids(store) == set(range(21, 26))


def test_who_starts_a_planned_run_has_applied_it(store: Store) -> None:
    """Whether this process works through it, or leaves it to one in the background."""
    seed_contacts(store, 10)
    session = make_session(store)
    boss = replace(session, operator="boss@host")

    begun = begin_run(boss, plan(session, "id = 4").id)
    done = resume_run(boss, begun.id)

    assert (begun.operator, begun.applied_by) == ("tester@host", "boss@host")
    assert (done.applied_by, done.resumed_by) == ("boss@host", None)
    assert resume_run(session, begin_run(boss, plan(session, "id = 5").id).id).resumed_by == (
        "tester@host"
    )


def test_two_plans_of_the_same_contacts_deactivate_them_once(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    first, second = plan(session, "id <= 20"), plan(session, "id between 11 and 30")

    apply_run(session, first.id)
    done = apply_run(session, second.id)

    assert (done.changed, done.skipped) == (10, {SkipReason.NOT_ACTIVE: 10})
    assert deactivated_by(store, first.id) + deactivated_by(store, second.id) == [*range(1, 31)]


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


def test_the_active_total_is_counted_by_the_store(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = plan(session, "id <= 10")
    with store.writing() as connection:
        make_inactive(connection, 30)

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
