"""What people wish who unsubscribe: recorded once, done, and taken back by hand alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from contactctl.domain.contacts import MembershipState
from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import OnUnsubscribe
from contactctl.domain.responses import Category, Event, ResponseFilter, Unsubscribe
from contactctl.operations.editing import add_contact
from contactctl.operations.explain import explain
from contactctl.operations.groups import add_to_group, remove_from_group
from contactctl.operations.ingest import IngestResult
from contactctl.operations.reactivation import (
    Acknowledgement,
    find_target,
    reactivate,
    require_acknowledged,
)
from contactctl.operations.responses import latest_responses
from contactctl.operations.status import read_status
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.imported_status import Creating
from contactctl.store.imports import Layout, Wave, put_in
from contactctl.store.selections import deliverable, deliverable_in, stream_contacts
from helpers.ingested import AN_HOUR_AGO, add, record, response, session_at, session_on
from helpers.responses import insert_group, insert_member, statuses
from helpers.sessions import NOW

KARI, OLA = "kari@example.com", "ola@example.com"


def wish(who: str = KARI, key: str = "u", **values: Any) -> Unsubscribe:
    known: dict[str, Any] = {"occurred_at": AN_HOUR_AGO, "rule": "test"}
    return Unsubscribe("test", key, who, **(known | values))


@pytest.fixture
def news(store: Store) -> int:
    """Kari and Ola in the group news."""
    add(store, KARI, OLA)
    with store.writing() as connection:
        insert_group(connection, 7, "news")
        insert_member(connection, 1, 7)
        insert_member(connection, 2, 7)
    return 7


def opened(store: Store) -> list[tuple[int, int, str, bool]]:
    """(contact, group, origin, whether open) of every deactivation."""
    table = tables.deactivation
    statement = select(table).order_by(table.c.contact_id, table.c.group_id, table.c.run_id)
    with store.reading() as connection:
        rows = connection.execute(statement).all()
    return [(row.contact_id, row.group_id, row.origin, row.ended_at is None) for row in rows]


def members(store: Store) -> dict[int, str]:
    table = tables.membership
    with store.reading() as connection:
        rows = connection.execute(select(table.c.contact_id, table.c.state)).all()
    return {row[0]: row[1] for row in rows}


def mailed(store: Store, condition: object) -> list[int]:
    with store.reading() as connection:
        return [contact.id for contact in stream_contacts(connection, [condition])]


def told(result: IngestResult) -> tuple[int, int, int]:
    counts = result.counts
    return counts.unsubscribes, counts.obeyed.contacts, counts.obeyed.memberships


def test_who_leaves_all_mail_is_deactivated_once(store: Store, news: int) -> None:
    session = session_on(store)
    result = record(session, wish(), wish(), wish(key="again"))
    assert told(result) == (2, 1, 0)
    assert (result.read, result.counts.not_counted) == (3, 0)
    assert told(record(session, wish())) == (0, 0, 0)
    assert opened(store) == [(1, 0, "unsubscribe", True)]
    assert (mailed(store, deliverable()), members(store)) == ([2], {1: "follows", 2: "follows"})
    for bypasses in (False, True):
        assert mailed(store, deliverable_in(news, bypass_system_wide=bypasses)) == [2]


def test_an_override_does_not_outlive_the_wish(store: Store, news: int) -> None:
    with store.writing() as connection:
        overridden = update(tables.membership).where(tables.membership.c.contact_id == 1)
        connection.execute(overridden.values(state=MembershipState.ACTIVE))
    record(session_on(store), wish())
    assert mailed(store, deliverable_in(news, bypass_system_wide=False)) == [2]


@pytest.mark.parametrize(
    ("action", "deactivations", "memberships"),
    [
        (OnUnsubscribe.DEACTIVATE, [(1, 7, "unsubscribe", True)], {1: "inactive", 2: "follows"}),
        (OnUnsubscribe.REMOVE_FROM_GROUP, [], {2: "follows"}),
        (OnUnsubscribe.RECORD, [], {1: "follows", 2: "follows"}),
    ],
)
def test_who_leaves_a_group_gets_other_mail(
    store: Store,
    news: int,
    action: OnUnsubscribe,
    deactivations: list[tuple[int, int, str, bool]],
    memberships: dict[int, str],
) -> None:
    session = session_on(store, unsubscribes=action)
    record(session, wish(group="NEWS"))
    assert (opened(store), members(store)) == (deactivations, memberships)
    assert statuses_of(store) == {1: "active", 2: "active"}
    kinds = [each.kind for each in explain(session, KARI).timeline]
    assert ("left" in kinds) == (action is OnUnsubscribe.REMOVE_FROM_GROUP)
    assert "unsubscribed" in kinds


def statuses_of(store: Store) -> dict[int, str]:
    with store.reading() as connection:
        return statuses(connection)


@pytest.mark.parametrize("action", [OnUnsubscribe.DEACTIVATE, OnUnsubscribe.REMOVE_FROM_GROUP])
def test_a_group_that_is_none_of_ours_is_all_mail(
    store: Store, news: int, action: OnUnsubscribe
) -> None:
    record(session_on(store, unsubscribes=action), wish(group="asm 1234"), wish(OLA, "b"))
    assert statuses_of(store) == {1: "inactive", 2: "inactive"}


def test_a_group_that_the_contact_is_not_in_changes_nothing(store: Store, news: int) -> None:
    with store.writing() as connection:
        insert_group(connection, 8, "offers")
    result = record(session_on(store), wish(group="offers"))
    assert (told(result), opened(store)) == ((1, 0, 0), [])


def test_a_wish_does_not_count_and_no_rule_ends_it(store: Store, news: int) -> None:
    session = session_on(store)
    record(session, wish(), response(KARI, "t"))
    explained = explain(session, KARI)
    assert [each.counted for each in explained.counts if each.category == "transient"] == [1]
    [stays] = [each for each in explained.next if each.action == "stay-inactive"]
    assert "unsubscribed" in stays.text
    status = read_status(session)
    assert (status.unsubscribes, status.unmatched_unsubscribes) == (1, 0)
    assert status.open_deactivations == [("unsubscribe", "", 1)]
    [listed] = latest_responses(session, ResponseFilter(unsubscribed=True))
    assert (listed["category"], listed["email"]) == ("unsubscribed", KARI)


def test_a_wish_of_nobody_waits_for_its_contact(store: Store) -> None:
    session = session_on(store)
    assert record(session, wish("New@Example.com")).counts.unmatched == 1
    assert read_status(session).unmatched_unsubscribes == 1
    add_contact(session, {"email": "new@example.com"})
    assert (mailed(store, deliverable()), opened(store)) == ([], [(1, 0, "unsubscribe", True)])


def test_an_import_tells_whom_it_created_that_had_left(store: Store) -> None:
    record(session_on(store), wish("new@example.com"))
    with store.writing() as connection:
        counts = put_in(
            connection,
            Layout(),
            Wave(
                [
                    (at, f"{name}@example.com", f"{name}@example.com", "example.com")
                    for at, name in enumerate(("new", "other"))
                ]
            ),
            NOW,
            Creating(run_id=9, last_id=0, on_unsubscribe=OnUnsubscribe.DEACTIVATE),
        )
    assert (counts.created, counts.created_unsubscribed) == (2, 1)
    assert sorted(statuses_of(store).values()) == ["active", "inactive"]


@pytest.mark.parametrize("mode", OnUnsubscribe)
@pytest.mark.parametrize("is_member", [True, False])
def test_an_import_does_not_bring_back_who_left_the_group(
    store: Store, news: int, mode: OnUnsubscribe, is_member: bool
) -> None:
    session = session_on(store, unsubscribes=mode)
    if not is_member:
        remove_from_group(session, "news", KARI)
    record(session, wish(group="news"))
    expected = None
    if mode is OnUnsubscribe.RECORD:
        expected = "follows"
    elif mode is OnUnsubscribe.DEACTIVATE and is_member:
        expected = "inactive"
    assert imported_into(store, news, mode) == (expected is None)
    assert members(store).get(1) == expected
    if expected is None:
        assert add_to_group(session, "news", KARI).had_left
        assert imported_into(store, news, mode) == 0
        assert members(store)[1] == "follows"


def imported_into(store: Store, group_id: int, mode: OnUnsubscribe) -> int:
    """How many memberships an import of Kari and Ola into the group has not given."""
    rows = [(at, email, email, "example.com") for at, email in enumerate((KARI, OLA))]
    wave = Wave(rows, members=[(at, group_id, "follows") for at in range(2)])
    with store.writing() as connection:
        creating = Creating(run_id=9, last_id=0, on_unsubscribe=mode)
        return put_in(connection, Layout(), wave, NOW, creating).kept_out


def test_who_wishes_to_be_in_a_group_again_joins_by_an_import(store: Store, news: int) -> None:
    mode = OnUnsubscribe.REMOVE_FROM_GROUP
    back = wish(key="b", group="news", resubscribed=True, occurred_at=NOW)
    record(session_on(store, unsubscribes=mode), wish(group="news"), back)
    assert imported_into(store, news, mode) == 0
    assert members(store)[1] == "follows"


def test_coming_back_is_acknowledged_and_lasts(store: Store, news: int) -> None:
    record(session_on(store), wish())
    later = session_at(store, NOW + timedelta(days=1))
    target = find_target(later, KARI)
    with pytest.raises(RefusedError, match="unsubscribed"):
        require_acknowledged(target, [])
    require_acknowledged(target, [Acknowledgement.UNSUBSCRIBED])
    reactivate(later, target)
    after = session_at(store, NOW + timedelta(days=9))
    old = wish(key="old", occurred_at=NOW - timedelta(days=3))
    echo = wish(key="echo", occurred_at=NOW + timedelta(days=8), echo=True)
    assert told(record(after, old, echo)) == (2, 0, 0)
    new = wish(key="new", occurred_at=NOW + timedelta(days=8))
    assert told(record(after, new)) == (1, 1, 0)


def test_an_echo_is_the_first_word_of_somebody_who_left_elsewhere(store: Store, news: int) -> None:
    assert told(record(session_on(store), wish(echo=True))) == (1, 1, 0)


def test_who_wants_mail_again_is_told_of_and_stays(store: Store, news: int) -> None:
    session = session_on(store)
    events: list[Event] = [wish(), wish(key="back", resubscribed=True)]
    result = record(session, *events)
    assert (result.counts.resubscribes, statuses_of(store)[1]) == (1, "inactive")
    assert "resubscribed" in [each.kind for each in explain(session, KARI).timeline]


def test_a_deactivation_by_wish_goes_beside_others(store: Store, news: int) -> None:
    session = session_on(store)
    record(session, response(KARI, "gone", category=Category.INVALID_ADDRESS))
    assert told(record(session, wish())) == (1, 0, 0)
    assert [each[2] for each in opened(store)] == ["threshold", "unsubscribe"]
