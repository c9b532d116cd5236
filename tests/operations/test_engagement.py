"""Machine opens, clicks within seconds of a delivery, and deliveries counted once each."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from contactctl.domain.policies import Threshold
from contactctl.domain.responses import Activity, ActivityKind, Category, Response
from contactctl.operations import ingest as ingest_module
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.engagement import forget_deliveries
from helpers.engagement_model import Engagement, engagement
from helpers.ingested import add, record, response, session_on
from helpers.responses import insert_contact
from helpers.sessions import NOW
from helpers.thorough import examples

DELIVERED, OPENED, CLICKED = ActivityKind.DELIVERED, ActivityKind.OPENED, ActivityKind.CLICKED
START = NOW - timedelta(days=2)
TEN_SECONDS = timedelta(seconds=10)
numbers = count(1)


def sign(kind: ActivityKind, second: float, key: str = "", **values: Any) -> Activity:
    at = START + timedelta(seconds=second)
    known = {"recipient": "c1@example.com", "occurred_at": at}
    return Activity(source="t", source_key=key or f"{kind} {second}", kind=kind, **known | values)


def stored(store: Store) -> dict[str, Engagement]:
    table = tables.contact
    columns = [table.c[each.name] for each in fields(Engagement)]
    with store.reading() as connection:
        found = connection.execute(select(table.c.email_key, *columns))
        return {row[0]: Engagement(*row[1:]) for row in found}


def told(store: Store, *ingests: Sequence[Activity], **policy: Any) -> Engagement:
    """What the contact shows after these ingests."""
    add(store, "c1@example.com")
    for activities in ingests:
        record(session_on(store, **policy), *activities)
    return stored(store)["c1@example.com"]


def soft_bounce(of: str, second: float, **values: Any) -> Response:
    at = START + timedelta(seconds=second)
    key = f"b {of} {second} {values.get('not_counted', '')}"
    return response(key=key, **{"occurred_at": at, "message": of, "host": "", **values})


MAILS = "mn"
KINDS = [(DELIVERED, False), (OPENED, False), (OPENED, True), (CLICKED, False), (CLICKED, True)]
activity_of = st.builds(
    lambda kind, second, key, who: sign(
        *(kind[0], second, f"{key}{kind[1]}"),
        **{"by_machine": kind[1], "recipient": f"{who}@"},
        message=key if kind[0] is DELIVERED and key in MAILS else "",
    ),
    st.sampled_from(KINDS),
    st.sampled_from([0, 1, 9.999999, 10, 10.5, 11, 20, 21, 30.25, 60, 61]),
    st.sampled_from("abmn"),
    st.sampled_from("xy"),
)
bounce_of = st.builds(
    lambda of, second, who, why: soft_bounce(
        of, second, recipient=f"{who}@", counts=not why, not_counted=why
    ),
    st.sampled_from(MAILS),
    st.sampled_from([0, 10, 62]),
    st.sampled_from("xy"),
    st.sampled_from(["", "", "delayed", "auto-reply", "sender-side"]),
)


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_order_and_any_portions_end_as_in_the_model(store: Store, data: st.DataObject) -> None:
    events_of = st.one_of(activity_of, activity_of, activity_of, bounce_of)
    once = data.draw(st.lists(events_of, min_size=1, max_size=14), label="events")
    again = data.draw(st.lists(st.sampled_from(once), max_size=4), label="told again")
    in_order = data.draw(st.permutations(once + again), label="order")
    cuts = data.draw(st.sets(st.integers(1, 17), max_size=3), label="cuts")
    number = next(numbers)
    names = {who: f"{who}{number}@example.com" for who in "xy"}
    with store.writing() as connection:
        for at, name in enumerate(names.values()):
            insert_contact(connection, 2 * number + at, name)
    events = [replace(each, recipient=names[each.recipient[0]]) for each in in_order]
    for portion in cut(events, sorted(cuts)):
        record(session_on(store), *portion)
    found = stored(store)
    for name in names.values():
        theirs = [each for each in events if each.recipient == name]
        came_back = {
            each.message for each in theirs if isinstance(each, Response) and is_final(each)
        }
        signs = [each for each in theirs if isinstance(each, Activity)]
        assert found[name] == engagement(signs, TEN_SECONDS, came_back)


def is_final(bounce: Response) -> bool:
    return bounce.not_counted in ("", "sender-side")


@pytest.mark.parametrize("bounces_later", [True, False])
def test_a_mail_that_is_accepted_and_bounces_later_does_not_forgive_earlier_bounces(
    store: Store, bounces_later: bool
) -> None:
    add(store, "c1@example.com")
    policy = {
        "thresholds": {Category.TRANSIENT: Threshold(3, timedelta(days=3), days_apart=0)},
        "reset_on_delivery": True,
    }
    for hour in range(3):
        message = f"m{hour}" if bounces_later else ""
        arrived = sign(DELIVERED, 3600 * hour, message=message)
        record(session_on(store, **policy), arrived, soft_bounce(message, 3600 * hour + 300))
    with store.reading() as connection:
        status = connection.execute(select(tables.contact.c.status)).scalar_one()
    assert status == ("inactive" if bounces_later else "active")


def cut(events: Sequence[Activity], cuts: Sequence[int]) -> Iterator[Sequence[Activity]]:
    for first, last in zip([0, *cuts], [*cuts, None], strict=True):
        yield events[first:last]


@pytest.fixture(autouse=True)
def batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_EVENTS", 3)


def test_ten_mails_and_no_opening_can_be_asked_for(store: Store) -> None:
    mails = [sign(DELIVERED, 3600 * hour) for hour in range(10)]
    found = told(store, mails[:5], mails, [sign(OPENED, 3600 * 9, by_machine=True)])
    assert (found.mails_received, found.mails_since_engaged) == (10, 10)
    assert (found.last_opened, found.last_engaged) == (None, None)
    assert found.last_machine_opened == START + timedelta(hours=9)


@pytest.mark.parametrize("delivery_first", [True, False])
def test_a_click_within_seconds_of_the_delivery_is_a_machines(
    store: Store, delivery_first: bool
) -> None:
    earlier = sign(CLICKED, -3600)
    both = [[sign(DELIVERED, 0)], [sign(CLICKED, 3), sign(CLICKED, 9)]]
    found = told(store, [earlier], *(both if delivery_first else both[::-1]))
    assert found.last_clicked == earlier.occurred_at
    assert found.last_machine_opened == START + timedelta(seconds=9)
    assert found.mails_since_engaged == 1


def test_the_seconds_are_configured_and_0_trusts_every_click(store: Store) -> None:
    events = [sign(DELIVERED, 0), sign(CLICKED, 0), sign(CLICKED, 1)]
    assert told(store, events, machine_click_seconds=0).last_clicked == events[2].occurred_at


def test_longer_seconds_catch_slower_scanners(store: Store) -> None:
    events = [sign(DELIVERED, 0), sign(CLICKED, 60)]
    assert told(store, events, machine_click_seconds=90).last_clicked is None


def test_an_undated_delivery_counts_once_and_is_older_than_any_sign(store: Store) -> None:
    undated = sign(DELIVERED, 0, "undated", occurred_at=None)
    found = told(store, [undated], [undated, sign(OPENED, 5)], [undated])
    assert (found.mails_received, found.mails_since_engaged) == (1, 0)


def test_a_delivery_dated_later_than_now_counts_once(store: Store) -> None:
    add(store, "c1@example.com")
    ahead = sign(DELIVERED, 0, occurred_at=NOW + timedelta(seconds=30))
    for seconds in (0, 10):
        record(replace(session_on(store), now=NOW + timedelta(seconds=seconds)), ahead)
    assert stored(store)["c1@example.com"].mails_received == 1


def test_of_old_deliveries_only_the_number_is_kept_and_reading_twice_still_counts_once(
    store: Store,
) -> None:
    old = [sign(DELIVERED, second) for second in range(5)]
    recent = [sign(DELIVERED, second) for second in (100, 101)]
    add(store, "c1@example.com")
    record(session_on(store), *old, *recent, sign(OPENED, 2.5), sign(DELIVERED, 3, "b"))
    before = stored(store)["c1@example.com"]
    assert (before.mails_received, before.mails_since_engaged) == (8, 5)

    def kept() -> list[int]:
        with store.reading() as connection:
            table = tables.delivery
            rows = select(table.c.mails).order_by(table.c.occurred_at, table.c.source_hash)
            return list(connection.execute(rows).scalars())

    forget_deliveries(store, START + timedelta(seconds=50))
    assert kept() == [3, 3, 1, 1]
    forget_deliveries(store, START + timedelta(seconds=150))  # not twice a day
    record(session_on(store), *old, *recent, sign(DELIVERED, 49))
    assert stored(store)["c1@example.com"] == before
    record(session_on(store), sign(DELIVERED, 60))
    forget_deliveries(store, START + timedelta(days=1, seconds=51))
    assert kept() == [3, 6]
    assert stored(store)["c1@example.com"].mails_received == 9
    record(session_on(store), sign(OPENED, 200))
    assert stored(store)["c1@example.com"].mails_since_engaged == 0
    forget_deliveries(store, START + timedelta(days=3))
    assert kept() == [3, 6]  # nothing new: nothing is written again
    record(session_on(store), sign(DELIVERED, 4 * 86_400))
    last = stored(store)["c1@example.com"]
    assert (last.mails_received, last.mails_since_engaged) == (10, 1)


def test_what_was_before_a_click_comes_back_when_it_turns_out_to_be_a_machines(
    store: Store,
) -> None:
    """Though single deliveries of that time are no longer kept: its own is read late."""
    add(store, "c1@example.com")
    old = [sign(DELIVERED, second) for second in (0, 1, 2, 20, 21)]
    record(session_on(store), *old, sign(CLICKED, 15), sign(CLICKED, 100))
    assert stored(store)["c1@example.com"].mails_since_engaged == 0
    forget_deliveries(store, START + timedelta(seconds=50))
    record(session_on(store), sign(DELIVERED, 99))
    found = stored(store)["c1@example.com"]
    assert found.last_clicked == START + timedelta(seconds=15)
    assert (found.mails_received, found.mails_since_engaged) == (6, 3)


def test_a_click_that_an_import_gave_comes_back_when_a_later_one_is_a_machines(
    store: Store,
) -> None:
    given_at = START - timedelta(days=30)
    add(store, "c1@example.com")
    with store.writing() as connection:
        connection.execute(update(tables.contact).values(last_clicked=given_at))
        connection.execute(tables.click.insert().values(contact_id=1, occurred_at=given_at))
    record(session_on(store), sign(CLICKED, 1))
    record(session_on(store), sign(DELIVERED, 0))
    assert stored(store)["c1@example.com"].last_clicked == given_at
