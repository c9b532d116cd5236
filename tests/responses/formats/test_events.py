"""Every documented event of every provider, and what all of them have in common."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from contactctl.domain.responses import (
    Activity,
    Event,
    NoResponse,
    Rejection,
    Response,
    Unsubscribe,
)
from contactctl.responses.classify import cached, default_classifier
from contactctl.responses.formats.reader import DocumentReader, open_envelope, provider_formats
from contactctl.responses.read import read_events
from helpers.provider_samples import CASES

TEN_O_CLOCK = datetime(2026, 3, 1, 10, tzinfo=UTC)
CLASSIFY = cached(default_classifier())
EVERY_CASE = [
    pytest.param(provider, event, expected, id=f"{provider}-{number}")
    for provider, cases in CASES.items()
    for number, (event, expected) in enumerate(cases)
]


def read(provider: str, event: dict[str, Any]) -> list[Event]:
    formats = [each for each in provider_formats() if each.name == provider]
    events = DocumentReader(CLASSIFY, formats).read(event, "place")
    return [without_raw(each) for each in events if not isinstance(each, NoResponse)]


def without_raw(event: Event) -> Event:
    return replace(event, raw=b"") if isinstance(event, Rejection) else event


def in_short(event: Event) -> str:
    if isinstance(event, Activity):
        return f"{event.kind} by machine" if event.by_machine else event.kind
    if isinstance(event, Unsubscribe):
        said = "resubscribed" if event.resubscribed else "unsubscribed"
        return f"{said}/echo" if event.echo else said
    assert isinstance(event, Response), event
    assert event.counts == (not event.not_counted)
    return f"{event.category}/{event.not_counted}" if event.not_counted else event.category


def read_all(provider: str, payload: bytes) -> list[Event]:
    events = read_events([BytesIO(payload)], default_classifier(), format=provider)
    return [event for event in events if not isinstance(event, NoResponse)]


def placeless(events: list[Event]) -> list[Event]:
    return sorted((replace(event, source="") for event in events), key=repr)


@pytest.mark.parametrize(("provider", "event", "expected"), EVERY_CASE)
def test_a_documented_event(provider: str, event: dict[str, Any], expected: list[str]) -> None:
    events = read(provider, event)
    assert [in_short(one) for one in events] == expected
    for one in events:
        assert one.source.startswith("place")
        assert one.recipient.lower() == "kari@example.org"
        assert one.source_key.startswith(f"{provider}:")
        assert one.occurred_at is not None
        assert abs(one.occurred_at - TEN_O_CLOCK).total_seconds() <= 60
        assert one.occurred_at.tzinfo is UTC


@pytest.mark.parametrize("provider", CASES)
def test_the_rule_names_the_provider_or_the_text_rule(provider: str) -> None:
    for event, _ in CASES[provider]:
        for one in read(provider, event):
            if isinstance(one, Response):
                by_event = one.rule.startswith(f"{provider}.")
                said = CLASSIFY(one.diagnostic, one.status, "")
                assert by_event or one.rule == said.rule or one.rule.startswith("reply-"), event


@pytest.mark.parametrize("provider", CASES)
def test_an_event_is_recognised_as_its_provider_s(provider: str) -> None:
    for event, _ in CASES[provider]:
        if event == {"msys": {}}:
            continue  # SparkPost's test of a webhook has nothing in it
        inside = list(documents_in(event))
        assert inside
        for document in inside:
            recognised = [each.name for each in provider_formats() if each.find(document)]
            assert recognised == [provider], event


def documents_in(event: object) -> Iterator[dict[str, Any]]:
    opened = open_envelope(event) if isinstance(event, dict) else None
    if opened is None:
        yield event
    else:
        for _, document in opened.documents:
            yield from documents_in(document)


@pytest.mark.parametrize("provider", CASES)
def test_batched_apart_shuffled_and_twice_come_the_same_events(provider: str) -> None:
    events = [event for event, _ in CASES[provider]]
    one_by_one = placeless([one for event in events for one in read(provider, event)])
    shuffled = random.Random(5).sample(events, len(events))
    as_lines = b"\n".join(json.dumps(event).encode() for event in shuffled)
    as_array = json.dumps(shuffled).encode()
    pretty = json.dumps(shuffled, indent=2).encode()
    for payload in (as_lines, as_array, pretty, as_array + b"\n" + as_array):
        read_back = placeless(read_all(provider, payload))
        twice = payload.startswith(as_array + b"\n")
        assert read_back == sorted(one_by_one * (2 if twice else 1), key=repr)


@pytest.mark.parametrize("provider", CASES)
def test_the_key_does_not_hang_on_the_order_of_fields_or_on_new_ones(provider: str) -> None:
    for event, _ in CASES[provider]:
        reordered = dict(reversed(event.items())) | {"added_by_the_provider_later": [1]}
        assert read(provider, reordered) == read(provider, event)


def without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_addresses(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_addresses(item) for item in value]
    return "nobody" if isinstance(value, str) and value.lower() == "kari@example.org" else value


@pytest.mark.parametrize("provider", CASES)
def test_without_an_address_it_is_rejected(provider: str) -> None:
    for event, expected in CASES[provider]:
        events = read(provider, without_addresses(event))
        assert len(events) == len(expected), event
        assert all(
            isinstance(one, Rejection) and "no email address" in one.reason for one in events
        )


@pytest.mark.parametrize("provider", CASES)
def test_an_unrecognised_event_is_named(provider: str) -> None:
    named = [
        one.diagnostic
        for event, expected in CASES[provider]
        for one in read(provider, event)
        if expected == ["unknown/unrecognised-event"]
    ]
    assert named
    assert all(text.startswith(f"unrecognised {provider} event ") for text in named)


@pytest.mark.parametrize("provider", CASES)
def test_reading_changes_no_event(provider: str) -> None:
    for event, _ in CASES[provider]:
        before = deepcopy(event)
        read(provider, event)
        assert event == before


@pytest.mark.parametrize(
    ("provider", "event", "host"),
    [
        ("mailgun", {"mx-host": "aspmx.l.google.com"}, "google.com"),
        ("mailgun", {"mx-host": None}, ""),
        ("ses", {"reportingMTA": "dns; mx.receiver.net"}, "receiver.net"),
        ("ses", {"reportingMTA": "dsn; a8-70.smtp-out.amazonses.com"}, ""),
        ("ses", {}, ""),
    ],
)
def test_the_receiving_host_is_kept(provider: str, event: dict[str, Any], host: str) -> None:
    documents = {
        "mailgun": {
            "event": "failed",
            "id": "1",
            "timestamp": 1772359200.0,
            "recipient": "kari@example.org",
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": "5.1.1 no such user", **event},
        },
        "ses": {
            "notificationType": "Bounce",
            "mail": {"messageId": "m", "timestamp": "2026-03-01T10:00:00.000Z"},
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": "kari@example.org", "status": "5.1.1"}],
                "timestamp": "2026-03-01T10:00:00.000Z",
                "feedbackId": "f",
                **event,
            },
        },
    }

    [found] = read(provider, documents[provider])

    assert isinstance(found, Response)
    assert (found.host, found.category) == (host, "invalid-address")
