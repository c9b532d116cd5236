"""Lists, suppression lists and exports of the providers, and what queues put around events."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from json import dumps, loads
from typing import Any

import pytest

from contactctl.domain.responses import Event, NoResponse, Rejection, Response, Unsubscribe
from contactctl.responses.classify import default_classifier
from contactctl.responses.read import read_events
from helpers.samples.amazon_ses import ses_bounce
from helpers.samples.lists import KARI, LISTS, sns
from responses.formats.test_events import in_short

TEN_O_CLOCK = datetime(2026, 3, 1, 10, tzinfo=UTC)


def read(document: object, format_: str = "auto") -> list[Event]:
    raw = document if isinstance(document, str) else dumps(document)
    return list(read_events([BytesIO(raw.encode())], default_classifier(), format=format_))


def read_pretty(document: object) -> list[Event]:
    raw = dumps(document, indent=1).encode()
    return list(read_events([BytesIO(raw)], default_classifier()))


@pytest.mark.parametrize(
    ("provider", "document", "expected"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(LISTS)],
)
def test_a_documented_list(provider: str, document: Any, expected: list[str]) -> None:
    everything = read(document)
    events = [event for event in everything if not isinstance(event, NoResponse)]
    assert [in_short(event) for event in events] == expected
    for event in events:
        assert event.recipient.lower() == KARI
        assert event.source_key.startswith(f"{provider}:")
        assert event.occurred_at is not None
        assert abs(event.occurred_at - TEN_O_CLOCK).total_seconds() <= 60
    assert read(document, provider) == everything
    if not isinstance(document, str):
        keys = [getattr(event, "source_key", "") for event in everything]
        assert [getattr(event, "source_key", "") for event in read_pretty(document)] == keys


def test_the_rows_of_a_list_have_keys_of_their_own() -> None:
    rows = [
        {"created": 1772359200, "email": email, "reason": reason, "status": "550"}
        for email in (KARI, "ola@example.org")
        for reason in ("550 one", "550 two")
    ]
    assert len({event.source_key for event in read(rows)}) == 4
    again = [replace(event, source="") for event in read(rows[::-1])][::-1]
    assert again == [replace(event, source="") for event in read(rows)]


def test_an_event_is_one_however_it_came() -> None:
    bounce = ses_bounce("Permanent", "General")
    in_queue = {"Messages": [{"MessageId": "1", "Body": dumps(sns(bounce))}]}
    [bare], [queued] = read(bounce), read(in_queue)
    assert bare.source_key == queued.source_key


def test_the_time_around_an_event_stands_in_for_its_own() -> None:
    bounce = ses_bounce("Permanent", "General")
    del bounce["bounce"]["timestamp"]
    [event] = read(sns(bounce))
    assert event.occurred_at == TEN_O_CLOCK
    [dateless] = read(bounce)
    assert dateless.occurred_at is None


def test_the_group_that_was_left_is_named() -> None:
    row = {"email": KARI, "group_id": 7, "group_name": "News", "created_at": 1772359200}
    [event] = read({"suppressions": [row]})
    assert isinstance(event, Unsubscribe)
    assert (event.group, event.rule) == ("News", "sendgrid.event")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"data": 1, "event": "x"}, "no format known here (top-level keys: data, event)"),
        ({}, "no format known here (top-level keys: none)"),
        ({"\x1b[31m": 1}, r"top-level keys: \x1b[31m)"),
        ({"Records": [{"s3": {}}]}, "no format known here (top-level keys: s3)"),
        ({"items": [7]}, "not a JSON object"),
        ({"Body": "{", "MessageId": "1"}, "SQS message: its Body is not JSON"),
        ({"Type": "SubscriptionConfirmation", "TopicArn": "a", "Message": "m"}, "SubscribeURL"),
    ],
)
def test_what_is_unknown_is_refused_by_its_keys(document: object, reason: str) -> None:
    [event] = read(document)
    assert isinstance(event, Rejection)
    assert reason in event.reason
    assert event.raw


def test_one_row_of_a_list_that_cannot_be_read_is_kept_alone() -> None:
    good = {"address": KARI, "code": 550, "error": "550 5.1.1 user unknown", "created_at": ""}
    response, rejection = read({"items": [good, good | {"address": "?"}]})
    assert isinstance(response, Response)
    assert rejection.source == "-:1.items[1]"
    assert loads(rejection.raw)["address"] == "?"


def test_envelopes_in_envelopes_end_somewhere() -> None:
    document: object = ses_bounce("Permanent", "General")
    for _ in range(20):
        document = {"Type": "Notification", "Message": document}
    [event] = read(document)
    assert isinstance(event, Rejection)


def test_documents_of_several_senders_in_one_file() -> None:
    mixed = [document for _, document, _ in LISTS if isinstance(document, dict)]
    lines = "\n".join(map(dumps, mixed))
    events = [event for event in read(lines) if not isinstance(event, NoResponse)]
    expected = [
        short for _, document, shorts in LISTS if isinstance(document, dict) for short in shorts
    ]
    assert [in_short(event) for event in events] == expected
