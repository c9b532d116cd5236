"""What is easy to get wrong with one provider or the other."""

import json
from dataclasses import replace
from typing import Any

import pytest

from contactctl.domain.responses import Activity, Event, NoResponse, Rejection, Response
from contactctl.responses.classify import Classify, cached, default_classifier
from contactctl.responses.formats.reader import DocumentReader, provider_formats
from helpers.provider_samples import CASES
from helpers.samples.amazon_ses import ses_bounce, ses_complaint, ses_event
from helpers.samples.brevo import brevo
from helpers.samples.mailgun import mailgun
from helpers.samples.mailjet import mailjet
from helpers.samples.postmark import postmark
from helpers.samples.sendgrid import sendgrid
from helpers.samples.sparkpost import sparkpost

CLASSIFY = cached(default_classifier())


def read(provider: str, event: dict[str, Any], classify: Classify = CLASSIFY) -> list[Event]:
    formats = [each for each in provider_formats() if each.name == provider]
    events = DocumentReader(classify, formats).read(event, "place")
    return [replace(each, source="place") for each in events if not isinstance(each, NoResponse)]


def read_one(provider: str, event: dict[str, Any]) -> Response:
    [response] = read(provider, event)
    assert isinstance(response, Response)
    return response


def wrapped(event: object) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:bounces",
        "Message": event if isinstance(event, str) else json.dumps(event),
        "Timestamp": "2026-03-05T10:00:00.000Z",
    }


def test_ses_wrapped_by_sns_is_the_same_event() -> None:
    for event, _ in CASES["ses"]:
        assert read("ses", wrapped(event)) == read("ses", event)
        assert read("ses", {"Type": "Notification", "Message": event}) == read("ses", event)


@pytest.mark.parametrize("type_", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_sns_administration_says_what_to_do(type_: str) -> None:
    notice = wrapped("You have chosen to subscribe.") | {"Type": type_, "SubscribeURL": "https://x"}
    [rejection] = read("ses", notice)
    assert isinstance(rejection, Rejection)
    assert "SubscribeURL" in rejection.reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[1]", "not a JSON object"),
        ("{", "SNS Notification: its Message is not JSON"),
        ("", "its Message is not JSON"),
        ('{"alarm": 1}', "no format known here (top-level keys: alarm)"),
    ],
)
def test_sns_around_something_else_is_rejected(message: str, reason: str) -> None:
    [rejection] = read("ses", wrapped(message))
    assert isinstance(rejection, Rejection)
    assert reason in rejection.reason


def test_sns_s_own_greeting_is_no_response() -> None:
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    assert read("ses", wrapped(greeting)) == []


@pytest.mark.parametrize(
    ("event", "part", "key"),
    [
        (ses_bounce("Permanent", "General"), "bounce", "bouncedRecipients"),
        (ses_complaint("abuse"), "complaint", "complainedRecipients"),
        (ses_event("DeliveryDelay"), "deliveryDelay", "delayedRecipients"),
    ],
)
def test_ses_every_recipient_with_a_key_of_its_own(event: Any, part: str, key: str) -> None:
    addresses = ["kari@example.org", "ola@example.org", "liv@example.org"]
    recipients = [{"emailAddress": address, "action": "failed"} for address in addresses]
    events = read("ses", event | {part: event[part] | {key: recipients}})
    assert [one.recipient for one in events] == addresses
    assert len({one.source_key for one in events}) == 3


def test_ses_every_recipient_of_a_delivery_or_a_refused_mail() -> None:
    addresses = ["kari@example.org", "ola@example.org"]
    rejected = ses_event("Reject", reason="Bad content")
    rejected["mail"]["destination"] = addresses
    for event in (ses_event("Delivery", recipients=addresses), rejected):
        assert [one.recipient for one in read("ses", event)] == addresses


def test_ses_does_not_say_which_of_several_recipients_opened() -> None:
    event = ses_event("Open")
    event["mail"]["destination"] = ["kari@example.org", "ola@example.org"]
    assert read("ses", event) == []


def test_ses_a_recipient_without_address_does_not_hide_the_next() -> None:
    event = ses_bounce("Permanent", "General")
    event["bounce"]["bouncedRecipients"] = [None, {"emailAddress": "ola@example.org"}]
    rejection, response = read("ses", event)
    assert isinstance(rejection, Rejection)
    assert response.recipient == "ola@example.org"


def test_ses_addresses_come_without_display_name() -> None:
    event = ses_complaint("abuse")
    event["complaint"]["complainedRecipients"] = [{"emailAddress": '"Kari" <Kari@example.org>'}]
    assert read_one("ses", event).recipient == "Kari@example.org"


def test_ses_feedback_notification_and_published_event_are_one() -> None:
    notified = ses_bounce("Permanent", "General")
    published = dict(notified) | {"eventType": "Bounce"}
    del published["notificationType"]
    assert read("ses", notified) == read("ses", published)


def test_ses_a_complaint_happened_when_it_arrived() -> None:
    assert read_one("ses", ses_complaint("abuse")).occurred_at.day == 1


def test_a_display_or_local_part_is_no_evidence() -> None:
    event = ses_bounce("Permanent", "General", diagnostic="550 refused: mailbox.full@example.org")
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = "mailbox.full@example.org"
    assert read_one("ses", event).rule == "ses.permanent-general"


def test_postmark_description_is_no_evidence() -> None:
    """Every HardBounce is described with `ex: unknown user`, whatever happened."""
    response = read_one("postmark", postmark("SoftBounce", 4096))
    assert response.rule == "postmark.softbounce"
    assert "unknown user" not in response.diagnostic


def test_brevo_id_is_the_webhook_s_and_not_the_event_s() -> None:
    first, other = brevo("hard_bounce"), brevo("hard_bounce") | {"email": "ola@example.org"}
    assert read_one("brevo", first).source_key != read_one("brevo", other).source_key
    assert read("brevo", first) == read("brevo", first | {"id": 99, "ts": 1, "date": "2026-01-01"})


def test_mailgun_refused_message_speaks_of_all_its_recipients() -> None:
    event = mailgun("rejected", recipient=None, message={"recipients": ["a@b.no", "c@d.no"]})
    events = read("mailgun", event)
    assert [one.recipient for one in events] == ["a@b.no", "c@d.no"]
    assert len({one.source_key for one in events}) == 2


def test_bare_events_of_the_events_apis() -> None:
    bounce = sparkpost("bounce", bounce_class="10")
    assert read("sparkpost", bounce["msys"]["message_event"]) == read("sparkpost", bounce)
    opened = mailgun("opened")
    assert read("mailgun", opened["event-data"]) == read("mailgun", opened)


@pytest.mark.parametrize(
    ("provider", "event"),
    [
        ("sendgrid", sendgrid("unsubscribe_all")),
        ("brevo", brevo("list_unsubscribe")),
        ("mailgun", mailgun("complaint_received")),
    ],
)
def test_what_a_person_did_is_not_passed_over_for_a_new_name(provider: str, event: Any) -> None:
    [found] = read(provider, event)
    assert isinstance(found, Rejection)


def test_an_event_that_sendgrid_posts_again_under_another_id_is_the_same() -> None:
    [one], [again] = (read("sendgrid", sendgrid("bounce", sg_event_id=each)) for each in "ab")
    assert one.source_key == again.source_key


@pytest.mark.parametrize(
    ("provider", "event", "key"),
    [
        ("ses", ses_complaint("abuse"), "ses:feedback-complaint:a9f4fc6f6c4eb059d2105d59eb9d0174"),
        ("postmark", postmark("HardBounce", 1), "postmark:4000000001"),
        ("mailgun", mailgun("opened", id="x1"), "mailgun:x1"),
        ("sparkpost", sparkpost("bounce", event_id="x1"), "sparkpost:x1"),
    ],
)
def test_the_key_holds_the_provider_s_id(provider: str, event: Any, key: str) -> None:
    [one] = read(provider, event)
    assert one.source_key == key


@pytest.mark.parametrize(
    ("provider", "event", "changes"),
    [
        ("mailjet", mailjet("bounce"), {"time": 1772359201}),
        ("mailjet", mailjet("bounce"), {"MessageID": 2}),
        ("mailjet", mailjet("bounce"), {"event": "blocked"}),
        ("brevo", brevo("hard_bounce"), {"ts_epoch": 1772359200001}),
        ("brevo", brevo("hard_bounce"), {"event": "soft_bounce"}),
        ("sendgrid", sendgrid("open", sg_event_id=None), {"timestamp": 1772359201}),
        ("mailgun", mailgun("opened", id=None)["event-data"], {"recipient": "ola@example.org"}),
    ],
)
def test_without_an_id_the_content_tells_events_apart(provider, event, changes) -> None:
    [one], [other] = read(provider, event), read(provider, event | changes)
    assert one.source_key != other.source_key
    assert len(one.source_key) <= 250


def test_times_as_number_and_text_are_one() -> None:
    as_text = mailjet("bounce") | {"time": "1772359200"}
    assert read("mailjet", as_text) == read("mailjet", mailjet("bounce"))


@pytest.mark.parametrize(
    "empty", [0, None, "", [], {}, "0000-00-00 00:00:00", "0001-01-01T00:00:00Z"]
)
def test_an_empty_time_is_no_time(empty: object) -> None:
    [activity] = read("sendgrid", sendgrid("open") | {"timestamp": empty})
    assert isinstance(activity, Activity)
    assert activity.occurred_at is None


@pytest.mark.parametrize(
    "absurd",
    [
        *(-1, 1e400, float("nan"), 10**300, "soon", "9" * 400, True, "1066-10-14"),
        *({"year": 2026, "month": 3}, {"$date": "soon"}, [2026, 3, 1]),
    ],
)
def test_a_time_that_cannot_be_read_is_not_now(absurd: object) -> None:
    [rejection] = read("sendgrid", sendgrid("spamreport") | {"timestamp": absurd})
    assert isinstance(rejection, Rejection)
    assert "its time" in rejection.reason


def test_where_the_time_cannot_be_read_that_of_sns_stands_in() -> None:
    complaint = read_one("sendgrid", wrapped(sendgrid("spamreport") | {"timestamp": "soon"}))
    assert str(complaint.occurred_at) == "2026-03-05 10:00:00+00:00"


def test_no_text_that_a_database_refuses_comes_through() -> None:
    event = sendgrid("bounce", type="bounce", reason="nul \0 half \ud83d whole \ud83d\ude00")
    diagnostic = read_one("sendgrid", event).diagnostic
    assert diagnostic == "nul \ufffd half \ufffd whole \N{GRINNING FACE}"


def test_equal_refusals_to_different_addresses_with_other_ids_are_classified_once() -> None:
    asked: list[str] = []

    class Classifier:
        def classify(self, *, diagnostic: str, status: str, reply_code: str):
            asked.append(diagnostic)
            return default_classifier().classify(diagnostic=diagnostic)

    classify = cached(Classifier())
    for address, queue_id in (
        ("kari@example.org", "4BfQ2x1Qz8"),
        ("ola@example.org", "1772359200"),
    ):
        reason = f"550 5.1.1 <{address}>: no ({queue_id})"
        event = sendgrid("bounce", email=address, type="bounce", reason=reason)
        read("sendgrid", event, classify)
    assert asked == ["550 5.1.1 <<>>: no (#)"]
