"""Mailjet: the event webhook's objects, one by one or in arrays.

Source: Mailjet developer documentation, "event tracking"; its table of error_related_to and error.
"""

from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, text_of
from contactctl.responses.providers.verdict import (
    NOT_A_RESPONSE,
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

_BY_ERROR = {
    "recipient/user unknown": certain(Category.INVALID_ADDRESS),
    "recipient/mailbox inactive": certain(Category.TRANSIENT),
    "recipient/quota exceeded": certain(Category.TRANSIENT),
    "recipient/blacklisted": echo(Category.INVALID_ADDRESS),
    "recipient/spam reporter": echo(Category.SPAM_COMPLAINT),
    "domain/invalid domain": certain(Category.INVALID_ADDRESS),
    "domain/no mail host": certain(Category.INVALID_ADDRESS),
    "domain/relay/access denied": certain(Category.BLOCKED),
    "domain/greylisted": delayed(Category.COMMUNICATION_FAILURE),
    "domain/typofix": certain(Category.INVALID_ADDRESS),
    "spam/sender blocked": certain(Category.BLOCKED),
    "spam/content blocked": certain(Category.BLOCKED),
    "spam/policy issue": certain(Category.BLOCKED),
    "mailjet/preblocked": echo(Category.INVALID_ADDRESS),
    "mailjet/duplicate in campaign": NOT_A_RESPONSE,
    "system/system issue": certain(Category.COMMUNICATION_FAILURE),
    "system/protocol issue": certain(Category.COMMUNICATION_FAILURE),
    "system/connection issue": certain(Category.COMMUNICATION_FAILURE),
}
_CONTENT = certain(Category.BLOCKED)
_UNKNOWN_ERROR = unless_text_says(Category.UNKNOWN)
_FAILURES = ("bounce", "blocked")
_ACTIVITIES = {
    "sent": ActivityKind.DELIVERED,
    "open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("unsub",)


def recognises(event: dict[str, object]) -> bool:
    """Whether this is an event of Mailjet's webhook."""
    return "event" in event and "time" in event and "MessageID" in event


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event: at most one response or activity."""
    name = text_of(event.get("event")).lower()
    if name in _NO_RESPONSES:
        return []
    report = _report(event, name, source)
    if name in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[name])]
    if name == "spam":
        return respond(report, certain(Category.SPAM_COMPLAINT), classify)
    if name in _FAILURES:
        return respond(report, _judge_failure(event, report), classify)
    return unrecognised(report, classify)


def _judge_failure(event: dict[str, object], report: Report) -> Verdict | None:
    related_to = text_of(event.get("error_related_to")).lower()
    error = f"{related_to}/{text_of(event.get('error')).lower()}"
    if error in _BY_ERROR:
        report.event = error.replace("/", "-").replace(" ", "-")
        return _BY_ERROR[error]
    if related_to == "content":
        report.event = "content"
        return _CONTENT
    report.event = f"{report.event}-unknown-error"
    return _UNKNOWN_ERROR


def _report(event: dict[str, object], name: str, source: str) -> Report:
    email, occurred_at = event.get("email"), instant_of(event.get("time"))
    return Report(
        provider="mailjet",
        event=name,
        source=source,
        # no event id; one message may bounce twice, so that its id alone does not tell
        key=event_key("mailjet", None, event.get("MessageID"), name, email, occurred_at),
        recipient=email,
        occurred_at=occurred_at,
        diagnostic=text_of(event.get("comment")) or text_of(event.get("error")),
    )
