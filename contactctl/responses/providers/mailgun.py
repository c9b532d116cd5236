"""Mailgun: webhook bodies with their signature, or the bare events of the Events API.

Source: Mailgun documentation, "tracking failures" and "event structure". `reason` is seen in its
examples only and not enumerated: the delivery code comes first.
"""

from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, list_of, object_of, text_of
from contactctl.responses.providers.verdict import (
    NOT_A_RESPONSE,
    OWN_REFUSAL,
    Classify,
    Report,
    Verdict,
    activity,
    certain,
    delayed,
    echo,
    respond,
    unless_text_says,
    unrecognised,
)

_BY_CODE = {
    "498": certain(Category.COMMUNICATION_FAILURE),
    "499": certain(Category.COMMUNICATION_FAILURE),
    "602": certain(Category.COMMUNICATION_FAILURE),
    "605": echo(Category.INVALID_ADDRESS),
    "607": echo(Category.SPAM_COMPLAINT),
}
_PERMANENT = {
    "bounce": unless_text_says(Category.INVALID_ADDRESS),
    "generic": unless_text_says(Category.UNKNOWN),
    "suppress-bounce": echo(Category.INVALID_ADDRESS),
    "suppress-complaint": echo(Category.SPAM_COMPLAINT),
    "suppress-unsubscribe": NOT_A_RESPONSE,
    "old": certain(Category.COMMUNICATION_FAILURE),
    "espblock": certain(Category.BLOCKED),
}
_TEMPORARY = Verdict(Category.COMMUNICATION_FAILURE, "delayed", text_first=True)
_GREYLISTED = delayed(Category.COMMUNICATION_FAILURE)
_ACTIVITIES = {
    "delivered": ActivityKind.DELIVERED,
    "opened": ActivityKind.OPENED,
    "clicked": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("accepted", "stored", "unsubscribed", "list_member_uploaded")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is a webhook's body or an event of the Events API."""
    return "event-data" in event or ("event" in event and "recipient" in event and "id" in event)


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event: at most one response or activity; a refused message: one per recipient."""
    data = object_of(event.get("event-data")) if "event-data" in event else event
    name = text_of(data.get("event")).lower()
    if name in _NO_RESPONSES:
        return []
    if name == "rejected":
        return _read_rejected(data, source, classify)
    report = _report(data, name, source, data.get("recipient"))
    if name in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[name])]
    if name == "complained":
        return respond(report, certain(Category.SPAM_COMPLAINT), classify)
    if name == "failed":
        return respond(report, _judge_failure(data, report), classify)
    return unrecognised(report, classify)


def _judge_failure(data: dict[str, object], report: Report) -> Verdict | None:
    reason = text_of(data.get("reason")).lower()
    if text_of(data.get("severity")).lower() == "temporary":
        report.event = "failed-temporary"
        return _GREYLISTED if reason == "greylisted" else _TEMPORARY
    if report.reply_code in _BY_CODE:
        report.event = f"failed-{report.reply_code}"
        return _BY_CODE[report.reply_code]
    report.event = f"failed-permanent-{reason}" if reason in _PERMANENT else "failed-permanent"
    return _PERMANENT.get(reason, _PERMANENT["generic"])


def _read_rejected(data: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """Mailgun would not send the message: no word about its recipients."""
    recipients = list_of(data.get("recipient"))
    recipients = recipients or list_of(object_of(data.get("message")).get("recipients"))
    events: list[Event] = []
    for recipient in recipients or [None]:
        report = _report(data, "rejected", source, recipient)
        if report.key and len(recipients) > 1:
            report.key = event_key(report.key, text_of(recipient).lower())
        events += respond(report, OWN_REFUSAL, classify)
    return events


def _report(data: dict[str, object], name: str, source: str, recipient: object) -> Report:
    delivery, headers = object_of(data.get("delivery-status")), object_of(data.get("message"))
    message_id = object_of(headers.get("headers")).get("message-id")
    refusal = object_of(data.get("reject"))
    occurred_at = instant_of(data.get("timestamp"))
    return Report(
        provider="mailgun",
        event=name,
        source=source,
        key=event_key(
            "mailgun",
            data.get("id"),
            message_id,
            name,
            recipient,
            occurred_at,
        ),
        recipient=recipient,
        occurred_at=occurred_at,
        diagnostic=text_of(delivery.get("message"))
        or text_of(delivery.get("description"))
        or text_of(refusal.get("reason")),
        status=text_of(delivery.get("enhanced-code")),
        reply_code=text_of(delivery.get("code")),
    )
