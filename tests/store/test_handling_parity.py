"""The sweep in sets does to many contacts what the reference says of each, on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.handling import ContactStanding, HandledContact
from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    HandlingRule,
    Limits,
    ResponsePolicy,
)
from contactctl.domain.responses import Category
from contactctl.operations.handling import handling_due, sweep_handling
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.deactivations import read_standing
from helpers.contacts import add_contact
from helpers.handled import due_steps, ended_by
from helpers.sessions import NOW, make_session
from helpers.thorough import examples

GROUPS = {1: "news", 2: "Offers", 3: "alerts"}
CATEGORIES = (Category.TRANSIENT, Category.UNKNOWN, Category.SPAM_COMPLAINT)
NO_LIMITS = Limits(max_contacts=10**9, max_percent=100)


@dataclass(frozen=True)
class Case:
    """A contact as the strategy makes it. Ages are in days; a reason is (group id, origin, ...)."""

    reasons: tuple[tuple[int, Origin, Category, int, int], ...]
    memberships: dict[int, MembershipState]
    complained: str


rules = st.builds(
    HandlingRule,
    st.sampled_from(HandlingAction),
    st.integers(1, 6).map(lambda days: timedelta(days=days)),
)
handlings = st.dictionaries(st.sampled_from(CATEGORIES), rules, max_size=3)
policies = st.builds(
    lambda general, own: ResponsePolicy(
        handling=general,
        groups={n.lower(): GroupPolicy(n, handling=h) for n, h in own.items() if h},
    ),
    handlings,
    st.dictionaries(st.sampled_from(list(GROUPS.values())), handlings, max_size=3),
)
reasons = st.lists(
    st.tuples(
        st.sampled_from([0, 0, *GROUPS]),
        st.sampled_from([Origin.THRESHOLD, Origin.THRESHOLD, Origin.BULK]),
        st.sampled_from(CATEGORIES),
        st.integers(0, 8),  # days ago
        st.sampled_from([1, 2]),  # run
    ),
    max_size=4,
    unique_by=lambda reason: (reason[0], reason[2], reason[4]),
)
cases = st.builds(
    Case,
    reasons.map(tuple),
    st.dictionaries(st.sampled_from(list(GROUPS)), st.just(MembershipState.FOLLOWS)),
    st.sampled_from(["", "", "", "email", "sms"]),
)


@pytest.fixture
def groups(store: Store) -> Iterator[Store]:
    with store.writing() as connection:
        connection.execute(
            insert(tables.group),
            [
                {"id": n, "name": name, "name_folded": name.lower(), "created": NOW, "settings": {}}
                for n, name in GROUPS.items()
            ],
        )
    yield store


@given(policy=policies, made=st.lists(cases, min_size=1, max_size=12), overrides=st.booleans())
@settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_sweep_does_what_the_reference_says(
    groups: Store, policy: ResponsePolicy, made: list[Case], overrides: bool
) -> None:
    ids = refill(groups, made, overrides)
    before = [read(groups, contact_id) for contact_id in ids]
    session = make_session(groups, responses=policy, limits=NO_LIMITS)
    expected = [expectation(contact, policy) for contact in before]
    changing = sum(1 for contact, after in zip(before, expected, strict=True) if after != contact)

    due = handling_due(session).contacts
    result = sweep_handling(session)

    assert due == changing
    assert result.changed == changing
    assert [without_revision(read(groups, contact_id)) for contact_id in ids] == [
        without_revision(contact) for contact in expected
    ]
    assert came_back(groups) == {
        contact.id
        for contact, after in zip(before, expected, strict=True)
        if contact.status is not after.status
    }
    assert sweep_handling(session).runs == ()  # once


def expectation(contact: ContactStanding, policy: ResponsePolicy) -> ContactStanding:
    """The contact after a sweep, step by step as the reference has it."""
    handled: HandledContact = contact.as_handled()
    removed = {
        step.group
        for step in due_steps(handled, policy, NOW)
        if step.action is HandlingAction.REMOVE_FROM_GROUP
    }
    ending = ended_by(handled, policy, NOW)
    left = tuple(
        reason
        for reason, each in zip(contact.reasons, handled.open, strict=True)
        if each not in ending
    )
    open_in = {reason.group_id for reason in left}
    ended_in = {each.group for each in ending}
    memberships = tuple(
        (
            number,
            name,
            MembershipState.FOLLOWS
            if state is MembershipState.INACTIVE and name in ended_in and number not in open_in
            else state,
        )
        for number, name, state in contact.memberships
        if name not in removed
    )
    ended_everywhere = any(each.group is None for each in ending)
    back = ended_everywhere and 0 not in open_in
    return replace(
        contact,
        reasons=left,
        memberships=memberships,
        status=Status.ACTIVE if back else contact.status,
    )


def without_revision(contact: ContactStanding) -> ContactStanding:
    return replace(contact, revision=0)


def came_back(store: Store) -> set[int]:
    """The contacts whose earlier responses count no more."""
    with store.reading() as connection:
        back_now = select(tables.contact.c.id).where(tables.contact.c.reactivated_at == NOW)
        return set(connection.execute(back_now).scalars())


def read(store: Store, contact_id: int) -> ContactStanding:
    with store.reading() as connection:
        found = read_standing(connection, contact_id)
    assert found is not None
    return found


_OF_CONTACTS = (tables.deactivation, tables.contact_email, tables.contact)


def refill(store: Store, made: list[Case], overrides: bool) -> list[int]:
    """Only these contacts, with status and states as they follow from what is open."""
    with store.writing() as connection:
        for table in (*_OF_CONTACTS, tables.plan_item):
            connection.execute(delete(table))
        return [insert_case(connection, n, case, overrides) for n, case in enumerate(made)]


def insert_case(connection: Any, number: int, case: Case, overrides: bool) -> int:
    inactive = any(reason[0] == 0 for reason in case.reasons)
    status = Status.INACTIVE if inactive else Status.ACTIVE
    contact_id = add_contact(connection, f"c{number}@example.com", status=status)
    for group_id, origin, category, age, run_id in case.reasons:
        connection.execute(
            insert(tables.deactivation).values(
                contact_id=contact_id,
                group_id=group_id,
                run_id=run_id,
                category=category,
                origin=origin,
                started_at=NOW - timedelta(days=age),
            )
        )
    closed = {reason[0] for reason in case.reasons}
    for group_id in case.memberships:
        state = MembershipState.INACTIVE if group_id in closed else MembershipState.FOLLOWS
        if overrides and inactive and state is MembershipState.FOLLOWS:
            state = MembershipState.ACTIVE
        connection.execute(
            insert(tables.membership).values(
                contact_id=contact_id, group_id=group_id, state=state, added=NOW
            )
        )
    if case.complained:
        connection.execute(
            insert(tables.response).values(
                contact_id=contact_id,
                source_key="complaint",
                category=Category.SPAM_COMPLAINT,
                counts=True,
                recipient="",
                channel=case.complained,
                occurred_at=NOW,
                recorded_at=NOW,
                run_id=1,
            )
        )
    return contact_id


def test_the_preview_of_what_is_due_is_the_same_for_duplicates(groups: Store) -> None:
    """Two open deactivations of one category are one contact, ended together."""
    twice = Case(
        (
            (0, Origin.THRESHOLD, Category.TRANSIENT, 5, 1),
            (0, Origin.THRESHOLD, Category.TRANSIENT, 4, 2),
        ),
        {},
        "",
    )
    refill(groups, [twice], overrides=False)
    policy = ResponsePolicy(
        handling={Category.TRANSIENT: HandlingRule(HandlingAction.REACTIVATE, timedelta(days=3))}
    )
    result = sweep_handling(make_session(groups, responses=policy, limits=NO_LIMITS))

    (run,) = result.runs
    assert dict(run.results) == {"ended": 2, "reactivated": 1, "reactivated_in_groups": 0}
    with groups.reading() as connection:
        assert connection.execute(
            select(tables.contact.c.status, tables.contact.c.reactivated_at)
        ).all() == [("active", NOW)]
