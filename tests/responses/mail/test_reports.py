"""Delivery reports in detail: recipients, times, keys, odd fields."""

from datetime import UTC, datetime

import pytest

from contactctl.domain.responses import Category, Rejection, Response
from contactctl.responses.classify import default_classifier
from contactctl.responses.mail import read_mail
from contactctl.responses.rules import parse_rules
from helpers.mails import dsn, events, mail, multipart, response, responses


def test_both_recipients_are_kept() -> None:
    found = response(dsn("child@example.net", original="kari@example.org"))

    assert found.recipient == "child@example.net"
    assert found.original_recipient == "kari@example.org"


@pytest.mark.parametrize(
    ("original", "failed", "is_through"),
    [
        ("sales@example.org", "kari@example.org", True),
        ("kari@example.org", "kari@gmail.example", True),
        ("kari@example.org", "KARI@Example.org", False),
        ("kari@example.org", "kari@mx1.mail.example.org", False),
        ("kari@mail.example.org", "kari@example.org", False),
        ("kari@example.org", "kari@badexample.org", True),
    ],
)
def test_another_mailbox_behind_the_address(original: str, failed: str, is_through: bool) -> None:
    assert response(dsn(failed, original=original)).through == (failed if is_through else "")


@pytest.mark.parametrize(
    ("actual", "failed", "original"),
    [
        ("rfc822; staff@example.net", "staff@example.net", "kari@example.org"),
        ("RFC822; KARI@example.org", "KARI@example.org", "kari@example.org"),
        ("X-Unix; |/usr/bin/vacation kari@example.net", "kari@example.org", None),
        ("rfc822; |exec /usr/bin/procmail #kari@example.net", "kari@example.org", None),
        ("rfc822; /var/mail/archive", "kari@example.org", None),
        ("", "kari@example.org", None),
    ],
)
def test_what_an_alias_became(actual: str, failed: str, original: str | None) -> None:
    found = response(dsn(status=f"5.1.1\nX-Actual-Recipient: {actual}"))

    assert (found.recipient, found.original_recipient) == (failed, original)
    assert found.through == ("staff@example.net" if failed.startswith("staff") else "")


def test_the_original_recipient_goes_before_an_alias() -> None:
    status = "5.1.1\nX-Actual-Recipient: rfc822; staff@example.net"

    found = response(dsn(original="info@example.org", status=status))

    assert (found.recipient, found.original_recipient) == ("staff@example.net", "info@example.org")


def test_original_recipient_alone() -> None:
    raw = multipart(
        ("message/delivery-status", "Original-Recipient: rfc822;kari@example.org\nAction: failed\n")
    )

    assert response(raw).recipient == "kari@example.org"


@pytest.mark.parametrize(
    "written",
    [
        "rfc822; kari@example.org",
        "RFC822;<kari@example.org>",
        "rfc822; Kari <kari@example.org>",
        "kari@example.org",
        "utf-8; kari@example.org",
    ],
)
def test_recipient_field(written: str) -> None:
    raw = multipart(("message/delivery-status", f"Final-Recipient: {written}\nAction: failed\n"))

    assert response(raw).recipient == "kari@example.org"


def test_international_address() -> None:
    raw = multipart(
        (
            "message/global-delivery-status",
            "Final-Recipient: utf-8; kåre@bø.example\nStatus: 5.1.1\n",
        )
    )

    assert response(raw).recipient == "kåre@bø.example"


def test_each_recipient_once_and_the_final_word_wins() -> None:
    group = "Final-Recipient: rfc822; kari@example.org\nAction: {}\nStatus: {}\n\n"
    raw = multipart(
        (
            "message/delivery-status",
            group.format("delayed", "4.4.1") + group.format("failed", "5.1.1"),
        )
    )

    found = response(raw)

    assert (found.status, found.counts) == ("5.1.1", True)


def test_delivered_recipients_are_left_out() -> None:
    group = "Final-Recipient: rfc822; {}\nAction: {}\nStatus: {}\n\n"
    raw = multipart(
        (
            "message/delivery-status",
            group.format("ok@example.org", "relayed", "2.0.0")
            + group.format("kari@example.org", "failed", "5.1.1"),
        )
    )

    assert response(raw).recipient == "kari@example.org"


def test_action_alone_tells_of_delivery() -> None:
    raw = multipart(
        ("message/delivery-status", "Final-Recipient: rfc822; kari@example.org\nAction: relayed\n")
    )

    assert events(raw) == []


def test_groups_without_a_blank_line_between() -> None:
    raw = multipart(
        (
            "message/delivery-status",
            "Final-Recipient: rfc822; kari@example.org\nAction: failed\nStatus: 5.1.1\n"
            "Final-Recipient: rfc822; ola@example.com\nAction: failed\nStatus: 5.2.2\n",
        )
    )

    assert [found.status for found in responses(raw)] == ["5.1.1", "5.2.2"]


def test_recipient_of_the_returned_mail_only_where_it_is_alone() -> None:
    report = ("message/delivery-status", "")
    alone = multipart(report, ("message/rfc822", "From: a@x.example\nTo:\n kari@example.org\n\nhi"))
    folded = multipart(
        report, ("message/rfc822", "From: a@x.example\nTo: kari@example.org,\n b@example.org\n\nhi")
    )

    assert response(alone).recipient == "kari@example.org"
    assert [type(event) for event in events(folded)] == [Rejection]


def test_boundary_on_a_line_that_is_not_indented() -> None:
    inner = "--in\nContent-Type: text/plain\n\n<kari@example.org>: 550 user unknown\n--in--\n"
    raw = mail(
        f'--out\nContent-Type: multipart/alternative;\nboundary="in"\n\n{inner}--out--\n',
        content_type="multipart/mixed; boundary=out",
    )

    assert response(raw).recipient == "kari@example.org"


def test_folded_and_encoded_report() -> None:
    body = "--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
    body += (
        "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGthcmlAZXhhbXBsZS5vcmcKQWN0aW9uOiBm\n"
        "YWlsZWQKU3RhdHVzOiA1LjIuMgo=\n--b--\n"
    )
    raw = mail(body, content_type='multipart/report;\n report-type=delivery-status;\n boundary="b"')

    found = response(raw)

    assert (found.recipient, found.category) == ("kari@example.org", Category.TRANSIENT)


def test_report_without_any_recipient_is_rejected() -> None:
    raw = multipart(("message/delivery-status", "Reporting-MTA: dns; mx.example.net\n"))

    (found,) = events(raw)

    assert isinstance(found, Rejection)
    assert found.reason == "a bounce that names no recipient"
    assert found.raw == raw


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("smtp; 550 no", "550 no"),
        ("X-Postfix;550 no", "550 no"),
        ("550 no; really", "550 no; really"),
        ("smtp;", "I'm sorry to have to inform you."),
    ],
)
def test_diagnostic_without_its_type(code: str, said: str) -> None:
    assert response(dsn(diagnostic=code)).diagnostic == said


def test_a_house_rule_may_say_that_nothing_is_known() -> None:
    rules = parse_rules([{"id": "house", "category": "unknown", "text": "on hold"}])
    raw = dsn(diagnostic="smtp; 550 on hold", said="<kari@example.org>: user unknown")

    (found,) = read_mail(raw, "mail.eml", default_classifier(rules))

    assert isinstance(found, Response)
    assert (found.category, found.rule) == (Category.UNKNOWN, "house")


def test_words_for_people_where_the_report_says_nothing() -> None:
    found = response(dsn(status="5.0.0", diagnostic="", said="<kari@example.org>: mailbox full"))

    assert (found.category, found.rule) == (Category.TRANSIENT, "mailbox-full")


# --- time ---


@pytest.mark.parametrize(
    ("extra", "status", "expected"),
    [
        (
            "Arrival-Date: Mon, 2 Mar 2026 10:00:00 +0000\n",
            "5.1.1",
            datetime(2026, 3, 2, 10, tzinfo=UTC),
        ),
        (
            "",
            "5.1.1\nLast-Attempt-Date: Sun, 1 Mar 2026 10:00:00 +0900",
            datetime(2026, 3, 1, 1, tzinfo=UTC),
        ),
        ("", "5.1.1", datetime(2026, 3, 3, 9, 15, tzinfo=UTC)),
        ("Arrival-Date: yesterday\n", "5.1.1", datetime(2026, 3, 3, 9, 15, tzinfo=UTC)),
    ],
    ids=["arrival", "last-attempt", "date", "no-date"],
)
def test_time(extra: str, status: str, expected: datetime) -> None:
    assert response(dsn(extra=extra, status=status)).occurred_at == expected


@pytest.mark.parametrize(
    "date",
    [
        "",
        "nonsense",
        "Mon, 99 Mar 2026 25:61:61 +9999",
        "31 Dec 9999 23:59:59 -1200",
        "9" * 500,
        "-1",
    ],
)
def test_absurd_dates_are_no_time(date: str) -> None:
    raw = dsn().replace(b"Tue, 3 Mar 2026 10:15:00 +0100", date.encode())

    assert response(raw).occurred_at is None


def test_unknown_zone_counts_as_utc() -> None:
    raw = dsn().replace(b"+0100", b"-0000")

    assert response(raw).occurred_at == datetime(2026, 3, 3, 10, 15, tzinfo=UTC)


# --- keys ---


def keys(raw: bytes) -> list[str]:
    return [found.source_key for found in responses(raw)]


def test_key_is_the_same_however_the_mail_was_kept() -> None:
    raw = dsn()
    without_id = dsn(message_id="")

    for one in (raw, without_id):
        kept = [
            one.replace(b"\n", b"\r\n"),
            one.replace(b"\n", b"\r"),
            b"From MAILER-DAEMON Tue Mar  3 10:15:00 2026\n" + one + b"\n\n",
            b"Status: RO\nX-Status: A\n" + one,
            one.replace(b"\nI'm", b"\n  I'm"),
        ]
        assert {key for other in kept for key in keys(other)} == set(keys(one))


def test_key_ignores_mbox_quoting() -> None:
    raw = dsn(said="line\nFrom here on", message_id="")

    assert keys(raw.replace(b"\nFrom here", b"\n>From here")) == keys(raw)


def test_keys_differ_by_recipient_mail_and_state() -> None:
    mails = [
        dsn(),
        dsn("ola@example.com"),
        dsn(message_id="<2@mx.example.net>"),
        dsn(action="delayed"),
        dsn(message_id=""),
        dsn(message_id="", said="another text"),
    ]

    found = [key for raw in mails for key in keys(raw)]

    assert len(set(found)) == len(mails)


def test_key_does_not_depend_on_rules_or_place() -> None:
    assert keys(dsn()) == keys(dsn())
    assert keys(dsn())[0].startswith("mail:")


# --- the receiving host ---


@pytest.mark.parametrize(
    ("extra", "remote", "host"),
    [
        ("", "dns; mx1.receiver.net (192.0.2.1)", "receiver.net"),
        ("", "dns; mx1.receiver.net\nRemote-MTA: dns; mx.other.org", "receiver.net"),
        ("Received-From-MTA: dns; mail.sender.no\n", "", "example.net"),
        ("Received-From-MTA: dns; mail.sender.no\n", "dns; [192.0.2.1]", "example.net"),
        ("Received-From-MTA: dns; app.example.net\n", "", ""),
        ("Received-From-MTA: dns; ip-10-0-0-1.ec2.internal\n", "", ""),
        ("", "", ""),
    ],
)
def test_the_receiving_host_is_the_remote_one_else_who_reports_of_mail_from_others(
    extra: str, remote: str, host: str
) -> None:
    """The report is written by mx.example.net."""
    status = f"5.1.1\nRemote-MTA: {remote}" if remote else "5.1.1"
    found = response(dsn(extra=extra, status=status))

    assert (found.host, found.recipient, found.status) == (host, "kari@example.org", "5.1.1")
