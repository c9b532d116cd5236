"""What `explain` tells: who did what to a contact, when and why, and what comes next."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from contactctl.domain.errors import NotFoundError
from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import AnonymizeRun
from contactctl.domain.runs import Confirmation
from contactctl.operations.contacts import standing_of
from contactctl.operations.criteria import CriteriaSource, select_contacts
from contactctl.operations.erasure import erase_one
from contactctl.operations.explain import Happening, explain
from contactctl.operations.groups import add_to_group, plan_removing, remove_from_group
from contactctl.operations.reactivation import find_target, reactivate
from contactctl.operations.runs import apply_run, run_confirmed
from contactctl.operations.session import Session
from contactctl.operations.suppressions import add_suppression
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import CREATED, add_contact
from helpers.handled import add_group, add_member, add_response, rule
from helpers.plans import deactivated, plan, undo_of
from helpers.sessions import NOW, make_session

INVALID = Category.INVALID_ADDRESS


LATER = NOW + timedelta(hours=1)
TRANSIENT = Category.TRANSIENT


def later(session: Session) -> Session:
    """The same, an hour on."""
    return replace(session, now=LATER, clock=lambda: LATER)


def add_ann(store: Store) -> None:
    with store.writing() as connection:
        add_member(connection, add_contact(connection, "ann@x.no"), add_group(connection, "news"))


def in_groups(session: Session) -> list[Happening]:
    return [each for each in explain(session, "ann@x.no").timeline if each.group]


def test_a_contact_joins_leaves_and_joins_again(store: Store) -> None:
    add_ann(store)
    session = make_session(store)
    run = remove_from_group(session, "news", "ann@x.no", reason="asked for it").run
    add_to_group(session, "news", "ann@x.no")

    joined, left, again = in_groups(session)
    assert (joined.kind, joined.at) == ("joined", CREATED)
    assert (left.kind, left.at, left.run) == ("left", NOW, run)
    assert (
        left.text
        == f"removed from the group news (groups) by run {run} (tester@host): asked for it"
    )
    assert (again.kind, again.at) == ("joined", NOW)


def test_removed_by_criteria(store: Store) -> None:
    add_ann(store)
    session = make_session(store, limits=Limits(max_contacts=10, max_percent=100))
    selection = select_contacts(session, CriteriaSource(where=["email = ann@x.no"]))
    said = Confirmation(1)
    run = run_confirmed(session, lambda: plan_removing(session, "news", selection, said=said))
    assert run is not None

    _, left = in_groups(session)
    assert (left.kind, left.run) == ("left", run.id)
    assert "(remove-from-group)" in left.text


def test_removed_by_a_handling_rule(store: Store) -> None:
    policy = ResponsePolicy(
        thresholds={INVALID: Threshold(1)},
        handling={INVALID: rule(HandlingAction.REMOVE_FROM_GROUP, 5)},
    )
    add_ann(store)
    limits = Limits(max_contacts=10, max_percent=100)
    session = make_session(store, responses=policy, limits=limits)
    with store.writing() as connection:
        add_response(connection, 1, INVALID, occurred_at=NOW - timedelta(hours=1))
    sweep_thresholds(session)
    later = make_session(store, now=NOW + timedelta(days=6), responses=policy, limits=limits)
    (run,) = sweep(later, IN_ORDER).runs

    _, left = in_groups(later)
    assert (left.kind, left.at, left.run) == ("left", NOW + timedelta(days=6), run.id)
    assert "(handling)" in left.text


def test_deactivated_by_a_plan_of_two_people_and_brought_back_by_hand(store: Store) -> None:
    add_ann(store)
    session = make_session(store)
    boss = replace(session, operator="boss@host")
    run = apply_run(boss, plan(session, "id = 1", reason="clean-up").id)
    back = reactivate(later(session), find_target(session, "1"), reason="asked by phone")

    _, _, deactivated, ended, active = explain(session, "1").timeline
    assert (deactivated.kind, deactivated.run, deactivated.text) == (
        "deactivated",
        run.id,
        f"deactivated system-wide (bulk) by run {run.id}"
        " (planned by tester@host, applied by boss@host): clean-up",
    )
    assert (ended.kind, ended.at, ended.run) == ("ended", LATER, back.run)
    assert ended.text == f"reactivated by run {back.run} (tester@host): asked by phone"
    assert (active.kind, active.at, active.run) == ("reactivated", LATER, back.run)


def test_taken_back_with_the_whole_run(store: Store) -> None:
    add_ann(store)
    session = make_session(store, allow_undo=True)
    undo = apply_run(later(session), undo_of(session, deactivated(session, "id = 1")).id)

    ended = explain(session, "1").timeline[-2]
    assert (ended.kind, ended.run) == ("ended", undo.id)
    assert ended.text == f"undone by run {undo.id} (tester@host)"


@pytest.mark.parametrize("group", [None, "news"])
def test_ended_by_a_handling_rule(store: Store, group: str | None) -> None:
    add_ann(store)
    general, own = rule(HandlingAction.REACTIVATE, 10), rule(HandlingAction.REACTIVATE, 7)
    thresholds = {TRANSIENT: Threshold(1)}
    policy = ResponsePolicy(
        thresholds=thresholds,
        handling={TRANSIENT: general},
        groups={"news": GroupPolicy("news", thresholds, {TRANSIENT: own}, Scope.GROUP)},
    )
    limits = Limits(max_contacts=10, max_percent=100)
    session = make_session(store, responses=policy, limits=limits)
    with store.writing() as connection:
        about = {"occurred_at": NOW - timedelta(hours=1), "group_id": 1 if group else 0}
        add_response(connection, 1, TRANSIENT, **about)
    sweep_thresholds(session)
    after = make_session(store, now=NOW + timedelta(days=11), responses=policy, limits=limits)
    (run,) = sweep(after, IN_ORDER).runs

    (ended,) = [each for each in explain(after, "1").timeline if each.kind == "ended"]
    days = 7 if group else 10
    assert (ended.group, ended.run) == (group, run.id)
    assert ended.text == f"ended by rule: transient after {days} days, run {run.id}"


def test_an_override_and_its_clearing(store: Store) -> None:
    add_ann(store)
    session = make_session(store)
    deactivated(session, "id = 1")
    given = reactivate(later(session), find_target(session, "1", group="news"), reason="opted in")
    cleared = reactivate(later(session), find_target(session, "1", group="news", clears=True))

    _, override, back = in_groups(session)
    assert (override.kind, override.at, override.run) == ("override", LATER, given.run)
    assert override.text == (f"override in news set by run {given.run} (tester@host): opted in")
    assert (back.kind, back.run) == ("cleared", cleared.run)
    assert back.text == f"override in news cleared by run {cleared.run} (tester@host)"


def test_an_anonymised_contact_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    add_ann(store)
    session = make_session(store, suppression_key_file=tmp_path / "suppression.key")
    erase_one(session, AnonymizeRun, standing_of(session, "ann@x.no"))

    (expected,) = explain(session, "1").next
    assert expected.action == "stay-inactive"
    assert expected.text == (
        "the contact was anonymised, which cannot be undone: it stays inactive"
    )


def test_nothing_of_it_outlives_the_contact(store: Store, tmp_path: Path) -> None:
    add_ann(store)
    session = make_session(store, suppression_key_file=tmp_path / "suppression.key")
    remove_from_group(session, "news", "ann@x.no")
    erase_one(session, AnonymizeRun, standing_of(session, "ann@x.no"))
    with store.reading() as connection:
        kept = select(func.count()).select_from(tables.former_membership)
        assert connection.execute(kept).scalar_one() == 0


def test_an_address_without_a_contact_is_suppressed_or_waited_for(
    store: Store, tmp_path: Path
) -> None:
    session = make_session(store, suppression_key_file=tmp_path / "suppression.key")
    with pytest.raises(NotFoundError, match="the address is not suppressed"):
        explain(session, "never@example.org")

    add_suppression(session, "gone@example.org")
    with store.writing() as connection:
        for number in range(2):
            connection.execute(
                insert(tables.unmatched_response).values(
                    email_key="gone@example.org",
                    source_key=f"mail-{number}",
                    category=TRANSIENT,
                    counts=True,
                    recipient="gone@example.org",
                    occurred_at=NOW,
                    recorded_at=NOW,
                    run_id=1,
                )
            )

    with pytest.raises(NotFoundError) as caught:
        explain(session, " GONE@example.org")
    assert "suppressed" in caught.value.message
    assert "2 responses recorded, waiting" in caught.value.message
    assert "--unmatched" in caught.value.hint


def test_what_went_through_an_alias_counts_apart(store: Store) -> None:
    with store.writing() as connection:
        contact_id = add_contact(connection, "sales@x.no")
        for day in range(2):
            values = {"source_key": f"r{day}", "occurred_at": NOW - timedelta(days=day)}
            add_response(connection, contact_id, INVALID, **values, through=True)
    session = make_session(store, responses=ResponsePolicy({INVALID: Threshold(1)}))

    explained = explain(session, "sales@x.no")

    found = [(each.through, each.counted, each.threshold, each.is_due) for each in explained.counts]
    assert found == [(False, 0, 1, False), (True, 2, 3, False)]
    assert "failed through this address" in explained.timeline[-1].text
