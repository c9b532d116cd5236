"""Plans: frozen by the database, shown as written, gone when not wanted."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from contactctl.domain.errors import InterruptedByUserError, RefusedError
from contactctl.domain.policies import Billing, BillingTier, Limits
from contactctl.domain.runs import Confirmation, RunKind, RunState
from contactctl.operations.plans import drop_if_planned, expire_plans, plan_deactivation, show_plan
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import NO_LIMITS, active_ids, confirmed, plan, plan_items, selection, states
from helpers.sessions import NOW, make_session


def test_a_plan_holds_exactly_the_matching_active_contacts(store: Store) -> None:
    seed_contacts(store, 200)
    with store.writing() as connection:
        connection.execute(
            update(tables.contact).where(tables.contact.c.id <= 20).values(status="inactive")
        )
    session = make_session(store)

    run = plan(session, "id <= 50")

    assert (run.kind, run.state, run.planned) == (RunKind.DEACTIVATE, RunState.PLANNED, 30)
    assert plan_items(store) == 30
    assert len(active_ids(store)) == run.active_before == 180


def test_a_plan_records_who_asks_what_and_when(store: Store) -> None:
    seed_contacts(store, 100)
    session = make_session(store)

    run = plan(session, "last_opportunity older-than 24 months", reason="spring cleaning")

    assert (run.operator, run.reason, run.database) == (
        "tester@host",
        "spring cleaning",
        store.identity,
    )
    assert (run.planned_at, run.started_at, run.finished_at) == (NOW, None, None)
    assert run.expires_at == NOW + timedelta(hours=24)
    assert run.details.to_json()["conditions"] == [
        ["last_opportunity older-than 24 months", "last_opportunity before 2024-06-15"]
    ]
    assert run.details.to_json()["as_of"] == "2026-06-15T12:00:00Z"
    assert run.details.to_json()["left_out"] == {"last_opportunity": 15}
    assert run.details.to_json()["prebuilt"] is False


def test_without_conditions_the_prebuilt_criteria_are_planned_and_said_so(store: Store) -> None:
    seed_contacts(store, 200)
    session = make_session(store)

    run = plan(session)

    assert run.details.to_json()["prebuilt"] is True
    assert run.planned == plan(session, "last_opportunity older-than 24 months").planned > 50


def test_where_nothing_matches_there_is_no_run(store: Store) -> None:
    seed_contacts(store, 10)
    before = dump(store)

    assert plan_deactivation(make_session(store), selection(make_session(store), "id > 10")) is None
    assert dump(store) == before


@pytest.mark.parametrize("said", [Confirmation(9), Confirmation(0), Confirmation(11, 11)])
def test_a_wrong_count_leaves_no_trace(store: Store, said: Confirmation) -> None:
    seed_contacts(store, 100)
    before = dump(store)
    session = make_session(store, limits=NO_LIMITS)

    with pytest.raises(RefusedError, match="10 contacts match"):
        plan_deactivation(session, selection(session, "id <= 10"), said=said)
    assert dump(store) == before


def test_a_count_for_nothing_that_says_something_is_refused(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)

    with pytest.raises(RefusedError, match="0 contacts match"):
        plan_deactivation(session, selection(session, "id > 10"), said=Confirmation(3))
    assert plan_deactivation(session, selection(session, "id > 10"), said=Confirmation(0)) is None


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        (Limits(max_contacts=10, max_percent=Decimal(10)), False),
        (Limits(max_contacts=9, max_percent=Decimal(10)), True),
        (Limits(max_contacts=10, max_percent=Decimal("9.99")), True),
        (Limits(max_contacts=0, max_percent=Decimal(0)), True),
    ],
)
def test_limits_hold_at_their_edges(store: Store, limits: Limits, refused: bool) -> None:
    seed_contacts(store, 100)
    before = dump(store)
    session = make_session(store, limits=limits)
    chosen = selection(session, "id <= 10")

    if refused:
        with pytest.raises(RefusedError) as refusal:
            plan_deactivation(session, chosen, said=Confirmation(10))
        assert refusal.value.code == "over-limit"
        assert dump(store) == before
    run = plan_deactivation(session, chosen, said=Confirmation(10, 10 if refused else None))

    assert run is not None
    assert (run.state, run.planned, run.expires_at) == (RunState.RUNNING, 10, None)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, InterruptedByUserError])
@pytest.mark.parametrize("said", [None, confirmed(10)])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_interrupted_in_the_moment_of_the_commit_no_plan_stays(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    interruption: Callable[..., BaseException],
    said: Confirmation | None,
    moment: str,
) -> None:
    seed_contacts(store, 100)
    session = make_session(store)
    chosen = selection(session, "id <= 10")
    dialect = store.engine.dialect
    commits = [dialect.do_commit]

    def commit(connection: object) -> None:
        do_commit = commits[0]
        monkeypatch.undo()
        if moment == "after":
            do_commit(connection)
        raise interruption("now")

    def commit_of_writing(connection: object) -> None:
        # the reading before it counts who was left out
        monkeypatch.setattr(dialect, "do_commit", commit)
        commits[0](connection)

    monkeypatch.setattr(dialect, "do_commit", commit_of_writing)
    with pytest.raises((KeyboardInterrupt, InterruptedByUserError)):
        plan_deactivation(session, chosen, said=said)

    assert plan_items(store) == 0
    assert states(store) == ([RunState.CANCELLED] if moment == "after" else [])
    assert len(active_ids(store)) == 100


def test_a_plan_shows_what_it_holds_and_means(store: Store) -> None:
    seed_contacts(store, 100)
    billing = Billing("USD", (BillingTier(90, Decimal(29)), BillingTier(None, Decimal(99))))
    session = make_session(store, billing=billing)

    shown = show_plan(session, plan(session, "id <= 40").id)

    assert [row["id"] for row in shown.rows] == list(range(1, 31))
    assert shown.rows[0]["email"] == "bo.andersen.1@mail1.example.com"
    assert (shown.stakes.count, shown.stakes.total) == (40, 100)
    assert shown.stakes.phrase == "deactivate 40 of 100"
    assert len(shown.stakes.limits_exceeded) == 1
    assert shown.impact is not None
    assert (shown.impact.active_before, shown.impact.active_after) == (100, 60)
    assert shown.impact.members_lost == {"newsletter": 20, "customers": 13, "partners": 4}
    assert shown.impact.tier_before == BillingTier(None, Decimal(99))
    assert shown.impact.tier_after == BillingTier(90, Decimal(29))


def test_a_plan_shows_its_own_contacts_not_those_of_others(store: Store) -> None:
    seed_contacts(store, 100)
    session = make_session(store)
    plan(session, "id <= 40")

    shown = show_plan(session, plan(session, "id between 39 and 41").id)

    assert [row["id"] for row in shown.rows] == [39, 40, 41]
    assert plan_items(store) == 43


def test_a_dropped_plan_leaves_only_the_run_that_says_so(store: Store) -> None:
    seed_contacts(store, 100)
    session = make_session(store)
    kept = plan(session, "id <= 5")
    before = dump(store, without=("run",))
    dropped = plan(session, "id <= 40")

    drop_if_planned(session, dropped.id, "not confirmed")
    drop_if_planned(session, dropped.id, "once more, which does nothing")

    assert dump(store, without=("run",)) == before
    assert states(store) == [RunState.PLANNED, RunState.CANCELLED]
    assert plan_items(store) == kept.planned


def test_plans_expire_at_their_time_and_not_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 20)
    plan(make_session(store), "id <= 5")
    late = NOW + timedelta(hours=24)

    assert expire_plans(make_session(store, now=late - timedelta(microseconds=1))) == []
    assert plan_items(store) == 5
    assert expire_plans(make_session(store, now=late)) == [1]
    assert expire_plans(make_session(store, now=late)) == []
    # one that somebody has ended since it was looked for is no trouble
    monkeypatch.setattr("contactctl.operations.plans.overdue_plans", lambda *_: [1])
    assert expire_plans(make_session(store, now=late)) == []
    assert (plan_items(store), states(store)) == (0, [RunState.EXPIRED])
    assert len(active_ids(store)) == 20
