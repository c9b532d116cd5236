"""Whatever happens between two sweeps, one of what is new leaves nobody due."""

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import (
    GroupPolicy,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category, HeldFilter
from contactctl.domain.runs import RunKind
from contactctl.operations.groups import add_to_group
from contactctl.operations.plans import drop_if_planned, expire_plans, plans_waiting
from contactctl.operations.responses import release
from contactctl.operations.runs import apply_run, cancel_run
from contactctl.operations.session import Session
from contactctl.operations.thresholds import sweep_thresholds, thresholds_due
from contactctl.store import tables
from contactctl.store.database.locks import change_one_by_one
from contactctl.store.database.store import Store
from contactctl.store.thresholds.unswept import unswept_ids
from helpers.responses import (
    insert_contact,
    insert_group,
    insert_response,
)
from helpers.sessions import NOW, make_session
from helpers.thorough import examples

NO_LIMITS = Limits(max_contacts=1000, max_percent=Decimal(100))
NEWS = 7


RULES = (
    ResponsePolicy({Category.TRANSIENT: Threshold(2, timedelta(days=3), days_apart=0)}),
    ResponsePolicy(
        {Category.TRANSIENT: Threshold(1), Category.BLOCKED: Threshold(2, days_apart=0)},
        groups={
            "news": GroupPolicy("news", {Category.BLOCKED: Threshold(1)}, deactivate=Scope.GROUP)
        },
    ),
    ResponsePolicy({}),
)
LIMITS = (NO_LIMITS, Limits(max_contacts=1, max_percent=Decimal(100)))
contacts = st.integers(1, 4)


def drop(session: Session, run_id: int) -> None:
    drop_if_planned(session, run_id, "declined")


EVENTS = st.one_of(
    st.tuples(
        st.just("respond"),
        contacts,
        st.sampled_from([Category.TRANSIENT, Category.BLOCKED]),
        st.booleans(),
    ),
    st.tuples(st.just("sweep"), st.sampled_from(LIMITS)),
    st.tuples(st.just("sweep"), st.sampled_from(LIMITS)),
    st.tuples(st.just("join"), contacts),
    st.tuples(st.just("release")),
    st.tuples(st.just("let a plan go"), st.sampled_from([drop, cancel_run, "apply"])),
    st.tuples(st.just("rules"), st.sampled_from(RULES)),
    st.tuples(st.just("clock"), st.sampled_from([-2, -1, 1, 1, 2, 4])),
)


def happen(
    store: Store, policy: ResponsePolicy, now: datetime, number: int, event: tuple[Any, ...]
) -> None:
    """One event at that time, under these rules; `number` tells its responses apart."""
    session = make_session(store, responses=policy, limits=LIMITS[0], now=now)
    match event:
        case "respond", contact_id, category, held:
            with store.writing() as connection:
                insert_response(connection, contact_id, f"r{number}", category, now, held=held)
        case "sweep", limits:
            sweep_thresholds(make_session(store, responses=policy, limits=limits, now=now))
        case "join", contact_id:
            add_to_group(session, "News", f"c{contact_id}@example.com")
        case ("release",):
            with suppress(RefusedError):  # nothing is held
                release(session, HeldFilter())
        case "let a plan go", how:
            for run in plans_waiting(session, RunKind.THRESHOLDS):
                apply_run(session, run.id) if how == "apply" else how(session, run.id)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(EVENTS, max_size=14))
def test_a_sweep_of_what_is_new_leaves_nobody_whom_a_full_one_would_find(
    store: Store, events: list[tuple[Any, ...]]
) -> None:
    with store.writing() as connection:
        change_one_by_one(connection)
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))
        insert_group(connection, NEWS, "News")
        for contact_id in range(1, 5):
            insert_contact(connection, contact_id)
    policy, now = RULES[0], NOW
    for number, event in enumerate(events):
        if event[0] == "rules":
            policy = event[1]
        elif event[0] == "clock":
            now += timedelta(days=event[1])
        else:
            happen(store, policy, now, number, event)
    session = make_session(store, responses=policy, limits=NO_LIMITS, now=now)
    expire_plans(session)
    for run in plans_waiting(session, RunKind.THRESHOLDS):
        drop(session, run.id)
    sweep_thresholds(session)

    assert thresholds_due(session, now)[0].contacts == 0
    with store.reading() as connection:
        assert connection.execute(unswept_ids()).all() == []
