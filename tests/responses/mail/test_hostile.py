"""Hostile and broken mails: read or rejected, in bounded time and memory, never an exception."""

import random
import resource
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactctl.domain.responses import Rejection, Response
from contactctl.responses.mail import MAX_MAIL_BYTES
from contactctl.responses.mail.addresses import MAX_RECIPIENTS
from contactctl.responses.mail.message import MAX_PARTS, header_text, leaf_parts, parse_mail
from helpers.mails import arf, dsn, events, mail, multipart, responses

SEEDS = [
    dsn(),
    dsn(action="delayed", status="4.4.1", diagnostic="", original="kari@example.org"),
    arf(fields="Original-Rcpt-To: <kari@example.org>\nArrival-Date: 2 Mar 2026 23:30:00 -0500\n"),
    mail(
        "Hi. This is the qmail-send program.\n\n<kari@example.org>:\n192.0.2.1 does not like "
        "recipient.\nRemote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy\n",
        subject="=?utf-8?b?ZmFpbHVyZQ==?= notice",
    ),
    mail(
        "<html><style>p{}</style><p>kari@example.org=3D</p><br>550 unknown user</html>",
        content_type="text/html; charset=iso-2022-jp",
        content_transfer_encoding="quoted-printable",
    ),
    mail(
        "PGthcmlAZXhhbXBsZS5vcmc+OiA1NTAgdXNlciB1bmtub3duCg==",
        content_transfer_encoding="base64",
        x_failed_recipients="kari@example.org, ola@example.com",
    ),
    b"From a@b Tue Mar  3 10:15:00 2026\n" + dsn().replace(b"\n", b"\r\n"),
]
SCRAPS = [
    b"\n",
    b"\n\n",
    b"\r",
    b"\0",
    b"@",
    b"<",
    b">",
    b":",
    b";",
    b"--bnd",
    b"--bnd--",
    b'"',
    b"=?",
    b"?=",
    b"=",
    b"\x1b$B",
    b"\xff\xfe",
    b"&#99999999999;",
    b"Content-Type: multipart/mixed; boundary=bnd\n",
    b"Content-Transfer-Encoding: base64\n",
    b"charset=punycode",
    b"charset=utf-7",
    b"charset=\xff",
    b"Final-Recipient:",
    b"Status: 9.9.999999",
    b"Date: 99999999999999999999",
    b"a" * 300,
    b"a@" * 200,
    b"(" * 200,
    b" " * 500,
    b"550 5.1.1 ",
    b"{",
    b"\xe3\x81",
]


def mutated(source: random.Random) -> bytes:
    """One seed with one to eight cuts, doublings, swaps or scraps."""
    raw = bytearray(source.choice(SEEDS))
    for _ in range(source.randint(1, 8)):
        start = source.randrange(len(raw) + 1)
        end = min(len(raw), start + source.randint(0, 80))
        match source.randrange(5):
            case 0:
                del raw[start:end]
            case 1:
                raw[start:start] = raw[start:end]
            case 2:
                raw[start:start] = source.choice(SCRAPS)
            case 3 if start < len(raw):
                raw[start] = source.randrange(256)
            case _:
                raw[start:end] = source.choice(SCRAPS)
    return bytes(raw)


def peak_kilobytes() -> int:
    """The process's largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def check(raw: bytes) -> None:
    """Only Responses with sound fields, and Rejections that are no guarded exception."""
    for event in events(raw):
        if isinstance(event, Response):
            assert "@" in event.recipient
            assert event.counts == (not event.not_counted)
            assert event.occurred_at is None or event.occurred_at.tzinfo is not None
            event.diagnostic.encode()
        else:
            assert isinstance(event, Rejection)
            assert "cannot be read" not in event.reason, raw


def test_mutations() -> None:
    source = random.Random(20260303)

    for _ in range(1_500):
        check(mutated(source))


@pytest.mark.torture
def test_hundred_thousand_mutations() -> None:
    source = random.Random(1)
    before = peak_kilobytes()

    for _ in range(100_000):
        check(mutated(source))

    assert peak_kilobytes() - before < 50 << 10


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes(raw: bytes) -> None:
    check(raw)


@given(st.binary(max_size=200), st.sampled_from(SEEDS))
@settings(max_examples=100)
def test_any_bytes_in_place_of_the_head(raw: bytes, seed: bytes) -> None:
    check(raw + seed)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n\n",
        b"\0" * 50,
        b"no colon here",
        b"\xff\xfe\xff",
        b"#Software: Internet Information Services 10.0\n#Fields: date time\n2026-11-20 10:00:02\n",
        b"Note: all of these bounced\nReason: unknown\n\nann@bad.example\n",
    ],
)
def test_no_mail_is_rejected(raw: bytes) -> None:
    (found,) = events(raw)

    assert isinstance(found, Rejection)
    assert "not a mail" in found.reason


def test_too_large_a_mail_is_rejected_without_its_bytes() -> None:
    (found,) = events(dsn() + b" " * MAX_MAIL_BYTES)

    assert isinstance(found, Rejection)
    assert found.reason == "mail is larger than 10 MiB"
    assert found.raw == b""


def test_a_guarded_failure_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("contactctl.responses.mail.reader.dissect", fail)

    (found,) = events(dsn())

    assert isinstance(found, Rejection)
    assert found.reason == "mail cannot be read (RecursionError)"


# --- limits, each with an input that would be slow or large without it ---


def nested(depth: int) -> bytes:
    head = b"From: MAILER-DAEMON\nContent-Type: multipart/mixed; boundary=b0\n\n"
    return head + b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (level, level + 1)
        for level in range(depth)
    )


GREEDY = {
    "deep": nested(3_000),
    "many-parts": multipart(*[("text/plain", "x")] * 20_000),
    "many-fields": b"".join(b"X-%d: y\n" % number for number in range(100_000)) + b"\nhello",
    "long-field": b"Subject: " + b"undeliverable " * 100_000 + b"\n\nhello",
    "folded-field": b"Subject: x" + b"\n y" * 200_000 + b"\n\nhello",
    "encoded-words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\nhello",
    "long-line": mail("a" * 1_000_000),
    "at-signs": mail("@" * 1_000_000),
    "almost-addresses": mail("a@" * 500_000),
    "addresses": mail("".join(f"<u{number}@example.org>:\n550 no\n" for number in range(50_000))),
    "blank-lines": mail("\n" * 1_000_000),
    "spaces": mail(" " * 1_000_000),
    "open-tags": mail("<" * 1_000_000, content_type="text/html"),
    "open-styles": mail("<style" * 100_000, content_type="text/html"),
    "colons": mail("a:" * 500_000),
    "dashes": mail("-" * 1_000_000),
    "brackets": dsn(status="5.1.1 " + "(" * 200_000),
    "diagnostic": dsn(diagnostic="smtp; " + "user account sender " * 50_000),
    "folded-diagnostic": dsn(diagnostic="smtp;" + "\n x" * 200_000),
    "boundaries": mail("--b\n" * 200_000, content_type="multipart/mixed; boundary=b"),
    "status-fields": multipart(("message/delivery-status", "Action: failed\n\n" * 60_000)),
    "punycode": mail("a-" * 300_000, content_type="text/plain; charset=punycode"),
    "entities": mail("&#1114112;" * 100_000, content_type="text/html"),
}


@pytest.mark.parametrize("name", GREEDY)
def test_greedy_mail_stays_within_memory(name: str) -> None:
    tracemalloc.start()

    check(GREEDY[name])

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 << 20


def test_parts_and_depth_are_limited() -> None:
    assert len(list(leaf_parts(parse_mail(GREEDY["many-parts"])))) <= MAX_PARTS
    assert len(list(leaf_parts(parse_mail(nested(100))))) == 1


def test_parts_are_limited_over_all_levels() -> None:
    inner = "--in\n\nx\n" * 50
    part = f"--out\nContent-Type: multipart/mixed; boundary=in\n\n{inner}--in--\n"
    raw = mail(part * 50, content_type="multipart/mixed; boundary=out")

    assert len(list(leaf_parts(parse_mail(raw)))) == MAX_PARTS


@pytest.mark.parametrize(
    "courtesy", ["can you please ", "madame, monsieur, ", "hei", "i want to ", "merci de "]
)
def test_courtesies_without_end_are_read_once(courtesy: str) -> None:
    """Tried in every way of cutting them up, they would take for ever (no wish follows them)."""
    many = courtesy * (300 // len(courtesy))
    assert events(mail(f"{many}x\n", sender="kari@example.org", subject=many)) == []


def test_recipients_are_limited() -> None:
    group = "Final-Recipient: rfc822; u{}@example.org\nAction: failed\nStatus: 5.1.1\n\n"
    text = "".join(group.format(number) for number in range(MAX_RECIPIENTS + 100))

    assert len(responses(multipart(("message/delivery-status", text)))) == MAX_RECIPIENTS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?b?w6k=?=", "é"),
        ("=?iso-8859-1?q?=E9?= x", "é x"),
        ("=?nonsense?q?a?=", "a"),
        ("=?utf-8?b?x?=", "=?utf-8?b?x?="),
        ("plain", "plain"),
    ],
)
def test_header_text(value: str, text: str) -> None:
    assert header_text(value) == text


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "é".encode(), "é"),
        ("iso-8859-1", b"\xe9", "é"),
        ("", "é".encode(), "é"),
        ("", b"\xe9", "é"),
        ("us-ascii", "不在".encode("iso-2022-jp"), "不在"),
        ("no-such-charset", b"\xe9", "é"),
        ("base64", b"aGk=", "aGk="),
        ("unicode_escape", b"\\u0041", "\\u0041"),
    ],
)
def test_text_of_a_part(charset: str, data: bytes, text: str) -> None:
    head = f"Content-Type: text/plain; charset={charset}\n\n" if charset else "Subject: x\n\n"

    assert parse_mail(head.encode() + data).text() == text
