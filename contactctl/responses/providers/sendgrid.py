"""Twilio SendGrid: the event webhook's objects, one by one or in its arrays.

Source: Event Webhook Reference; "bounces by classification" for the names of the classes.
"""

from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, text_of
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

_INVALID = certain(Category.INVALID_ADDRESS)
_UNTYPED = unless_text_says(Category.UNKNOWN)
_BY_TYPE = {
    "bounce": unless_text_says(Category.INVALID_ADDRESS),
    "blocked": unless_text_says(Category.BLOCKED),
    "expired": certain(Category.COMMUNICATION_FAILURE),
}
# by prefix: the bounces API says "Technical Failure" where the webhook says "Technical"
_BY_CLASSIFICATION = {
    "invalid address": _INVALID,
    "mailbox unavailable": unless_text_says(Category.TRANSIENT),
    "technical": certain(Category.COMMUNICATION_FAILURE),
    "content": certain(Category.BLOCKED),
    "reputation": certain(Category.BLOCKED),
    "frequency or volume": certain(Category.COMMUNICATION_FAILURE),
    "unclassified": unless_text_says(Category.UNKNOWN),
}
_DROPPED = {
    "bounced address": echo(Category.INVALID_ADDRESS),
    "invalid": _INVALID,
    "spam reporting address": echo(Category.SPAM_COMPLAINT),
    "unsubscribed address": NOT_A_RESPONSE,
    "spam content": OWN_REFUSAL,
    "recipient list over package quota": OWN_REFUSAL,
    "invalid smtpapi header": OWN_REFUSAL,
}
_NO_SUCH_HOST = "unable to get mx info"
_SIMPLE = {
    "deferred": delayed(Category.COMMUNICATION_FAILURE),
    "spamreport": certain(Category.SPAM_COMPLAINT),
}
_ACTIVITIES = {
    "delivered": ActivityKind.DELIVERED,
    "open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("processed", "unsubscribe", "group_unsubscribe", "group_resubscribe")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is an event of SendGrid's webhook."""
    return "sg_event_id" in event or "sg_message_id" in event


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event: at most one response or activity."""
    name = text_of(event.get("event")).lower()
    if name in _NO_RESPONSES:
        return []
    report = _report(event, name, source)
    if name in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[name])]
    report.diagnostic = text_of(event.get("reason")) or text_of(event.get("response"))
    report.status = text_of(event.get("status"))
    if name == "bounce":
        return respond(report, _judge_bounce(event, report), classify)
    if name == "dropped":
        return _read_dropped(report, classify)
    if name in _SIMPLE:
        return respond(report, _SIMPLE[name], classify)
    return unrecognised(report, classify)


def _judge_bounce(event: dict[str, object], report: Report) -> Verdict:
    """The class where there is one, else the type; both are worth less than "no such host"."""
    type_ = text_of(event.get("type")).lower()
    if type_ == "expired":
        report.event = "bounce-expired"
        return _BY_TYPE["expired"]
    if _NO_SUCH_HOST in report.diagnostic.lower():
        report.event = "bounce-no-such-host"
        return _INVALID
    classification = text_of(event.get("bounce_classification")).lower()
    if classification:
        for prefix, verdict in _BY_CLASSIFICATION.items():
            if classification.startswith(prefix):
                report.event = f"bounce-{prefix.replace(' ', '-')}"
                return verdict
    report.event = f"bounce-{type_}" if type_ in _BY_TYPE else "bounce-untyped"
    return _BY_TYPE.get(type_, _UNTYPED)


def _read_dropped(report: Report, classify: Classify) -> Iterable[Event]:
    reason = report.diagnostic.lower()
    if reason not in _DROPPED:
        report.event = "dropped"
        return unrecognised(report, classify)
    report.event = f"dropped-{reason.replace(' ', '-')}"
    return respond(report, _DROPPED[reason], classify)


def _report(event: dict[str, object], name: str, source: str) -> Report:
    email, occurred_at = event.get("email"), instant_of(event.get("timestamp"))
    return Report(
        provider="sendgrid",
        event=name,
        source=source,
        key=event_key(
            "sendgrid",
            event.get("sg_event_id"),
            event.get("sg_message_id") or event.get("smtp-id"),
            name,
            email,
            occurred_at,
            event.get("reason"),
        ),
        recipient=email,
        occurred_at=occurred_at,
    )
