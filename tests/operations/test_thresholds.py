"""Thresholds carried out: at their edges, within the limits, over them, and after a kill."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from contactctl.domain.policies import (
    GroupPolicy,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.domain.runs import RunState
from contactctl.operations.plans import show_plan
from contactctl.operations.runs import apply_run, read_run
from contactctl.operations.session import Session
from contactctl.operations.thresholds import plan_thresholds, sweep_thresholds, thresholds_due
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.due import DueCounts
from helpers.responses import (
    insert_contact,
    insert_deactivation,
    insert_group,
    insert_member,
    open_deactivations,
    respond,
    statuses,
)
from helpers.sessions import NOW, make_session

TICK = timedelta(microseconds=1)
NO_LIMITS = Limits(max_contacts=1000, max_percent=Decimal(100))
FIVE_IN_A_MONTH = {Category.TRANSIENT: Threshold(5, timedelta(days=30), days_apart=0)}
AT_ONCE = {
    Category.INVALID_ADDRESS: Threshold(1),
    Category.SPAM_COMPLAINT: Threshold(1),
}
NEWS = 7


def session_with(store: Store, *, limits: Limits = NO_LIMITS, **policy: Any) -> Session:
    return make_session(store, responses=ResponsePolicy(**policy), limits=limits)


def add_contacts(store: Store, *ids: int, **values: Any) -> None:
    with store.writing() as connection:
        for contact_id in ids:
            insert_contact(connection, contact_id, **values)


def add_news_member(store: Store, contact_id: int = 1) -> None:
    with store.writing() as connection:
        insert_group(connection, NEWS, "News")
        insert_member(connection, contact_id, NEWS)


def deactivated(store: Store) -> list[tuple[int, int, str]]:
    with store.reading() as connection:
        return open_deactivations(connection)


def status_of(store: Store, contact_id: int = 1) -> str:
    with store.reading() as connection:
        return statuses(connection)[contact_id]


def days_ago(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=each) for each in days]


def test_one_response_short_of_the_count_changes_nothing(store: Store) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1, 2, 3, 4))
    result = sweep_thresholds(session_with(store, thresholds=FIVE_IN_A_MONTH))
    assert (result.runs, result.waiting, status_of(store)) == ((), None, "active")


def test_the_count_reached_exactly_deactivates_once(store: Store) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1, 2, 3, 4, 5))
    session = session_with(store, thresholds=FIVE_IN_A_MONTH)
    result = sweep_thresholds(session)
    assert (result.changed, result.runs[0].state) == (1, RunState.DONE)
    assert deactivated(store) == [(1, 0, "transient")]
    assert status_of(store) == "inactive"
    again = sweep_thresholds(session)
    assert (again.runs, again.waiting) == ((), None)


@pytest.mark.parametrize(
    ("outside", "expected"), [(timedelta(0), "inactive"), (TICK, "active")], ids=["at", "before"]
)
def test_the_edge_of_the_window_counts(store: Store, outside: timedelta, expected: str) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1, 2, 3, 4), NOW - timedelta(days=30) - outside)
    sweep_thresholds(session_with(store, thresholds=FIVE_IN_A_MONTH))
    assert status_of(store) == expected


@pytest.mark.parametrize(
    ("now", "first", "expected"),
    [
        ("2026-03-31T00:00:00+00:00", "2026-03-01T00:00:00+00:00", "inactive"),
        ("2026-03-31T00:00:00+00:00", "2026-02-28T23:59:59+00:00", "active"),
        ("2024-03-30T00:00:00+00:00", "2024-02-29T00:00:00+00:00", "inactive"),
        ("2026-01-01T00:00:00+00:00", "2025-12-02T00:00:00+00:00", "inactive"),
        # the night the clocks go forward in Oslo: thirty days are 720 hours all the same
        ("2026-03-29T02:30:00+02:00", "2026-02-27T01:30:00+01:00", "inactive"),
        ("2026-03-29T02:30:00+02:00", "2026-02-27T01:29:59+01:00", "active"),
    ],
)
def test_windows_are_days_of_24_hours_across_month_ends(
    store: Store, now: str, first: str, expected: str
) -> None:
    at = datetime.fromisoformat(now)
    add_contacts(store, 1)
    respond(store, 1, datetime.fromisoformat(first), at - timedelta(days=1))
    policy = ResponsePolicy({Category.TRANSIENT: Threshold(2, timedelta(days=30), days_apart=0)})
    sweep_thresholds(make_session(store, now=at, responses=policy, limits=NO_LIMITS))
    assert status_of(store) == expected


def test_responses_before_a_reactivation_count_no_more(store: Store) -> None:
    """Not even one that is recorded only afterwards, or that happened at the very instant."""
    reactivated_at = NOW - timedelta(days=2)
    add_contacts(store, 1, reactivated_at=reactivated_at)
    respond(store, 1, *days_ago(3, 4, 5, 6, 7))
    respond(store, 1, reactivated_at, category=Category.INVALID_ADDRESS)
    sweep_thresholds(session_with(store, thresholds=FIVE_IN_A_MONTH | AT_ONCE))
    assert status_of(store) == "active"


def test_a_mail_sent_before_a_reactivation_and_bounced_after_it_counts(store: Store) -> None:
    """What counts is when the answer came: it says how the mailbox is after the reactivation."""
    reactivated_at = NOW - timedelta(days=2)
    add_contacts(store, 1, reactivated_at=reactivated_at)
    respond(store, 1, reactivated_at + TICK, category=Category.INVALID_ADDRESS)
    sweep_thresholds(session_with(store, thresholds=AT_ONCE))
    assert deactivated(store) == [(1, 0, "invalid-address")]


def test_a_deactivation_ended_by_rule_is_not_opened_by_the_responses_before(store: Store) -> None:
    """The contact is inactive for another reason still, so it has not been reactivated."""
    ended_at = NOW - timedelta(days=2)
    add_contacts(store, 1, status="inactive")
    respond(store, 1, *days_ago(3, 4, 5, 6, 7))
    respond(store, 1, *days_ago(3), category=Category.SPAM_COMPLAINT)
    respond(store, 1, ended_at, category=Category.INVALID_ADDRESS)  # nor by one at the very instant
    with store.writing() as connection:
        insert_deactivation(connection, 1, "transient", ended_at=ended_at)
        insert_deactivation(connection, 1, "invalid-address", ended_at=ended_at)
        insert_deactivation(connection, 1, "", run_id=2)
    sweep_thresholds(session_with(store, thresholds=FIVE_IN_A_MONTH | AT_ONCE))
    assert deactivated(store) == [(1, 0, ""), (1, 0, "spam-complaint")]


@pytest.mark.parametrize("channel", ["sms", "push", "in-app"])
def test_other_channels_never_deactivate(store: Store, channel: str) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1, 2), category=Category.INVALID_ADDRESS, channel=channel)
    sweep_thresholds(session_with(store, thresholds=AT_ONCE))
    assert status_of(store) == "active"


@pytest.mark.parametrize("uncounted", [{"counts": False, "not_counted": "delayed"}, {"held": True}])
def test_what_does_not_count_never_deactivates(store: Store, uncounted: dict[str, Any]) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1), category=Category.INVALID_ADDRESS, **uncounted)
    sweep_thresholds(session_with(store, thresholds=AT_ONCE))
    assert status_of(store) == "active"


def test_a_delivery_resets_soft_categories_alone_and_only_where_configured(store: Store) -> None:
    add_contacts(store, 1, 2, delivered_at=NOW - timedelta(hours=1))
    respond(store, 1, *days_ago(1, 2, 3, 4, 5))
    respond(store, 2, *days_ago(1), category=Category.INVALID_ADDRESS)
    thresholds = FIVE_IN_A_MONTH | AT_ONCE
    sweep_thresholds(session_with(store, thresholds=thresholds, reset_on_delivery=True))
    assert deactivated(store) == [(2, 0, "invalid-address")]
    sweep_thresholds(session_with(store, thresholds=thresholds))
    assert deactivated(store) == [(1, 0, "transient"), (2, 0, "invalid-address")]


def test_an_inactive_contact_gets_further_reasons_but_none_twice(store: Store) -> None:
    add_contacts(store, 1)
    session = session_with(store, thresholds=FIVE_IN_A_MONTH | AT_ONCE)
    respond(store, 1, *days_ago(1, 2, 3, 4, 5))
    sweep_thresholds(session)
    respond(store, 1, *days_ago(0.5, 0.4), category=Category.SPAM_COMPLAINT)
    respond(store, 1, *days_ago(0.3, 0.2, 0.1, 0.05, 0.01))
    assert sweep_thresholds(session).changed == 1
    assert deactivated(store) == [(1, 0, "spam-complaint"), (1, 0, "transient")]


def test_a_group_can_keep_its_deactivations_to_itself(store: Store) -> None:
    add_contacts(store, 1)
    add_news_member(store)
    group = GroupPolicy(
        "News", {Category.TRANSIENT: Threshold(2, days_apart=0)}, deactivate=Scope.GROUP
    )
    session = session_with(store, thresholds=FIVE_IN_A_MONTH, groups={"news": group})
    respond(store, 1, *days_ago(1, 2), group_id=NEWS)
    respond(store, 1, *days_ago(3, 4, 5))
    sweep_thresholds(session)
    assert deactivated(store) == [(1, NEWS, "transient")]
    assert status_of(store) == "active"
    with store.reading() as connection:
        assert connection.execute(select(tables.membership.c.state)).scalar_one() == "inactive"


def test_a_groups_own_threshold_deactivates_system_wide(store: Store) -> None:
    add_contacts(store, 1)
    add_news_member(store)
    group = GroupPolicy("News", {Category.TRANSIENT: Threshold(2, days_apart=0)})
    respond(store, 1, *days_ago(1, 2), group_id=NEWS)
    sweep_thresholds(session_with(store, thresholds=FIVE_IN_A_MONTH, groups={"news": group}))
    assert deactivated(store) == [(1, 0, "transient")]


def test_over_the_limits_nobody_is_deactivated_until_somebody_confirms(store: Store) -> None:
    add_contacts(store, *range(1, 11))
    for contact_id in (1, 2, 3):
        respond(store, contact_id, *days_ago(1), category=Category.INVALID_ADDRESS)
    session = session_with(store, thresholds=AT_ONCE, limits=Limits())
    result = sweep_thresholds(session)
    assert deactivated(store) == []
    assert result.changed == 0
    assert result.waiting is not None
    assert result.waiting.state is RunState.PLANNED
    assert result.waiting.applied_by is None
    why = "held until confirmed: 3 of 10 active contacts is over the limit of 25 %"
    assert result.waiting.message == why
    assert result.refusal is not None
    assert result.refusal.message == f"run 1, 3 contacts to be deactivated, is {why}"
    assert apply_run(session, result.waiting.id).changed == 3
    assert len(deactivated(store)) == 3


def test_a_plan_says_why_by_category_and_group(store: Store) -> None:
    """With the thresholds as they were when it was made, whatever the config says since."""
    add_contacts(store, 1, 2, 3)
    add_news_member(store, 3)
    respond(store, 1, NOW, category=Category.INVALID_ADDRESS)
    respond(store, 2, NOW, category=Category.INVALID_ADDRESS)
    respond(store, 3, *days_ago(1, 2, 3, 4, 5), group_id=NEWS)
    session = session_with(
        store,
        limits=Limits(max_contacts=1, max_percent=Decimal(100)),
        thresholds=AT_ONCE | FIVE_IN_A_MONTH,
        groups={"news": GroupPolicy("news", deactivate=Scope.GROUP)},
    )
    waiting = sweep_thresholds(session).waiting
    assert waiting is not None

    due = show_plan(make_session(store), waiting.id).by_rule
    assert [(each.category, each.group, each.contacts, each.threshold) for each in due] == [
        (Category.INVALID_ADDRESS, None, 2, "1"),
        (Category.TRANSIENT, "News", 1, "5 within 30 days, days apart 0"),
    ]


def test_a_waiting_plan_is_not_made_again_and_holds_nobody_else_back(store: Store) -> None:
    add_contacts(store, *range(1, 11))
    for contact_id in (1, 2, 3):
        respond(store, contact_id, *days_ago(1), category=Category.INVALID_ADDRESS)
    session = session_with(store, thresholds=AT_ONCE, limits=Limits())
    waiting = sweep_thresholds(session).waiting
    assert waiting is not None
    respond(store, 9, *days_ago(1), category=Category.SPAM_COMPLAINT)
    again = sweep_thresholds(session)
    assert again.waiting == waiting
    assert deactivated(store) == [(9, 0, "spam-complaint")]
    third = sweep_thresholds(session)
    assert (third.runs, third.waiting) == ((), waiting)


def test_an_expired_plan_is_made_anew(store: Store) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1), category=Category.INVALID_ADDRESS)
    policy = ResponsePolicy(AT_ONCE)
    first = sweep_thresholds(make_session(store, responses=policy)).waiting
    later = make_session(store, now=NOW + timedelta(hours=25), responses=policy)
    second = sweep_thresholds(later).waiting
    assert first is not None
    assert second is not None
    assert second.id > first.id


def test_further_reasons_for_the_inactive_are_within_every_limit(store: Store) -> None:
    add_contacts(store, 1, 2, status="inactive")
    add_contacts(store, 3)
    for contact_id in (1, 2):
        respond(store, contact_id, *days_ago(1), category=Category.SPAM_COMPLAINT)
    result = sweep_thresholds(session_with(store, thresholds=AT_ONCE, limits=Limits()))
    assert (result.changed, result.waiting) == (2, None)


def test_a_contact_that_changed_since_the_plan_is_skipped_and_the_next_sweep_finds_it(
    store: Store,
) -> None:
    add_contacts(store, 1, 2)
    limits = Limits(max_contacts=1, max_percent=Decimal(100))
    session = session_with(store, thresholds=AT_ONCE, limits=limits)
    for contact_id in (1, 2):
        respond(store, contact_id, *days_ago(1), category=Category.INVALID_ADDRESS)
    run = sweep_thresholds(session).waiting
    assert run is not None
    with store.writing() as connection:
        connection.execute(
            update(tables.contact).where(tables.contact.c.id == 1).values(revision=1)
        )
    applied = apply_run(session, run.id)
    assert (applied.changed, applied.skipped) == (1, {"changed-since-plan": 1})
    assert deactivated(store) == [(2, 0, "invalid-address")]

    assert sweep_thresholds(session).changed == 1
    assert deactivated(store) == [(1, 0, "invalid-address"), (2, 0, "invalid-address")]


def test_an_interrupted_run_is_finished_first(store: Store) -> None:
    add_contacts(store, 1)
    session = session_with(store, thresholds=AT_ONCE)
    respond(store, 1, *days_ago(1), category=Category.INVALID_ADDRESS)
    interrupted = plan_thresholds(session)
    assert interrupted is not None
    assert interrupted.state is RunState.RUNNING
    result = sweep_thresholds(session)
    assert [run.id for run in result.runs] == [interrupted.id]
    assert read_run(session, interrupted.id).state is RunState.DONE
    assert deactivated(store) == [(1, 0, "invalid-address")]


def test_what_is_due_is_counted_by_group_and_category(store: Store) -> None:
    add_contacts(store, 1, 2)
    add_contacts(store, 3, status="inactive")
    for contact_id in (1, 2, 3):
        respond(store, contact_id, *days_ago(1), category=Category.INVALID_ADDRESS)
    respond(store, 1, *days_ago(1), category=Category.SPAM_COMPLAINT)
    found, _ = thresholds_due(session_with(store, thresholds=AT_ONCE), NOW)
    expected = {(0, Category.INVALID_ADDRESS): 3, (0, Category.SPAM_COMPLAINT): 1}
    assert found == DueCounts(contacts=3, active=2, losing=2, by_scope=expected)
    assert deactivated(store) == []


def test_without_thresholds_nothing_is_ever_due(store: Store) -> None:
    add_contacts(store, 1)
    respond(store, 1, *days_ago(1), category=Category.INVALID_ADDRESS)
    session = session_with(store)
    assert sweep_thresholds(session).runs == ()
    assert thresholds_due(session, NOW)[0].contacts == 0
