"""Events that Amazon's notification service sends as mails."""

from contactctl.domain.responses import Category, Response
from helpers.mails import events, mail, response

SNS = (
    '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General",'
    '"timestamp":"2026-03-03T10:15:00.000Z","feedbackId":"f-1","bouncedRecipients":[{"emailAddress":'
    '"kari@example.org","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},'
    '"mail":{"timestamp":"2026-03-03T10:14:00.000Z","messageId":"m-1","destination":'
    '["kari@example.org"]}}\n\n--\nIf you wish to stop receiving notifications from this topic...\n'
)


def test_event_in_a_mail_from_sns() -> None:
    sender = "AWS Notifications <no-reply@sns.amazonaws.com>"

    found = response(mail(SNS, sender=sender, subject="AWS Notification Message"))

    assert isinstance(found, Response)
    assert (found.recipient, found.category) == ("kari@example.org", Category.INVALID_ADDRESS)


def test_json_from_others_is_no_event() -> None:
    assert events(mail(SNS, sender="Kari <kari@example.org>", subject="see this")) == []


def test_broken_json_from_sns_is_no_event() -> None:
    raw = mail("{" * 5_000, sender="no-reply@sns.amazonaws.com", subject="AWS Notification Message")

    assert events(raw) == []
