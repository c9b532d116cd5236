"""Feedback reports (RFC 5965), and complaints in older forms."""

from datetime import UTC, datetime

import pytest

from contactctl.domain.responses import Category, Rejection
from contactctl.responses.mail import VerpPattern
from helpers.mails import arf, events, mail, response, responses


@pytest.mark.parametrize(
    ("feedback_type", "category"),
    [
        ("abuse", Category.SPAM_COMPLAINT),
        ("Abuse", Category.SPAM_COMPLAINT),
        ("fraud", Category.SPAM_COMPLAINT),
        ("opt-out", Category.SPAM_COMPLAINT),
        ("other", Category.SPAM_COMPLAINT),
        ("something-new", Category.SPAM_COMPLAINT),
        ("virus", Category.BLOCKED),
    ],
)
def test_category_by_feedback_type(feedback_type: str, category: Category) -> None:
    found = response(arf(feedback_type))

    assert (found.category, found.rule, found.counts) == (category, "feedback-report", True)


def test_reported_recipient_before_the_addressee() -> None:
    found = response(arf(fields="Original-Rcpt-To: <ola@example.com>\n"))

    assert found.recipient == "ola@example.com"


def test_hidden_recipient_is_the_addressee_of_the_returned_mail() -> None:
    assert response(arf()).recipient == "kari@example.org"


def test_hidden_recipient_among_several_addressees_is_refused() -> None:
    raw = arf(returned="From: news@sender.example\nTo: a@example.org, b@example.org\n\nhi\n")

    assert [type(event) for event in events(raw)] == [Rejection]


def test_hidden_recipient_in_the_verp_sender() -> None:
    verp = VerpPattern.parse("bounce+{local}={domain}@sender.example")
    raw = arf(
        returned="Return-Path: <bounce+ola=example.com@sender.example>\nTo: l@example.org\n\nhi\n"
    )

    assert response(raw, verp=verp).recipient == "ola@example.com"


def test_time_is_when_the_mail_arrived() -> None:
    found = response(arf(fields="Arrival-Date: Mon, 2 Mar 2026 23:30:00 -0500\n"))

    assert found.occurred_at == datetime(2026, 3, 3, 4, 30, tzinfo=UTC)


def test_time_falls_back_to_the_date_of_the_report() -> None:
    assert response(arf()).occurred_at == datetime(2026, 3, 3, 9, 15, tzinfo=UTC)


def test_untyped_complaint_names_the_recipient_in_a_header_field() -> None:
    raw = mail(
        "--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: kari@example.org\n"
        "From: news@sender.example\nTo: hidden\n\nhello\n--b--\n",
        sender="staff@hotmail.example",
        subject="complaint about message from 192.0.2.1",
        content_type="multipart/mixed; boundary=b",
    )

    found = response(raw)

    assert (found.recipient, found.category) == ("kari@example.org", Category.SPAM_COMPLAINT)


def test_several_reported_recipients() -> None:
    raw = arf(fields="Original-Rcpt-To: <a@example.org>\nOriginal-Rcpt-To: <b@example.org>\n")

    assert [found.recipient for found in responses(raw)] == ["a@example.org", "b@example.org"]


def test_report_that_lost_its_type() -> None:
    raw = arf(fields="Original-Rcpt-To: <ola@example.com>\n").replace(
        b"message/feedback-report", b"text/plain"
    )

    found = response(raw)

    assert (found.recipient, found.category) == ("ola@example.com", Category.SPAM_COMPLAINT)


def test_report_that_lost_all_types() -> None:
    raw = (
        arf(fields="Original-Rcpt-To: <ola@example.com>\n")
        .replace(b"multipart/report; report-type=feedback-report", b"multipart/mixed")
        .replace(b"message/feedback-report", b"text/plain")
    )

    found = response(raw)

    assert (found.recipient, found.category) == ("ola@example.com", Category.SPAM_COMPLAINT)


def test_feedback_type_inside_a_letter_makes_no_report() -> None:
    raw = mail("Hi!\n\nYours said:\n\nFeedback-Type: abuse\n", sender="Kari <kari@example.org>")

    assert events(raw) == []


def test_redacted_recipient_is_found_in_the_trace() -> None:
    raw = arf(
        fields="Original-Rcpt-To: redacted\n",
        returned="Received: from mx.sender.example by mx.example.org with ESMTP id 1\n"
        "\tfor <kari@example.org>; Tue, 3 Mar 2026 10:15:00 +0100\n"
        "From: News <news@sender.example>\nTo: undisclosed-recipients:;\n\nhello\n",
    )

    assert response(raw).recipient == "kari@example.org"
