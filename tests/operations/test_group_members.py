"""Taking members out of a group by criteria: planned, applied, and what others see of it."""

from contactctl.domain.runs import Run, SkipReason
from contactctl.operations.groups import plan_removing
from contactctl.operations.plans import show_plan
from contactctl.operations.runs import apply_run
from contactctl.operations.session import Session
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.handled import member_states
from helpers.meanwhile import leave_a_group, make_inactive
from helpers.plans import NO_LIMITS, plan, selection
from helpers.sessions import make_session


def removal(session: Session, *where: str) -> Run:
    """A planned run that takes these contacts out of the newsletter."""
    run = plan_removing(session, "newsletter", selection(session, *where))
    assert run is not None
    return run


def newsletter(store: Store) -> list[int]:
    return sorted(contact for contact, group in member_states(store) if group == 1)


def test_members_leave_that_group_alone_and_the_others_are_skipped(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store)
    run = removal(session, "id <= 10")
    with store.writing() as connection:
        leave_a_group(connection, 2)

    done = apply_run(session, run.id)

    assert (done.planned, done.changed, done.skipped) == (5, 4, {SkipReason.CHANGED: 1})
    assert newsletter(store) == [12, 14, 16, 18, 20]
    assert (6, 2) in member_states(store)


def test_a_plan_from_before_does_not_take_the_contacts_for_those_that_were_shown(
    store: Store,
) -> None:
    seed_contacts(store, 20)
    session = make_session(store)
    shown_before = plan(session, "group = newsletter", "id <= 4")

    apply_run(session, removal(session, "id <= 2").id)

    done = apply_run(session, shown_before.id)
    assert (done.changed, done.skipped) == (1, {SkipReason.CHANGED: 1})


def test_of_more_inactive_contacts_than_active_ones_the_share_is_of_themselves(
    store: Store,
) -> None:
    seed_contacts(store, 20)
    with store.writing() as connection:
        for contact_id in range(1, 19):
            make_inactive(connection, contact_id)
    session = make_session(store, limits=NO_LIMITS)

    stakes = show_plan(session, removal(session, "status = inactive").id).stakes

    assert (stakes.count, stakes.total, stakes.limits_exceeded) == (9, 9, ())
