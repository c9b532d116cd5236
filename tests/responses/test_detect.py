"""The format of an input, told by its content."""

import json

import pytest

from contactctl.domain.errors import InputError
from contactctl.responses.detect import detect
from helpers.provider_samples import CASES


@pytest.mark.parametrize("provider", CASES)
def test_every_event_of_every_provider(provider: str) -> None:
    for event, _ in CASES[provider]:
        for layout in (json.dumps(event), json.dumps([event]), json.dumps([event], indent=4)):
            assert detect(layout.encode(), "f") == provider


def test_ses_behind_sns() -> None:
    event = json.dumps(CASES["ses"][0][0])
    notification = {"Type": "Notification", "MessageId": "1", "Message": event}
    assert detect(json.dumps(notification, indent=1).encode(), "f") == "ses"
    confirmation = {"Type": "SubscriptionConfirmation", "MessageId": "1", "Message": "hello"}
    assert detect(json.dumps(confirmation).encode(), "f") == "ses"


def test_a_broken_or_foreign_first_line_does_not_mislead() -> None:
    event = json.dumps(CASES["brevo"][0][0]).encode()
    assert detect(b'{"broken\n{"foreign": 1}\n' + event, "f") == "brevo"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"email": "a@b.no", "category": "blocked"}', "jsonl"),
        (b"\xef\xbb\xbf\r\n [ ]", "jsonl"),
        (b"{", "jsonl"),
        (b"email,category\na@b.no,blocked\n", "csv"),
        (b"\xef\xbb\xbfemail;category\r\n", "csv"),
        (b'"email"\n', "csv"),
        (b"Email\n", "csv"),
        (b"address\tcategory\n", "csv"),
        (b"", "mail"),
        (b"From: MAILER-DAEMON@example.org\n\n", "mail"),
        (b"From mailer-daemon Sun Mar  1 10:00:00 2026\nX: y\n", "mail"),
        (b"From a, b; c\n", "mail"),
        (b"Received: from a, b; Sun, 1 Mar 2026\r\n", "mail"),
        (b"Return-Path: <>\rTo: a@b.no\r\r{}", "mail"),
        (b"\n\nSubject: late\n", "mail"),
        (b"nothing in particular", "mail"),
        (bytes(range(256)), "mail"),
    ],
)
def test_other_formats(head: bytes, expected: str) -> None:
    assert detect(head, "f") == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_advice(encoding: str) -> None:
    with pytest.raises(InputError) as caught:
        detect("\ufeff{}".encode(encoding), "events.json")
    assert "events.json" in caught.value.message
    assert "UTF-8" in caught.value.hint
