"""Sweeps: what is due is done once, within the limits, and nothing is done twice."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from contactctl.domain.errors import BusyError, ExitCode, StoreError
from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    Limits,
    ResponsePolicy,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import AnonymizeRun, IngestRun
from contactctl.domain.runs import Confirmation, RunKind, RunState
from contactctl.operations.erasure import plan_erasing
from contactctl.operations.handling import plan_what_is_due, sweep_handling
from contactctl.operations.ingest import INGESTING
from contactctl.operations.plans import show_plan
from contactctl.operations.runs import apply_run
from contactctl.operations.session import Session
from contactctl.operations.suppressions import add_suppression
from contactctl.operations.sweep import IN_ORDER, SweepPart, look, sweep
from contactctl.output.handling import present_sweep
from contactctl.store import tables
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.store import Store
from contactctl.store.run_steps import start_run
from contactctl.store.runs import insert_run
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.handled import (
    add_deactivated,
    add_group,
    add_member,
    add_response,
    member_states,
    open_categories,
    rule,
    statuses,
)
from helpers.plans import plan, selection, started, states
from helpers.processes import barrier, exit_code_of, start_cli
from helpers.sessions import NOW, make_session

TRANSIENT, UNKNOWN, COMPLAINT = Category.TRANSIENT, Category.UNKNOWN, Category.SPAM_COMPLAINT
REACTIVATE, REMOVE = HandlingAction.REACTIVATE, HandlingAction.REMOVE_FROM_GROUP
POLICY = ResponsePolicy(
    thresholds={UNKNOWN: Threshold(1)},
    handling={TRANSIENT: rule(REACTIVATE, 10)},
    groups={"news": GroupPolicy("news", handling={TRANSIENT: rule(REMOVE, 7)})},
)
NO_LIMITS = Limits(max_contacts=10**6, max_percent=100)
OLD = NOW - timedelta(days=21)


def session_on(store: Store, **values: Any) -> Session:
    return make_session(store, **{"responses": POLICY, "limits": NO_LIMITS, **values})


def test_after_three_weeks_what_is_due_is_done_once(store: Store) -> None:
    """The removal was due on day 7, the reactivation on day 10: both happen now."""
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    bob = add_deactivated(store, "bob@example.com")
    with store.writing() as connection:
        news, offers = add_group(connection, "news"), add_group(connection, "offers")
        for contact_id in (ann, bob):
            add_member(connection, contact_id, news)
        add_member(connection, ann, offers)
        add_response(connection, bob, UNKNOWN)

    first = sweep(session_on(store), IN_ORDER)
    before = dump(store)
    second = sweep(session_on(store), IN_ORDER)

    assert (first.deactivated, first.reactivated, first.removed) == (1, 1, 1)
    assert (first.due, first.problems) == (2, ())
    assert statuses(store) == {ann: "active", bob: "inactive"}
    assert member_states(store) == {(ann, offers): "follows", (bob, news): "follows"}
    assert (second.due, second.runs, second.problems) == (0, (), ())
    assert dump(store) == before


def test_a_contact_out_of_its_last_group_stays(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=NOW - timedelta(days=8))
    with store.writing() as connection:
        add_member(connection, ann, add_group(connection, "news"))

    assert sweep(session_on(store), [SweepPart.HANDLING]).removed == 1
    assert (statuses(store), member_states(store)) == ({ann: "inactive"}, {})


def test_a_complaint_while_deactivated_for_transient_keeps_it_so(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    with store.writing() as connection:
        add_response(connection, ann, COMPLAINT)

    assert sweep(session_on(store), IN_ORDER).runs == ()
    assert statuses(store) == {ann: "inactive"}


def test_a_complaint_between_plan_and_apply_is_in_time(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    bob = add_deactivated(store, "bob@example.com", TRANSIENT, started_at=OLD)
    session = session_on(store)
    run = plan_what_is_due(session)
    assert run is not None
    with store.writing() as connection:
        add_response(connection, ann, COMPLAINT)

    done = apply_run(session, run.id)

    assert (done.planned, done.changed, done.skipped) == (2, 1, {"changed-since-plan": 1})
    assert statuses(store) == {ann: "inactive", bob: "active"}


def test_over_the_limits_one_plan_waits_however_often_cron_comes_by(store: Store) -> None:
    for number in range(4):
        add_deactivated(store, f"c{number}@example.com", TRANSIENT, started_at=OLD)
    session = session_on(store, limits=Limits(max_contacts=3, max_percent=100))

    first, second = (sweep(session, IN_ORDER) for _ in range(2))

    # said once, waiting as long as it waits
    assert [problem.code for problem in first.problems] == ["over-limit"]
    assert second.problems == ()
    for result in (first, second):
        assert (result.reactivated, result.due) == (0, 4)
    assert [run.id for run in first.waiting] == [run.id for run in second.waiting]
    assert states(store) == [RunState.PLANNED]
    assert "over the limit of 3 contacts" in first.waiting[0].message
    shown = show_plan(session, first.waiting[0].id)
    assert [(each.category, each.contacts) for each in shown.by_rule] == [(TRANSIENT, 4)]
    assert apply_run(session, first.waiting[0].id).changed == 4
    assert set(statuses(store).values()) == {"active"}


def test_only_those_who_come_back_are_held_against_the_total_afterwards(store: Store) -> None:
    """Three of twelve active contacts are removed from a group: 25 % of what is active now."""
    seed_contacts(store, 12)
    waiting = [
        add_deactivated(store, f"c{n}@example.com", TRANSIENT, started_at=NOW - timedelta(days=8))
        for n in range(3)
    ]
    with store.writing() as connection:
        news = add_group(connection, "news")
        for contact_id in waiting:
            add_member(connection, contact_id, news)
    limits = Limits(max_contacts=10**6, max_percent=24)

    held = sweep(session_on(store, limits=limits), [SweepPart.HANDLING]).waiting[0]

    assert "3 of 12 active contacts" in held.message
    assert show_plan(session_on(store), held.id).stakes.phrase == "handle 3 of 12"
    for contact_id in waiting:  # three days later they come back as well: 3 of 15
        assert statuses(store)[contact_id] == "inactive"
    later = session_on(store, limits=limits, now=NOW + timedelta(days=3))
    assert sweep(later, [SweepPart.HANDLING]).reactivated == 3


def test_a_plan_that_waited_too_long_makes_room_for_the_next(store: Store) -> None:
    add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    limits = Limits(max_contacts=0, max_percent=100)
    sweep(session_on(store, limits=limits), IN_ORDER)
    result = sweep(session_on(store, limits=limits, now=NOW + timedelta(days=2)), IN_ORDER)

    assert len(result.expired) == 1
    assert states(store) == [RunState.EXPIRED, RunState.PLANNED]


def test_it_finishes_what_was_interrupted_and_expires_what_was_forgotten(store: Store) -> None:
    for number in range(6):
        add_deactivated(store, f"c{number}@example.com")
    session = session_on(store)
    interrupted = plan(session, "id <= 4")
    start_run(store, interrupted.id, NOW, operator="tester@host")
    plan(session, "id > 4")

    early = sweep(session, [SweepPart.RUNS])
    late = sweep(session_on(store, now=NOW + timedelta(days=3)), [SweepPart.RUNS])

    assert (early.finished, early.expired) == ((interrupted.id,), ())
    assert (late.finished, len(late.expired)) == ((), 1)
    assert states(store) == [RunState.DONE, RunState.EXPIRED]
    assert sorted(statuses(store).values()) == ["active"] * 2 + ["inactive"] * 4


def test_an_ingest_that_died_before_its_first_batch_is_ended(store: Store) -> None:
    session = session_on(store)
    with store.writing() as connection:
        insert_run(
            connection,
            session.request(IngestRun()),
            state=RunState.RUNNING,
            now=NOW,
        )
    with exclusive(store, INGESTING):
        sweep(session, IN_ORDER)
    assert states(store) == [RunState.RUNNING]

    sweep(session, IN_ORDER)
    assert states(store) == [RunState.FAILED]


def test_who_comes_second_is_told_so_at_once(store: Store) -> None:
    add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    with exclusive(store, CONTACT_CHANGES):
        result = sweep(session_on(store), [SweepPart.HANDLING])

    assert [type(problem) for problem in result.problems] == [BusyError]
    assert result.runs == ()


def test_a_run_that_cannot_go_on_keeps_nothing_else_from_being_done(
    store: Store, tmp_path: Path
) -> None:
    """Cron would otherwise do nothing at all until somebody looks."""
    for number in range(4):
        add_deactivated(store, f"c{number}@example.com")
    due = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    session = session_on(store, suppression_key_file=tmp_path / "key")
    eraser = replace(session, operator=f"tester@host as {store.database_role()}")
    add_suppression(session, "gone@example.com")
    stuck = plan_erasing(
        eraser, AnonymizeRun, selection(session, "id = 1"), said=Confirmation(1, 1)
    )
    interrupted = started(session, "id = 2")
    (tmp_path / "key").unlink()

    result = sweep(session, IN_ORDER)

    assert stuck is not None
    assert [problem.code for problem in result.problems] == ["no-suppression-key"]
    assert result.finished == (interrupted.id,)
    assert f"run {stuck.id} was cut short" in result.problems[0].message
    assert (result.reactivated, statuses(store)[due]) == (1, "active")
    assert present_sweep(result).exit_code == ExitCode.STORE


def test_a_part_that_fails_keeps_no_other_from_being_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)

    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("no such table")

    monkeypatch.setattr("contactctl.operations.sweep.sweep_thresholds", fail)
    result = sweep(session_on(store), IN_ORDER)

    assert [problem.message for problem in result.problems] == ["no such table"]
    assert result.reactivated == 1


def test_looking_writes_nothing(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)
    bob = add_deactivated(store, "bob@example.com")
    with store.writing() as connection:
        add_member(connection, ann, add_group(connection, "news"))
        add_response(connection, bob, UNKNOWN)
    before = dump(store)

    due = look(session_on(store), IN_ORDER)

    assert (due.thresholds_total, due.handling_total, due.contacts) == (1, 1, 2)
    assert [(each.action, each.group, each.contacts) for each in due.handling] == [
        (REACTIVATE, None, 1),
        (REMOVE, "news", 1),
    ]
    assert [row["id"] for row in due.rows] == [ann]
    assert dump(store) == before


def test_rules_of_a_group_that_the_store_has_not_are_passed_over(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=OLD)

    assert sweep_handling(session_on(store)).runs
    assert open_categories(store, ann) == []


def test_rejoining_a_group_does_not_lift_what_is_open_there(store: Store) -> None:
    from contactctl.operations.groups import add_to_group
    from helpers.handled import open_deactivation

    ann = add_deactivated(store, "ann@example.com")
    with store.writing() as connection:
        news = add_group(connection, "news")
        add_member(connection, ann, news)
        open_deactivation(connection, ann, group_id=news, started_at=OLD)
    session = session_on(store)
    assert sweep(session, IN_ORDER).removed == 1
    add_to_group(session, "news", "ann@example.com")

    assert member_states(store) == {(ann, news): "inactive"}


CONFIG = """
limits: {max_contacts: 1000, max_percent: 100}
thresholds: {unknown: {count: 1}}
handling: {transient: {reactivate_after: 10 days}}
"""


def sweep_at_once(store: Store, store_url: str, config: str, processes: int) -> list[int]:
    together = barrier(processes)
    args = ["sweep", "all", "--yes", "--json", "--database", store_url, "--config", config]
    started = [start_cli(args, batch_contacts=10, together=together) for _ in range(processes)]
    return [exit_code_of(process) for process in started]


@pytest.mark.skipif(os.name == "nt", reason="needs fork")
@pytest.mark.parametrize("processes", [6, pytest.param(20, marks=pytest.mark.torture)])
def test_sweeps_started_at_once_make_each_change_once(
    store: Store, store_url: str, tmp_path: Any, processes: int
) -> None:
    config = tmp_path / "sweep.yaml"
    config.write_text(CONFIG)
    ids = [
        add_deactivated(store, f"c{n}@example.com", TRANSIENT, started_at=OLD) for n in range(60)
    ]
    bouncing = [add_deactivated(store, f"d{n}@example.com") for n in range(40)]
    with store.writing() as connection:
        for contact_id in bouncing:
            add_response(connection, contact_id, UNKNOWN)

    exit_codes = sweep_at_once(store, store_url, str(config), processes)

    assert set(exit_codes) <= {0, 6}
    assert 0 in exit_codes
    sweep_at_once(store, store_url, str(config), 1)  # should the others have found it busy
    assert statuses(store) == {
        **dict.fromkeys(ids, "active"),
        **dict.fromkeys(bouncing, "inactive"),
    }
    run = tables.run
    with store.reading() as connection:
        totals = connection.execute(
            select(run.c.kind, func.count(), func.sum(run.c.changed)).group_by(run.c.kind)
        )
        assert {row[0]: (row[1], int(row[2])) for row in totals} == {
            RunKind.HANDLING: (1, 60),
            RunKind.THRESHOLDS: (1, 40),
        }
