"""Exactly one contact comes back: system-wide, or in one group."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from contactctl.domain.contacts import Origin
from contactctl.domain.errors import NotFoundError, RefusedError, UsageError
from contactctl.domain.policies import Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.runs import RunKind, RunState
from contactctl.operations.reactivation import find_target, reactivate, require_acknowledged
from contactctl.operations.runs import read_run
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.handled import (
    add_deactivated,
    add_group,
    add_member,
    add_response,
    member_states,
    open_categories,
    open_deactivation,
    statuses,
)
from helpers.sessions import NOW, make_session

TRANSIENT, BLOCKED = Category.TRANSIENT, Category.BLOCKED
NO_LIMITS = Limits(max_contacts=10, max_percent=100)
COMPLAINT, INVALID = Category.SPAM_COMPLAINT, Category.INVALID_ADDRESS


def test_it_ends_every_system_wide_deactivation_of_this_contact_alone(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT, BLOCKED)
    bob = add_deactivated(store, "bob@example.com", TRANSIENT)
    with store.writing() as connection:
        open_deactivation(connection, ann, "", origin=Origin.BULK, run_id=5)
    session = make_session(store)

    done = reactivate(session, find_target(session, "Ann@Example.com"), reason="phoned")

    assert (done.status, done.ended) == ("active", 3)
    assert statuses(store) == {ann: "active", bob: "inactive"}
    assert open_categories(store, ann) == []
    run = read_run(session, done.run or 0)
    assert (run.kind, run.state, run.reason) == (RunKind.REACTIVATE, RunState.DONE, "phoned")
    assert (run.active_before, run.active_after, run.results) == (0, 1, {"ended": 3})
    assert "ann" not in str(run.details)


def test_the_watermark_and_the_revision_move(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    session = make_session(store)
    reactivate(session, find_target(session, str(ann)))

    with store.reading() as connection:
        columns = (tables.contact.c.revision, tables.contact.c.reactivated_at)
        assert tuple(connection.execute(select(*columns)).one()) == (1, NOW)


def test_an_active_contact_is_left_as_it_is(store: Store) -> None:
    add_deactivated(store, "ann@example.com")
    session = make_session(store)

    done = reactivate(session, find_target(session, "ann@example.com"))

    assert (done.run, done.ended, done.status) == (None, 0, "active")


def test_in_a_group_it_is_an_override_there_alone_and_can_be_taken_back(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    with store.writing() as connection:
        news, offers = add_group(connection, "news"), add_group(connection, "offers")
        for group_id in (news, offers):
            add_member(connection, ann, group_id)
    session = make_session(store)

    done = reactivate(session, find_target(session, "ann@example.com", group="NEWS"))
    assert (done.status, done.ended) == ("inactive", 0)
    assert member_states(store) == {(ann, news): "active", (ann, offers): "follows"}
    assert open_categories(store, ann) == [(0, "transient")]

    cleared = find_target(session, "ann@example.com", group="news", clears=True)
    assert reactivate(session, cleared).run is not None
    assert member_states(store) == {(ann, news): "follows", (ann, offers): "follows"}
    again = find_target(session, "ann@example.com", group="news", clears=True)
    assert reactivate(session, again).run is None


def test_in_a_group_where_it_is_deactivated_alone_that_ends(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com")
    with store.writing() as connection:
        news = add_group(connection, "news")
        add_member(connection, ann, news)
        open_deactivation(connection, ann, group_id=news)
    session = make_session(store)

    done = reactivate(session, find_target(session, "ann@example.com", group="news"))

    assert (done.ended, open_categories(store, ann)) == (1, [])
    assert member_states(store) == {(ann, news): "follows"}  # active everywhere: no override


def test_who_is_no_member_cannot_be_overridden(store: Store) -> None:
    add_deactivated(store, "ann@example.com", TRANSIENT)
    with store.writing() as connection:
        add_group(connection, "news")

    with pytest.raises(RefusedError, match="not a member of 'news'") as caught:
        find_target(make_session(store), "ann@example.com", group="news")
    assert "groups add news" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "error"),
    [("nobody@example.com", NotFoundError), ("77", NotFoundError), ("x", UsageError)],
)
def test_who_does_not_exist_is_an_error(store: Store, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        find_target(make_session(store), name)


def test_clear_needs_a_group(store: Store) -> None:
    with pytest.raises(UsageError, match="--group"):
        find_target(make_session(store), "1", clears=True)


def test_complaints_and_invalid_addresses_are_acknowledged_by_name(store: Store) -> None:
    add_deactivated(store, "ann@example.com", COMPLAINT, INVALID, TRANSIENT)
    target = find_target(make_session(store), "ann@example.com")

    assert target.to_acknowledge == [COMPLAINT, INVALID]
    with pytest.raises(RefusedError, match="spam-complaint"):
        require_acknowledged(target, [INVALID])
    with pytest.raises(RefusedError, match="invalid-address"):
        require_acknowledged(target, [COMPLAINT])
    require_acknowledged(target, [COMPLAINT, INVALID])


def test_a_recorded_complaint_is_acknowledged_whatever_the_reason_is(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    with store.writing() as connection:
        add_response(connection, ann, COMPLAINT)

    assert find_target(make_session(store), str(ann)).to_acknowledge == [COMPLAINT]


def test_what_was_not_shown_is_not_ended(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    session = make_session(store)
    target = find_target(session, "ann@example.com")
    with store.writing() as connection:
        open_deactivation(connection, ann, COMPLAINT, run_id=901)

    with pytest.raises(RefusedError, match="changed since"):
        reactivate(session, target)
    assert open_categories(store, ann) == [(0, "spam-complaint"), (0, "transient")]


def test_old_responses_do_not_deactivate_again_and_one_new_one_does(store: Store) -> None:
    policy = ResponsePolicy(thresholds={TRANSIENT: Threshold(3, timedelta(days=30), days_apart=0)})
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    with store.writing() as connection:
        for number in range(5):
            at = NOW - timedelta(days=number + 1)
            add_response(connection, ann, TRANSIENT, source_key=f"old{number}", occurred_at=at)
    session = make_session(store, responses=policy)
    reactivate(session, find_target(session, "ann@example.com"))

    def later(days: int) -> str:
        at = NOW + timedelta(days=days)
        sweep_thresholds(make_session(store, now=at, responses=policy, limits=NO_LIMITS))
        return statuses(store)[ann]

    assert later(0) == "active"
    for number in range(3):
        with store.writing() as connection:
            at = NOW + timedelta(days=number, hours=1)
            add_response(connection, ann, TRANSIENT, source_key=f"new{number}", occurred_at=at)
        assert later(number + 1) == ("active" if number < 2 else "inactive")


def test_an_anonymised_contact_stays_away(store: Store) -> None:
    ann = add_deactivated(store, "ann@example.com", TRANSIENT)
    with store.writing() as connection:
        statement = update(tables.contact).values(email="erased-1", email_key="erased-1")
        connection.execute(statement)

    with pytest.raises(RefusedError, match="anonymised"):
        find_target(make_session(store), str(ann))
