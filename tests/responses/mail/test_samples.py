"""Bounces as many servers word them, look-alikes, and what becomes of both on their way."""

import quopri
from base64 import encodebytes
from collections.abc import Callable

import pytest

from contactctl.domain.responses import Response
from helpers.dialects.exchange import EXCHANGE
from helpers.dialects.google import GOOGLE
from helpers.mails import events
from helpers.sample_mails import Expected, sample_mails

SAMPLES = sample_mails("*.txt") | EXCHANGE | GOOGLE
PLAIN = [
    name
    for name, (raw, _) in SAMPLES.items()
    if b"multipart/" not in raw and b"Content-Transfer-Encoding" not in raw
]


def _found(raw: bytes) -> Expected:
    return [
        (event.recipient, event.category.value, event.counts)
        for event in events(raw)
        if isinstance(event, Response)
    ]


def _encoded(name: str, encode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        head, _, body = raw.partition(b"\n\n")
        return head + f"\nContent-Transfer-Encoding: {name}\n\n".encode() + encode(body)

    return change


def _with_footer(raw: bytes) -> bytes:
    return raw + b"\n\n--\nThis mail was checked for viruses and spam. See our policy.\n"


def _through_a_gateway(raw: bytes) -> bytes:
    return b"Received: from a.example by b.example; Tue, 3 Mar 2026 10:20:00 +0100\n" + raw


def test_there_are_many() -> None:
    assert len(SAMPLES) > 200


@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name: str) -> None:
    raw, expected = SAMPLES[name]

    assert _found(raw) == expected
    assert bool(events(raw)) == bool(expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: raw.replace(b"\n", b"\r"),
        lambda raw: b"From MAILER-DAEMON Tue Mar  3 10:15:00 2026\n" + raw,
        lambda raw: raw.replace(
            b"multipart/report; report-type=delivery-status", b"multipart/mixed"
        ),
        lambda raw: raw.replace(b"message/delivery-status", b"text/plain"),
        lambda raw: raw.replace(b"192.0.2.", b"198.51.100."),
        _through_a_gateway,
    ],
    ids=["crlf", "cr", "mbox", "untyped-mail", "untyped-report", "other-hosts", "gateway"],
)
def test_what_servers_do_to_mails_changes_nothing(change: Callable[[bytes], bytes]) -> None:
    changed = {name: change(raw) for name, (raw, _) in SAMPLES.items()}

    assert [name for name in SAMPLES if _found(changed[name]) != SAMPLES[name][1]] == []


@pytest.mark.parametrize(
    "change",
    [
        _encoded("base64", encodebytes),
        _encoded("quoted-printable", quopri.encodestring),
        _with_footer,
    ],
    ids=["base64", "quoted-printable", "footer"],
)
def test_what_servers_do_to_plain_text_changes_nothing(change: Callable[[bytes], bytes]) -> None:
    changed = {name: change(SAMPLES[name][0]) for name in PLAIN}

    assert [name for name in PLAIN if _found(changed[name]) != SAMPLES[name][1]] == []
