"""SparkPost: webhook batches (`{"msys": {...}}`) or the bare events of the Events API.

Source: SparkPost webhook event reference; "bounce classification codes" for the numbers.
"""

from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, object_of, text_of
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

_BY_CLASS = {
    "1": unless_text_says(Category.UNKNOWN),
    "10": certain(Category.INVALID_ADDRESS),
    "20": unless_text_says(Category.TRANSIENT),
    "21": certain(Category.COMMUNICATION_FAILURE),
    "22": certain(Category.TRANSIENT),
    "23": certain(Category.TRANSIENT),
    "24": certain(Category.COMMUNICATION_FAILURE),
    "25": certain(Category.BLOCKED),
    "30": certain(Category.INVALID_ADDRESS),
    "40": unless_text_says(Category.UNKNOWN),
    "50": certain(Category.BLOCKED),
    "51": certain(Category.BLOCKED),
    "52": certain(Category.BLOCKED),
    "53": certain(Category.BLOCKED),
    "54": certain(Category.BLOCKED),
    "60": NOT_A_RESPONSE,
    "70": certain(Category.COMMUNICATION_FAILURE),
    "80": NOT_A_RESPONSE,
    "90": NOT_A_RESPONSE,
    "100": NOT_A_RESPONSE,
}
_BOUNCES = ("bounce", "out_of_band")
_OWN_REFUSALS = ("policy_rejection", "generation_rejection", "generation_failure")
_SUPPRESSED = "recipient address suppressed"
_SIMPLE = {
    "delay": delayed(Category.COMMUNICATION_FAILURE),
    "spam_complaint": certain(Category.SPAM_COMPLAINT),
}
_ACTIVITIES = {
    "delivery": ActivityKind.DELIVERED,
    "open": ActivityKind.OPENED,
    "initial_open": ActivityKind.OPENED,
    "amp_open": ActivityKind.OPENED,
    "amp_initial_open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
    "amp_click": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("injection", "sms_status", "list_unsubscribe", "link_unsubscribe")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is an event of SparkPost's webhook or Events API."""
    return "msys" in event or ("type" in event and "event_id" in event and "rcpt_to" in event)


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event: at most one response or activity; a webhook test ({"msys": {}}): nothing."""
    if "msys" not in event:
        return _read_bare(event, source, classify)
    return [
        read_event
        for bare in object_of(event["msys"]).values()
        for read_event in _read_bare(object_of(bare), source, classify)
    ]


def _read_bare(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    name = text_of(event.get("type")).lower()
    if name in _NO_RESPONSES or name.startswith("relay_"):
        return []
    report = _report(event, name, source)
    if name in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[name])]
    if name in _SIMPLE:
        return respond(report, _SIMPLE[name], classify)
    if name in _BOUNCES or name in _OWN_REFUSALS:
        return respond(report, _judge_failure(event, report), classify)
    return unrecognised(report, classify)


def _judge_failure(event: dict[str, object], report: Report) -> Verdict | None:
    if _SUPPRESSED in report.diagnostic.lower():
        report.event = "suppressed"
        return echo(Category.INVALID_ADDRESS)
    if report.event in _OWN_REFUSALS:
        return OWN_REFUSAL
    bounce_class = text_of(event.get("bounce_class"))
    known = bounce_class in _BY_CLASS
    report.event = f"bounce-class-{bounce_class}" if known else "bounce-class-unknown"
    return _BY_CLASS[bounce_class] if known else _BY_CLASS["1"]


def _report(event: dict[str, object], name: str, source: str) -> Report:
    recipient = event.get("raw_rcpt_to") or event.get("rcpt_to")
    occurred_at = instant_of(event.get("timestamp"))
    return Report(
        provider="sparkpost",
        event=name,
        source=source,
        key=event_key(
            "sparkpost",
            event.get("event_id"),
            event.get("message_id") or event.get("transmission_id"),
            name,
            recipient,
            occurred_at,
        ),
        recipient=recipient,
        occurred_at=occurred_at,
        diagnostic=text_of(event.get("raw_reason")) or text_of(event.get("reason")),
        reply_code=text_of(event.get("error_code")),
    )
