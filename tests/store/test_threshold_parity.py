"""SQLite, Postgres and the Python reference find the same deactivations due."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contactctl.domain.policies import GroupPolicy, ResponsePolicy, Scope, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.thresholds import (
    SYSTEM_WIDE,
    RecordedResponse,
    ThresholdSubject,
    due_deactivations,
    threshold_rules,
)
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.due import due
from helpers.responses import insert_group, insert_subject
from helpers.thorough import examples

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
GROUPS = {"news": 1, "offers": 2, "other": 3}
CATEGORIES = (Category.TRANSIENT, Category.INVALID_ADDRESS, Category.BLOCKED)

# few instants, so that responses meet watermarks and windows exactly
INSTANTS = st.sampled_from(
    [NOW - timedelta(days=days, microseconds=tick) for days in range(6) for tick in (-1, 0, 1)]
)
GROUP_IDS = st.sampled_from([SYSTEM_WIDE, *GROUPS.values(), 99])
CATEGORY = st.sampled_from(CATEGORIES)
DUES = st.tuples(st.sampled_from([SYSTEM_WIDE, 1, 2]), CATEGORY)

THRESHOLDS = st.dictionaries(
    CATEGORY,
    st.builds(
        Threshold,
        st.integers(1, 3),
        st.sampled_from([None, timedelta(days=1), timedelta(days=3)]),
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from([None, None, timedelta(days=1), timedelta(days=2)]),
        st.sampled_from([None, 1, 2, 3]),
    ),
)
RESPONSES = st.builds(
    lambda why, **values: RecordedResponse(counts=not why, not_counted=why, **values),
    why=st.sampled_from(["", "", "", "delayed", "echo", "echo", "discarded"]),
    category=CATEGORY,
    occurred_at=INSTANTS,
    group_id=GROUP_IDS,
    held=st.sampled_from([False, False, False, True]),
    channel=st.sampled_from(["email", "email", "email", "sms"]),
    through=st.booleans(),
)
SUBJECTS = st.builds(
    ThresholdSubject,
    responses=st.lists(RESPONSES, max_size=8),
    reactivated_at=st.none() | INSTANTS,
    delivered_at=st.none() | INSTANTS,
    memberships=st.dictionaries(st.sampled_from(list(GROUPS.values())), st.none() | INSTANTS),
    ended=st.dictionaries(DUES, INSTANTS, max_size=2),
    open=st.frozensets(DUES, max_size=2),
)
GROUP_POLICIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            GroupPolicy,
            name=st.just(name),
            thresholds=THRESHOLDS,
            deactivate=st.sampled_from(Scope),
        )
        for name in ("news", "offers", "not in the store")
    },
)
POLICIES = st.builds(
    ResponsePolicy,
    thresholds=THRESHOLDS,
    reset_on_delivery=st.booleans(),
    groups=GROUP_POLICIES,
)


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subjects=st.lists(SUBJECTS, min_size=1, max_size=6), policy=POLICIES)
def test_the_database_finds_what_the_reference_finds(
    store: Store, subjects: list[ThresholdSubject], policy: ResponsePolicy
) -> None:
    rules = threshold_rules(policy, GROUPS)
    expected = {
        (contact_id, *each)
        for contact_id, subject in enumerate(subjects, start=1)
        for each in due_deactivations(subject, rules, NOW)
    }
    with store.writing() as connection:
        for name, group_id in GROUPS.items():
            insert_group(connection, group_id, name)
        for contact_id, subject in enumerate(subjects, start=1):
            insert_subject(connection, contact_id, subject)
        everybody = select(tables.contact.c.id.label("contact_id"))
        for among in (None, everybody):
            if not rules.rules:
                break
            rows = connection.execute(due(rules, NOW, store.dialect, among=among)).all()
            assert {tuple(row[:3]) for row in rows} == expected
            assert len(rows) == len(expected)
        connection.rollback()
