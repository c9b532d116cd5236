"""Postmark: bounce, spam complaint, delivery, open and click webhooks.

Source: Postmark developer documentation, "webhooks" and "bounce types".
"""

from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, text_of
from contactctl.responses.providers.verdict import (
    NOT_A_RESPONSE,
    Classify,
    Report,
    activity,
    certain,
    echo,
    respond,
    unless_text_says,
    unrecognised,
)

_COMPLAINT = certain(Category.SPAM_COMPLAINT)
_BOUNCES = {
    "hardbounce": unless_text_says(Category.INVALID_ADDRESS),
    "transient": certain(Category.COMMUNICATION_FAILURE),
    "unsubscribe": NOT_A_RESPONSE,
    "subscribe": NOT_A_RESPONSE,
    "autoresponder": NOT_A_RESPONSE,
    "addresschange": certain(Category.INVALID_ADDRESS),
    "dnserror": certain(Category.COMMUNICATION_FAILURE),
    "spamnotification": certain(Category.BLOCKED),
    "openrelaytest": NOT_A_RESPONSE,
    "unknown": certain(Category.UNKNOWN),
    "softbounce": unless_text_says(Category.TRANSIENT),
    "virusnotification": certain(Category.BLOCKED),
    "challengeverification": NOT_A_RESPONSE,
    "bademailaddress": certain(Category.INVALID_ADDRESS),
    "spamcomplaint": _COMPLAINT,
    "manuallydeactivated": echo(Category.INVALID_ADDRESS),
    "unconfirmed": NOT_A_RESPONSE,
    "blocked": certain(Category.BLOCKED),
    "smtpapierror": certain(Category.UNKNOWN),
    "inbounderror": NOT_A_RESPONSE,
    "dmarcpolicy": certain(Category.BLOCKED),
    "templaterenderingfailed": NOT_A_RESPONSE,
}
# only where Type is missing: a complaint's record may carry the code of another type
_TYPES_BY_CODE = {
    "1": "hardbounce",
    "2": "transient",
    "16": "unsubscribe",
    "32": "subscribe",
    "64": "autoresponder",
    "128": "addresschange",
    "256": "dnserror",
    "512": "spamnotification",
    "1024": "openrelaytest",
    "2048": "unknown",
    "4096": "softbounce",
    "8192": "virusnotification",
    "16384": "challengeverification",
    "100000": "bademailaddress",
    "100001": "spamcomplaint",
    "100002": "manuallydeactivated",
    "100003": "unconfirmed",
    "100006": "blocked",
    "100007": "smtpapierror",
    "100008": "inbounderror",
    "100009": "dmarcpolicy",
    "100010": "templaterenderingfailed",
}
_ACTIVITIES = {
    "delivery": ActivityKind.DELIVERED,
    "open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("subscriptionchange", "inbound")
_TIMES = ("BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is a record of one of Postmark's webhooks."""
    return "RecordType" in event or ("BouncedAt" in event and "TypeCode" in event)


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One record: at most one response or activity."""
    record_type = text_of(event.get("RecordType")) or "Bounce"
    name = record_type.lower()
    if name in _NO_RESPONSES:
        return []
    report = _report(event, name, source)
    if name in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[name])]
    if name == "spamcomplaint":
        return respond(report, _COMPLAINT, classify)
    if name == "bounce":
        return _read_bounce(event, report, classify)
    report.event = record_type
    return unrecognised(report, classify)


def _read_bounce(event: dict[str, object], report: Report, classify: Classify) -> Iterable[Event]:
    type_ = text_of(event.get("Type"))
    name = type_.lower() or _TYPES_BY_CODE.get(text_of(event.get("TypeCode")), "")
    report.event = name or "bounce without a Type"
    if name not in _BOUNCES:
        return unrecognised(report, classify)
    return respond(report, _BOUNCES[name], classify)


def _report(event: dict[str, object], name: str, source: str) -> Report:
    email = event.get("Email") or event.get("Recipient")
    occurred_at = instant_of(next((event[key] for key in _TIMES if key in event), None))
    bounce_id = event.get("ID") if name in ("bounce", "spamcomplaint") else None
    return Report(
        provider="postmark",
        event=name,
        source=source,
        key=event_key(
            "postmark",
            bounce_id,
            event.get("MessageID"),
            name,
            email,
            occurred_at,
        ),
        recipient=email,
        occurred_at=occurred_at,
        # Description explains the type in general ("ex: unknown user"): no evidence
        diagnostic=text_of(event.get("Details")),
    )
