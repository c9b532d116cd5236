"""A bounce names the mail that came back as the events of its sender name it."""

import json

import pytest

from contactctl.domain.responses import Activity
from contactctl.responses.classify import Classification
from contactctl.responses.formats.reader import read_document
from helpers.mails import dsn, mail, response

SES_DELIVERY = {
    "notificationType": "Delivery",
    "mail": {"messageId": "0102-a1", "destination": ["kari@example.org"]},
    "delivery": {"timestamp": "2026-03-03T09:15:00.000Z", "recipients": ["kari@example.org"]},
}
MAILGUN_DELIVERY = {
    "event": "delivered",
    "id": "x",
    "timestamp": 1772529300.0,
    "recipient": "kari@example.org",
    "message": {"headers": {"message-id": "0102-a1@shop.example"}},
}
POSTMARK_DELIVERY = {
    "RecordType": "Delivery",
    "MessageID": "0102-a1",
    "Recipient": "kari@example.org",
    "DeliveredAt": "2026-03-03T09:15:00Z",
}


@pytest.mark.parametrize(
    ("delivery", "message_id"),
    [
        (SES_DELIVERY, "<0102-a1@eu-west-1.amazonses.com>"),
        (MAILGUN_DELIVERY, "<0102-a1@shop.example>"),
        (POSTMARK_DELIVERY, "<0102-a1@mtasv.net>"),
    ],
)
def test_a_bounce_by_mail_names_the_mail_whose_delivery_was_told_before(
    delivery: dict[str, object], message_id: str
) -> None:
    (delivered,) = read_document(json.loads(json.dumps(delivery)), "", lambda *_: UNKNOWN)
    assert isinstance(delivered, Activity)
    below = f"<kari@example.org>: 550 no such user\n\nReturn-Path: <>\nMessage-Id: {message_id}\n"
    bounces = [
        mail(below),
        mail(below.replace("\n", "\n> ")),
        dsn(said=f"Your message could not be delivered.\n\nMessage-ID:\n {message_id}"),
        dsn(in_reply_to=message_id),
    ]
    assert {response(raw).message for raw in bounces} == {delivered.message}


def test_a_bounce_of_a_mail_without_an_id_names_none() -> None:
    assert response(dsn()).message == ""


UNKNOWN = Classification(None)
