"""Responses recorded once, matched to contacts, held back, and followed by deactivations."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contactctl.domain.errors import BusyError, RefusedError
from contactctl.domain.policies import GroupPolicy, IncidentGuard, Threshold
from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Event,
    NoResponse,
    Rejection,
    ResponseFilter,
)
from contactctl.domain.runs import RunKind, RunState
from contactctl.operations import ingest as ingest_module
from contactctl.operations.database import check_database
from contactctl.operations.editing import add_contact
from contactctl.operations.ingest import INGESTING, IngestResult, conclude_interrupted
from contactctl.operations.responses import latest_responses
from contactctl.operations.runs import cancel_run, latest_runs, read_run
from contactctl.operations.session import Session
from contactctl.operations.suppressions import add_suppression
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.database.locks import exclusive
from contactctl.store.database.store import Store
from contactctl.store.runs import list_runs
from helpers.dumps import dump
from helpers.ingested import (
    AN_HOUR_AGO,
    add,
    blocked,
    deactivated,
    ingest,
    record,
    recorded,
    response,
    session_on,
)
from helpers.responses import insert_group, statuses
from helpers.sessions import NOW, make_session


def figures(result: IngestResult) -> tuple[int, int, int, int, int]:
    counts = result.counts
    return (
        counts.recorded,
        counts.duplicates,
        counts.unmatched,
        counts.not_counted,
        result.rejected,
    )


def test_the_same_events_in_any_order_are_recorded_once(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    events = [response("c1@example.com", "a"), response("c2@example.com", "a"), response(key="b")]
    session = session_on(store)
    assert figures(record(session, *events, events[0])) == (3, 1, 0, 0, 0)
    assert figures(record(session, *reversed(events))) == (0, 3, 0, 0, 0)
    assert recorded(store, "contact_id", "source_key") == [(1, "a"), (1, "b"), (2, "a")]


def test_an_ingest_is_a_run_that_says_what_it_did(store: Store) -> None:
    add(store, "c1@example.com")
    result = record(
        session_on(store),
        response(key="a"),
        response(key="b", counts=False, not_counted="delayed"),
        response("nobody@example.com"),
        Activity("test", "o", "c1@example.com", ActivityKind.OPENED, AN_HOUR_AGO),
        Rejection("line 5", "no JSON"),
        NoResponse("line 6"),
    )
    assert (result.read, result.no_responses) == (6, 1)
    run = read_run(session_on(store), result.run)
    assert (run.kind, run.state, run.planned, run.changed) == (
        RunKind.INGEST,
        RunState.DONE,
        3,
        3,
    )
    assert run.results == {
        "unmatched": 1,
        "not_counted": 1,
        "sender_side": 0,
        "held": 0,
        "taken_back": 0,
        "rejected": 1,
        "activities": 1,
        "no_response": 1,
        "unsubscribes": 0,
        "unsubscribed": 0,
        "left_groups": 0,
    }
    assert result.counts.by_category == {"transient": 3}


def test_the_original_recipient_is_asked_before_the_final_one(store: Store) -> None:
    add(store, "kari@example.com", "alias@example.org")
    both = response("alias@example.org", "a", original_recipient="Kari@EXAMPLE.com")
    final = response("alias@example.org", "b", original_recipient="gone@example.com")
    neither = response("x@example.org", "c", original_recipient="not an address")
    result = record(session_on(store), both, final, neither)
    assert recorded(store, "contact_id", "source_key") == [(1, "a"), (2, "b")]
    assert result.counts.unmatched == 1


def test_an_unmatched_response_joins_its_contact_when_it_is_added(store: Store) -> None:
    session = session_on(store)
    late = response("New@Example.com", category=Category.INVALID_ADDRESS, group="News")
    assert figures(record(session, late)) == (1, 0, 1, 0, 0)
    assert figures(record(session, late)) == (0, 1, 0, 0, 0)
    with store.writing() as connection:
        insert_group(connection, 7, "NEWS")
    contact_id, _ = add_contact(session, {"email": "new@example.com"})
    assert recorded(store, "contact_id", "group_id", "occurred_at") == [
        (contact_id, 7, AN_HOUR_AGO)
    ]
    assert latest_responses(session, ResponseFilter(unmatched=True)) == []
    assert figures(record(session, late)) == (0, 1, 0, 0, 0)
    sweep_thresholds(session)
    assert deactivated(store) == [(contact_id, 0, "invalid-address")]


def test_an_event_without_a_time_or_from_the_future_happened_now(store: Store) -> None:
    add(store, "c1@example.com")
    far = datetime(2099, 1, 1, tzinfo=UTC)
    record(
        session_on(store), response(key="a", occurred_at=None), response(key="b", occurred_at=far)
    )
    assert recorded(store, "occurred_at") == [(NOW,), (NOW,)]


def test_what_no_database_takes_is_replaced(store: Store) -> None:
    add(store, "c1@example.com")
    record(session_on(store), response(key="a", diagnostic="nul \0, half \ud800, é, 🙂"))
    assert recorded(store, "diagnostic") == [("nul \ufffd, half \ufffd, é, 🙂",)]


def test_activities_move_the_last_dates_forward_only(store: Store) -> None:
    add(store, "c1@example.com", last_opened=NOW - timedelta(days=1))
    session = session_on(store)

    def seen(kind: ActivityKind, days: int, channel: str = "email") -> Activity:
        at = NOW - timedelta(days=days)
        return Activity("test", f"{kind} {days}", "C1@example.com", kind, at, channel)

    def last_dates() -> tuple[Any, ...]:
        table = tables.contact
        names = ("last_emailed", "last_opened", "last_clicked", "delivered_at", "revision")
        with store.reading() as connection:
            return tuple(connection.execute(select(*(table.c[name] for name in names))).one())

    record(session, seen(ActivityKind.DELIVERED, 5), seen(ActivityKind.DELIVERED, 3))
    emailed = NOW - timedelta(days=3)
    opened = NOW - timedelta(days=1)
    assert last_dates() == (emailed, opened, None, emailed, 1)
    again = [seen(ActivityKind.DELIVERED, 3), seen(ActivityKind.OPENED, 2, "push")]
    record(session, *again)
    assert last_dates() == (emailed, opened, None, emailed, 1)
    signs = [seen(ActivityKind.OPENED, 2), seen(ActivityKind.CLICKED, 0)]
    record(session, *signs)
    after_click = last_dates()
    assert after_click[:4] == (emailed, opened, NOW, NOW)
    record(session, *again, *signs)
    assert last_dates() == after_click


def test_a_delivery_in_the_same_ingest_resets_earlier_responses(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    before, after = AN_HOUR_AGO - timedelta(hours=1), AN_HOUR_AGO + timedelta(minutes=1)
    events: list[Event] = [
        response(email, str(number), occurred_at=at)
        for email, at in (("c1@example.com", before), ("c2@example.com", after))
        for number in range(2)
    ]
    deliveries = [
        Activity("test", email, email, ActivityKind.DELIVERED, AN_HOUR_AGO)
        for email in ("c1@example.com", "c2@example.com")
    ]
    session = session_on(store, incident_guard=IncidentGuard(), reset_on_delivery=True)
    record(session, *events, *deliveries)
    assert deactivated(store) == [(2, 0, "transient")]


def test_a_threshold_reached_over_two_ingests_deactivates_with_the_second(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    session = session_on(store)
    assert record(session, response(key="a")).deactivated == 0
    second = record(session, response(key="b"))
    assert second.deactivated == 1
    assert second.thresholds is not None
    (run,) = second.thresholds.runs
    assert (run.kind, run.state) == (RunKind.THRESHOLDS, RunState.DONE)
    assert run.details.to_json()["after_run"] == second.run
    assert deactivated(store) == [(1, 0, "transient")]


def test_only_contacts_of_the_ingest_are_looked_at(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    record(
        session_on(store, thresholds={}),
        response("c2@example.com", "a"),
        response("c2@example.com"),
    )
    session = session_on(store, incident_guard=IncidentGuard())
    record(session, response(key="a"), response(key="b"))
    assert deactivated(store) == [(1, 0, "transient")]


def test_a_response_of_a_group_is_counted_there(store: Store) -> None:
    add(store, "c1@example.com")
    with store.writing() as connection:
        insert_group(connection, 7, "News")
    groups = {"news": GroupPolicy("news", {Category.TRANSIENT: Threshold(5, days_apart=0)})}
    session = session_on(store, groups=groups, incident_guard=IncidentGuard())
    record(session, response(key="a", group="NEWS"), response(key="b", group="news"))
    assert deactivated(store) == []
    record(session, response(key="c", group="unknown"), response(key="d"))
    assert deactivated(store) == [(1, 0, "transient")]


def test_a_suppressed_address_is_rejected(store: Store, tmp_path: Path) -> None:
    add(store, "c1@example.com")
    session = make_session(store, suppression_key_file=tmp_path / "key")
    add_suppression(session, "gone@example.com")
    rejects: list[Rejection] = []
    gone = response("Gone@example.com", original_recipient="alias@example.com")
    result = ingest(session, [response(), gone], rejects.append)
    assert figures(result) == (1, 0, 0, 0, 1)
    assert "suppressed" in rejects[0].reason


def test_what_an_interrupted_ingest_recorded_is_looked_at_by_the_next(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    session = session_on(store)
    with pytest.raises(KeyboardInterrupt):
        ingest(session, interrupted(session, [response(key="a"), response(key="b")]), [].append)
    assert deactivated(store) == []
    assert latest_runs(session, limit=1, kinds=[], states=[])[0].state is RunState.FAILED
    record(session, response("c2@example.com"))
    assert deactivated(store) == [(1, 0, "transient")]
    with store.reading() as connection:
        assert connection.execute(select(tables.plan_item)).all() == []


def test_a_cancelled_ingest_stops(store: Store) -> None:
    add(store, "c1@example.com")
    session = session_on(store)

    def events() -> Iterator[Event]:
        yield from (response(key=str(each)) for each in range(ingest_module.BATCH_EVENTS))
        with store.reading() as connection:
            run_id = list_runs(connection, limit=1)[0].id
        cancel_run(session, run_id)
        yield response(key="late")

    with pytest.raises(RefusedError, match="is now cancelled"):
        ingest(session, events(), [].append)
    assert len(recorded(store, "source_key")) == ingest_module.BATCH_EVENTS
    with store.reading() as connection:
        assert list_runs(connection, limit=1)[0].state is RunState.CANCELLED


def interrupted(session: Session, events: Sequence[Event]) -> Any:
    """Events of which the first batch is recorded before Ctrl-C."""
    for number in range(ingest_module.BATCH_EVENTS):
        yield events[number % len(events)]
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_EVENTS", 100)


def test_a_sweep_concludes_an_interrupted_ingest(store: Store) -> None:
    add(store, *(f"c{each}@example.com" for each in range(1, 4)))
    session = session_on(store)
    with pytest.raises(KeyboardInterrupt):
        ingest(session, interrupted(session, blocked("example.com", 3)), [].append)
    with exclusive(store, INGESTING):
        conclude_interrupted(session)
    sweep_thresholds(session)
    assert deactivated(store) == []
    conclude_interrupted(session)
    assert {row[0] for row in recorded(store, "held")} == {False}
    sweep_thresholds(session)
    assert len(deactivated(store)) == 3


def test_an_ingest_that_finds_nothing_new_leaves_no_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cron reads the same folder again and again."""
    monkeypatch.setattr(ingest_module, "BATCH_EVENTS", 2)
    add(store, "c1@example.com")
    session = session_on(store)
    events = [response(key=str(number)) for number in range(5)]
    ignored = NoResponse("mail", "an out-of-office reply")
    first = ingest(session, [ignored, ignored, *events], [].append)
    before = dump(store)

    for again in ([], [ignored], events, [*events, ignored]):
        nothing = ingest(session, again, [].append)
        assert (nothing.run, nothing.counts.recorded, nothing.deactivated) == (None, 0, 0)
        assert nothing.read == len(again)
    assert dump(store) == before
    assert first.run == 1  # mails that are no responses have begun none
    assert ingest(session, [*events, response(key="new")], [].append).run is not None


def test_one_ingest_at_a_time(store: Store) -> None:
    session = session_on(store)
    with exclusive(store, INGESTING), pytest.raises(BusyError):
        ingest(session, [], [].append, wait_seconds=0)
    assert latest_runs(session, limit=5, kinds=[], states=[]) == []


def test_recorded_although_the_thresholds_must_wait(store: Store) -> None:
    """Another run changes contacts: the responses are kept, and the next ingest goes on."""
    add(store, "c1@example.com")
    session = session_on(store)
    events = [response(key="a"), response(key="b")]
    with exclusive(store, "contacts"):
        result = ingest(session, events, [].append, wait_seconds=0)
    assert result.busy is not None
    assert result.counts.recorded == 2
    assert deactivated(store) == []
    findings = check_database(session).findings
    assert {each.check: each.broken for each in findings if each.broken} == {
        "no run is unfinished": 1  # the plan items of a run that is done are no bug here
    }
    record(session)
    assert check_database(session).in_order
    assert deactivated(store) == [(1, 0, "transient")]


def test_statuses_follow(store: Store) -> None:
    add(store, "c1@example.com", "c2@example.com")
    record(session_on(store), response(category=Category.INVALID_ADDRESS))
    with store.reading() as connection:
        assert statuses(connection) == {1: "inactive", 2: "active"}


@pytest.mark.parametrize("first", [KeyboardInterrupt(), ValueError("first")])
def test_what_ends_an_ingest_is_told_although_its_run_has_ended_already(
    store: Store, first: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_on(store)
    monkeypatch.setattr(ingest_module, "BATCH_EVENTS", 1)

    def events() -> Iterator[Event]:
        yield response(key="a")
        [run] = latest_runs(session, limit=1, kinds=[RunKind.INGEST], states=[])
        cancel_run(session, run.id)
        raise first

    with pytest.raises(type(first)):
        ingest(session, events(), lambda _: None)
