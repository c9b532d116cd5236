"""Taking a whole run back: only what it deactivated, and nothing touched since."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from contactctl.domain.contacts import MembershipState, Status
from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import GroupPolicy, Limits, ResponsePolicy
from contactctl.domain.runs import RunKind, RunState, SkipReason
from contactctl.operations.plans import show_plan
from contactctl.operations.reactivation import plan_undo_of, preview_undo, require_undoable
from contactctl.operations.runs import apply_run, cancel_run
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.run_steps import apply_batch, start_run
from helpers.contacts import add_contact, seed_contacts
from helpers.dumps import dump
from helpers.handled import add_group, add_member, member_states, open_deactivation
from helpers.plans import active_ids, confirmed, deactivated, deactivated_by, plan, started, undo_of
from helpers.sessions import NOW, make_session

LATER = NOW + timedelta(days=3)


def reactivate(store: Store, contact_id: int) -> None:
    """End every open deactivation of a contact, as reactivating it by hand does."""
    deactivation, contact = tables.deactivation, tables.contact
    with store.writing() as connection:
        connection.execute(
            update(deactivation)
            .where(deactivation.c.contact_id == contact_id, deactivation.c.ended_at.is_(None))
            .values(ended_at=NOW, ended_by_run_id=99)
        )
        connection.execute(
            update(contact).where(contact.c.id == contact_id).values(status=Status.ACTIVE)
        )


def deactivate_again(
    store: Store, contact_id: int, *, run_id: int = 98, category: str = "spam-complaint"
) -> None:
    row = {"contact_id": contact_id, "group_id": 0, "run_id": run_id, "category": category}
    with store.writing() as connection:
        connection.execute(
            insert(tables.deactivation).values(row | {"origin": "threshold", "started_at": NOW})
        )
        connection.execute(
            update(tables.contact)
            .where(tables.contact.c.id == contact_id)
            .values(status=Status.INACTIVE)
        )


def test_undo_brings_back_what_the_run_deactivated(store: Store, small_batches: None) -> None:
    seed_contacts(store, 40)
    session = make_session(store, allow_undo=True)
    before = dump(store, without=("run", "deactivation", "contact", "change"))
    run = deactivated(session, "id between 5 and 30")
    others = deactivated(session, "id > 35")

    later = make_session(store, now=LATER, allow_undo=True)
    undo = apply_run(later, undo_of(later, require_undoable(later, run.id)).id)

    assert (undo.kind, undo.state, undo.planned, undo.changed) == (
        RunKind.UNDO,
        RunState.DONE,
        26,
        26,
    )
    assert (undo.active_before, undo.active_after) == (9, 35)
    assert active_ids(store) == set(range(1, 36))
    assert deactivated_by(store, others.id) == [36, 37, 38, 39, 40]
    with store.reading() as connection:
        ended = {
            (row.run_id, row.ended_at, row.ended_by_run_id)
            for row in connection.execute(tables.deactivation.select())
        }
    assert ended == {(run.id, LATER, undo.id), (others.id, None, None)}
    assert dump(store, without=("run", "deactivation", "contact", "change")) == before


def test_undo_leaves_alone_whom_somebody_has_touched_since(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 10")
    reactivate(store, 2)
    reactivate(store, 3)
    deactivate_again(store, 3)
    deactivate_again(store, 4)

    planned = undo_of(session, run)
    assert planned.planned == 7
    undo = apply_run(session, planned.id)

    assert (undo.changed, undo.skipped) == (7, {})
    assert active_ids(store) == {1, 2, *range(5, 21)}


def test_whoever_is_touched_between_plan_and_undo_is_skipped(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store, allow_undo=True)
    planned = undo_of(session, deactivated(session, "id <= 10"))
    reactivate(store, 2)
    deactivate_again(store, 4)
    with store.writing() as connection:
        connection.execute(tables.contact.delete().where(tables.contact.c.id == 7))

    undo = apply_run(session, planned.id)

    assert (undo.planned, undo.changed, undo.skipped_total) == (10, 7, 3)
    assert active_ids(store) == {*range(1, 21)} - {4, 7}


def test_a_contact_with_another_reason_of_an_automatic_run_comes_back_once(store: Store) -> None:
    """Thresholds of two categories reached at once: two deactivations, one contact."""
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 3")
    deactivate_again(store, 2, run_id=run.id, category="blocked")

    undo = apply_run(session, undo_of(session, run).id)

    assert (undo.planned, undo.changed) == (3, 3)
    assert active_ids(store) == set(range(1, 11))


def test_deactivations_in_one_group_alone_are_undone_too(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 3")
    row = {"contact_id": 10, "group_id": 1, "run_id": run.id, "category": "blocked"}
    where = (tables.membership.c.contact_id == 10, tables.membership.c.group_id == 1)
    with store.writing() as connection:
        connection.execute(
            insert(tables.deactivation).values(row | {"origin": "threshold", "started_at": NOW})
        )
        connection.execute(update(tables.membership).where(*where).values(state="inactive"))

    assert apply_run(session, undo_of(session, run).id).changed == 4
    with store.reading() as connection:
        member = connection.execute(select(tables.membership).where(*where)).one()
        contact = connection.execute(select(tables.contact).where(tables.contact.c.id == 10)).one()
    assert (member.state, member.reactivated_at) == ("follows", NOW)
    assert contact.reactivated_at is None  # it was never inactive everywhere


def test_a_reason_that_holds_elsewhere_keeps_nobody_back(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id = 10")
    with store.writing() as connection:
        open_deactivation(connection, 10, "blocked", group_id=1)

    undo = apply_run(session, undo_of(session, run).id)

    assert (undo.planned, undo.changed, undo.skipped) == (1, 1, {})
    assert 10 in active_ids(store)
    assert member_states(store)[10, 1] == "inactive"


def test_an_undone_run_is_not_done_again_by_the_responses_that_caused_it(store: Store) -> None:
    seed_contacts(store, 3)
    session = make_session(store, allow_undo=True)
    apply_run(session, undo_of(session, deactivated(session, "id = 2")).id)

    with store.reading() as connection:
        rows = connection.execute(select(tables.contact.c.id, tables.contact.c.reactivated_at))
        assert dict(tuple(row) for row in rows) == {1: None, 2: NOW, 3: None}


def test_a_run_is_undone_once(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 5")
    apply_run(session, undo_of(session, run).id)
    before = dump(store)

    assert plan_undo_of(session, run) is None
    assert dump(store) == before


def test_after_an_undo_the_contacts_can_be_deactivated_again(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    apply_run(session, undo_of(session, deactivated(session, "id <= 5")).id)

    again = deactivated(session, "id <= 7")

    assert (again.changed, deactivated_by(store, again.id)) == (7, [1, 2, 3, 4, 5, 6, 7])


def test_a_plan_of_before_skips_contacts_that_came_back_meanwhile(store: Store) -> None:
    """They are not as they were shown: somebody has decided about them since."""
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    waiting = plan(session, "id <= 5")
    apply_run(session, undo_of(session, deactivated(session, "id <= 3")).id)

    assert apply_run(session, waiting.id).skipped == {SkipReason.CHANGED: 3}
    assert active_ids(store) == {1, 2, 3, *range(6, 11)}


def test_the_part_of_a_cancelled_run_can_be_undone(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store, allow_undo=True)
    run = started(session, "id <= 20")
    apply_batch(store, run, 8, NOW)
    cancelled = cancel_run(session, run.id)

    assert (
        apply_run(session, undo_of(session, require_undoable(session, cancelled.id)).id).changed
        == 8
    )
    assert len(active_ids(store)) == 30


def test_undo_is_off_unless_the_config_allows_it(store: Store) -> None:
    seed_contacts(store, 10)
    run = deactivated(make_session(store), "id <= 2")

    with pytest.raises(RefusedError, match="is off") as refusal:
        require_undoable(make_session(store), run.id)
    assert (refusal.value.code, "allow_undo" in refusal.value.hint) == ("undo-off", True)


def test_only_finished_runs_that_deactivate_can_be_undone(store: Store) -> None:
    seed_contacts(store, 20)
    session = make_session(store, allow_undo=True)
    running = start_run(store, plan(session, "id > 10").id, NOW, operator="tester@host")
    with pytest.raises(RefusedError, match="not finished"):
        require_undoable(session, running.id)
    cancel_run(session, running.id)
    undo = undo_of(session, deactivated(session, "id <= 2"))

    with pytest.raises(RefusedError, match=r"\(undo\) has deactivated no contact"):
        require_undoable(session, undo.id)


def test_an_undo_gives_back_whom_groups_do_not_mail_now(store: Store) -> None:
    """Followers of a contact that comes back, and members kept out of the group alone."""
    with store.writing() as connection:
        news, offers = add_group(connection, "news"), add_group(connection, "offers")
        for number in range(1, 6):
            contact_id = add_contact(connection, f"c{number}@x.no")
            add_member(connection, contact_id, news)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 3")
    with store.writing() as connection:
        add_member(connection, 1, offers, MembershipState.ACTIVE)  # mailed now as well
        open_deactivation(connection, 2, group_id=news, run_id=98)  # another run's, which stays
        open_deactivation(connection, 3, run_id=99)  # the same system-wide: it does not come back
        open_deactivation(connection, 4, group_id=news, run_id=run.id)

    for impact in (
        preview_undo(session, run).impact,
        show_plan(session, undo_of(session, run).id).impact,
    ):
        assert impact is not None
        assert (impact.active_before, impact.active_after) == (2, 4)
        assert impact.members_regained == {"news": 2}
        assert (impact.members_lost, impact.brings_back) == ({}, True)


def test_an_undo_gives_nobody_back_to_a_group_that_mails_them_anyway(store: Store) -> None:
    with store.writing() as connection:
        news = add_group(connection, "news")
        add_member(connection, add_contact(connection, "ann@x.no"), news)
    policy = ResponsePolicy(groups={"news": GroupPolicy("news", bypass_system_wide=True)})
    session = make_session(store, allow_undo=True, responses=policy)
    run = deactivated(session, "id = 1")

    impact = preview_undo(session, run).impact
    assert (impact.active_after, impact.members_regained) == (1, {})


def test_the_share_of_an_undo_is_of_the_active_afterwards(store: Store) -> None:
    seed_contacts(store, 40)
    session = make_session(store, allow_undo=True, limits=Limits(max_contacts=100, max_percent=25))
    run = deactivated(session, "id <= 10")
    shown = show_plan(session, undo_of(session, run).id)

    assert shown.stakes.phrase == "reactivate 10 of 40"
    assert shown.stakes.limits_exceeded == ()
    assert shown.undone == run
    assert [row["id"] for row in shown.rows] == list(range(1, 11))


def test_a_script_confirms_an_undo_with_its_count(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, allow_undo=True)
    run = deactivated(session, "id <= 2")
    before = dump(store)

    with pytest.raises(RefusedError, match="2 contacts match"):
        plan_undo_of(session, run, said=confirmed(3))
    assert dump(store) == before
    undo = plan_undo_of(session, run, said=confirmed(2))
    assert undo is not None
    assert undo.state is RunState.RUNNING
