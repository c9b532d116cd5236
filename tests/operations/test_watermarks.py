"""What still counts after something ended: all of a contact's past, or that of one category."""

from datetime import datetime, timedelta
from typing import Any

from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.operations.session import Session
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.store.database.store import Store
from helpers.handled import (
    add_deactivated,
    add_group,
    add_member,
    add_response,
    member_states,
    open_categories,
    open_deactivation,
    rule,
    statuses,
)
from helpers.sessions import NOW, make_session

TRANSIENT, UNKNOWN, BLOCKED = Category.TRANSIENT, Category.UNKNOWN, Category.BLOCKED
DAY = timedelta(days=1)
POLICY = ResponsePolicy(
    thresholds={UNKNOWN: Threshold(2, days_apart=0)},
    handling={TRANSIENT: rule(HandlingAction.REACTIVATE, 10)},
    groups={"alerts": GroupPolicy("alerts", deactivate=Scope.GROUP)},
)


def session_at(store: Store, now: datetime) -> Session:
    return make_session(
        store, now=now, responses=POLICY, limits=Limits(max_contacts=10**6, max_percent=100)
    )


def respond(store: Store, contact_id: int, at: datetime, **values: Any) -> None:
    with store.writing() as connection:
        add_response(connection, contact_id, UNKNOWN, source_key=f"{at}", occurred_at=at, **values)


def test_a_reason_that_ends_while_another_is_open_wipes_its_own_category_alone(
    store: Store,
) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=NOW - 10 * DAY)
    with store.writing() as connection:
        open_deactivation(connection, ann, BLOCKED)
    respond(store, ann, NOW - DAY)
    sweep(session_at(store, NOW), IN_ORDER)
    assert open_categories(store, ann) == [(0, BLOCKED)]

    respond(store, ann, NOW + DAY)
    sweep(session_at(store, NOW + 2 * DAY), IN_ORDER)

    assert open_categories(store, ann) == [(0, BLOCKED), (0, UNKNOWN)]


def test_coming_back_wipes_the_past_of_a_group_that_counts_for_itself_too(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, started_at=NOW - 10 * DAY)
    with store.writing() as connection:
        alerts = add_group(connection, "alerts")
        add_member(connection, ann, alerts)
    respond(store, ann, NOW - DAY, group_id=alerts)
    sweep(session_at(store, NOW), IN_ORDER)
    respond(store, ann, NOW + DAY, group_id=alerts)
    sweep(session_at(store, NOW + 2 * DAY), IN_ORDER)
    assert (statuses(store), member_states(store)) == ({ann: "active"}, {(ann, alerts): "follows"})

    respond(store, ann, NOW + 3 * DAY, group_id=alerts)
    sweep(session_at(store, NOW + 4 * DAY), IN_ORDER)

    assert (statuses(store), member_states(store)) == ({ann: "active"}, {(ann, alerts): "inactive"})
