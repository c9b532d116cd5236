"""Events put into batches of rows, before any store sees them."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contactctl.domain.responses import Activity, ActivityKind, Category, Event, Rejection, Response
from contactctl.operations import ingest_rows
from contactctl.operations.ingest_rows import ReadBatch, batches_of, events_not_suppressed
from contactctl.store.staged import SignKind

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AS_STORED = "2026-06-01 12:00:00.000000"


def response(recipient: str, **values: object) -> Response:
    known = {"source": "f:1", "source_key": "k", "category": Category.TRANSIENT}
    return Response(recipient=recipient, **(known | values))  # type: ignore[arg-type]


def activity(kind: ActivityKind, at: datetime | None, recipient: str = "a@example.com") -> Activity:
    return Activity("f:1", "k", recipient, kind, at)


def batch_of(*events: Event) -> ReadBatch:
    [batch] = batches_of(events, 100)
    return batch


def test_batches_have_their_size_and_keep_the_order() -> None:
    rejection = Rejection("f:2", "broken")
    events = [response("a@example.com"), rejection, *(response("b@example.com") for _ in range(3))]
    batches = list(batches_of(events, 2))
    assert [[row[0] for row in batch.responses] for batch in batches] == [
        ["a@example.com"],
        ["b@example.com", "b@example.com"],
        ["b@example.com"],
    ]
    assert [batch.rejected for batch in batches] == [[rejection], [], []]
    assert list(batches_of([], 2)) == []


def test_large_rejections_make_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_rows, "_MAX_REJECTED_BYTES", 10)
    events = [Rejection("f", "broken", b"12345")] * 5
    assert [len(batch.rejected) for batch in batches_of(events, 100)] == [2, 2, 1]


def test_instants_are_utc_text_and_a_missing_one_is_left_to_the_store() -> None:
    in_oslo = NOON.astimezone(timezone(timedelta(hours=2)))
    batch = batch_of(
        response("a@example.com", occurred_at=in_oslo), response("a@example.com", occurred_at=None)
    )
    assert [row[-2] for row in batch.responses] == [AS_STORED, None]


def test_signs_of_life_are_told_apart_and_one_without_an_address_is_left_out() -> None:
    batch = batch_of(
        activity(ActivityKind.OPENED, NOON),
        activity(ActivityKind.DELIVERED, NOON - timedelta(hours=12), "A@Example.com"),
        activity(ActivityKind.CLICKED, None, "b@example.com"),
        activity(ActivityKind.CLICKED, NOON, "no address"),
    )
    opened, delivered, clicked = batch.signs
    assert opened == ("a@example.com", AS_STORED, SignKind.OPENED, 0)
    assert delivered[:3] == ("a@example.com", "2026-06-01 00:00:00.000000", SignKind.DELIVERED)
    assert delivered[3] > 0
    assert clicked == ("b@example.com", None, SignKind.CLICKED, 0)
    assert (batch.events, batch.activity_events) == (4, 4)


def test_suppressed_addresses_are_rejected_and_their_activities_dropped() -> None:
    batch = batch_of(
        response("a@example.com", source="f:1"),
        response("b@example.com", original_recipient="c@example.com", source="f:2"),
        response("d@example.com", source="f:3"),
        activity(ActivityKind.OPENED, NOON),
        activity(ActivityKind.OPENED, NOON, "d@example.com"),
        Rejection("f:6", "broken"),
    )
    asked: set[str] = set()

    def suppressed(keys: Collection[str]) -> set[str]:
        asked.update(keys)
        return {"a@example.com", "b@example.com"}

    left = events_not_suppressed(batch, suppressed)
    assert asked == {f"{name}@example.com" for name in "abcd"}
    assert [row[0] for row in left.responses] == ["d@example.com"]
    assert [row[0] for row in left.signs] == ["d@example.com"]
    assert [each.source for each in left.rejected] == ["f:6", "f:1", "f:2"]
    assert (left.events, left.activity_events) == (5, 2)
