"""Postfix's log as files and as the journal's JSON; the lines are written for these tests."""

from datetime import UTC, datetime
from io import BytesIO
from json import dumps
from zoneinfo import ZoneInfo

import pytest

from contactctl.domain.responses import Activity, Event, NoResponse, Rejection, Response
from contactctl.responses.classify import default_classifier
from contactctl.responses.read import OwnFormats, read_events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = "2026-03-01T10:00:00.123456+00:00 mx postfix/smtp[592]: "
SAID = "host mx.example.org[192.0.2.1] said: "
TO = "to=<kari@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=5, delays=1/0/2/2, "


def read(text: str, *, zone: str = "UTC", format_: str = "auto") -> list[Event]:
    own = OwnFormats(zone=ZoneInfo(zone), now=NOW)
    payload = BytesIO(text.encode("utf-8", "surrogateescape"))
    events = read_events([payload], default_classifier(), format=format_, own=own)
    return [event for event in events if not isinstance(event, NoResponse)]


def delivery(message: str, queue: str = "F180CB7A") -> str:
    return f"{HEAD}{queue}: {message}\n"


def test_a_bounce_a_delay_and_a_delivery() -> None:
    bounce, delay, sent = read(
        delivery(
            f"{TO}dsn=5.1.1, status=bounced ({SAID}550 5.1.1 user unknown (in reply to RCPT TO))"
        )
        + delivery(
            f"{TO}dsn=4.4.1, status=deferred (connect to mx: Connection timed out)", "A1B2C3"
        )
        + delivery(f"{TO}dsn=2.0.0, status=sent (250 2.0.0 Ok)", "D4E5F6")
    )
    assert (bounce.category, bounce.counts, bounce.status) == ("invalid-address", True, "5.1.1")
    assert bounce.occurred_at == datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert (bounce.source, bounce.host) == ("-:1", "example.org")
    assert (delay.category, delay.not_counted) == ("communication-failure", "delayed")
    assert isinstance(sent, Activity)
    assert len({bounce.source_key, delay.source_key, sent.source_key}) == 3


def test_what_expires_is_of_those_who_still_waited() -> None:
    waits = delivery(f"{TO}dsn=4.2.2, status=deferred ({SAID}452 4.2.2 mailbox full)")
    other = waits.replace("kari@", "ola@")
    ola_got_it = delivery(f"{TO}dsn=2.0.0, status=sent (250 Ok)").replace("kari@", "ola@")
    expired = HEAD.replace("smtp", "qmgr") + "F180CB7A: from=<n@x.no>, status=expired, returned\n"
    events = read(waits + other + ola_got_it + expired)
    assert [type(event) for event in events] == [Response, Response, Activity, Response]
    assert (events[-1].recipient, events[-1].category, events[-1].counts) == (
        *("kari@example.org", "transient"),
        True,
    )
    assert events[-1].host == "example.org"


def test_the_address_before_an_alias_is_kept() -> None:
    text = "to=<kari@example.org>, orig_to=<team@example.org>, relay=local, delay=1, dsn=5.1.1, "
    [event] = read(delivery(f'{text}status=bounced (unknown user: "kari")'))
    assert (event.recipient, event.original_recipient) == ("kari@example.org", "team@example.org")
    assert event.host == ""


@pytest.mark.parametrize(
    ("stamp", "zone", "expected"),
    [
        ("Mar  1 10:00:00", "UTC", "2026-03-01T10:00:00"),
        ("Mar  1 10:00:00", "Europe/Oslo", "2026-03-01T09:00:00"),
        ("Dec 31 23:59:59", "UTC", "2025-12-31T23:59:59"),
        ("Mar  2 11:00:00", "UTC", "2026-03-02T11:00:00"),
        ("Mar  3 10:00:00", "UTC", "2025-03-03T10:00:00"),
        ("2026-03-01T11:00:00.5+01:00", "UTC", "2026-03-01T10:00:00"),
        ("2026-03-01 10:00:00", "Europe/Oslo", "2026-03-01T09:00:00"),
        ("<22>Mar  1 10:00:00", "UTC", "2026-03-01T10:00:00"),
        ("mail  | 2026-03-01T10:00:00,5Z", "UTC", "2026-03-01T10:00:00"),
    ],
)
def test_times_as_syslog_writes_them(stamp: str, zone: str, expected: str) -> None:
    line = (
        f"{stamp} mx postfix/submission/smtp[592]: F180CB7A: {TO}dsn=5.1.1, status=bounced (no)\n"
    )
    [event] = read(line, zone=zone)
    assert event.occurred_at.isoformat()[:19] == expected


def test_a_line_as_rfc_5424_writes_it() -> None:
    line = f"<22>1 2026-03-01T10:00:00Z mx postfix/smtp 592 - - F180CB7A: {TO}dsn=5.1.1, status="
    [event] = read(f"{line}bounced (no)\n")
    assert (event.category, event.occurred_at.hour) == ("invalid-address", 10)


def test_lines_of_others_give_nothing_and_odd_ones_are_told() -> None:
    events = read(
        "Mar  1 10:00:00 mx sshd[1]: status=bounced to=<a@b.no>\n"
        + delivery("message-id=<to=<a@b.no>, status=sent>").replace("smtp", "cleanup")
        + delivery(f"{TO}dsn=2.1.5, status=deliverable (probe)")
        + delivery("to=<kari>, relay=local, delay=1, dsn=5.1.1, status=bounced (no)")
        + delivery(f"{TO}dsn=5.0.0, status=bounced (\udcff\udcfe odd \udce5)")
        + "Mar  1 10:00:00 mx postfix/smtp[1]: warning: status= of nothing\n"
    )
    assert [type(event) for event in events] == [Rejection, Response]
    assert "not an email address" in events[0].reason


def test_an_address_in_its_own_refusal_is_no_evidence() -> None:
    line = delivery(f"{TO}dsn=5.0.0, status=bounced ({SAID}550 <full@example.org>: no)")
    [event] = read(line.replace("kari@", "full@"))
    assert event.category == "unknown"


def test_the_journal_s_json() -> None:
    entry = {
        "__REALTIME_TIMESTAMP": "1772359200123456",
        "SYSLOG_IDENTIFIER": "postfix/smtp",
        "_PID": "592",
        "MESSAGE": f"F180CB7A: {TO}dsn=5.1.1, status=bounced ({SAID}550 5.1.1 user unknown)",
    }
    as_bytes = entry | {"MESSAGE": list(f"{entry['MESSAGE']}".encode() + b"\xff")}
    other = entry | {"SYSLOG_IDENTIFIER": "sshd"}
    events = read("\n".join(map(dumps, (other, entry, as_bytes))))
    assert [event.category for event in events] == ["invalid-address"] * 2
    assert events[0].occurred_at == datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert events == read("\n".join(map(dumps, (other, entry, as_bytes))), format_="postfix")


@pytest.mark.parametrize(
    "before",
    [
        "Mar  1 10:00:00 mx transfer/smtp[592]:",  # another syslog_name
        "mail-1  | 2026-03-01T10:00:00Z INFO    postfix/smtp[592]:",
        '{"__REALTIME_TIMESTAMP": "1772359200000000", "SYSLOG_IDENTIFIER": "out/lmtp", "MESSAGE":',
        '{"__REALTIME_TIMESTAMP": "1772359200000000", "_COMM": "smtp", "_SYSTEMD_UNIT":'
        ' "postfix@-.service", "MESSAGE":',
    ],
)
def test_an_agent_by_another_name(before: str) -> None:
    message = f"F180CB7A: {TO}dsn=5.1.1, status=bounced ({SAID}550 5.1.1 user unknown)"
    [event] = read(f"{before} {dumps(message)}}}\n" if "{" in before else f"{before} {message}\n")
    assert (event.category, event.occurred_at.hour) == ("invalid-address", 10)


def test_a_failure_that_cannot_be_read_is_told() -> None:
    lines = f"1772359200 smtp: F180CB7A: {TO}dsn=5.1.1, status=bounced (no)\n" + delivery("x")
    entry = {
        "__REALTIME_TIMESTAMP": "1772359200123456",
        "SYSLOG_IDENTIFIER": "exim4",
        "MESSAGE": "1kAbCd-0001aB-Cd ** kari@example.org R=dnslookup T=remote_smtp: 550 no user",
    }
    for text in (lines, dumps(entry)):
        [event] = read(text, format_="postfix")
        assert isinstance(event, Rejection)
