"""Brevo: transactional and marketing webhooks.

Source: Brevo developer documentation, "webhook event payloads". There is no event id: `id` is the
webhook's own. `ts_epoch` (milliseconds, UTC) is the one reliable time; the others are in the
account's time zone.
"""

import re
from collections.abc import Iterable

from contactctl.domain.responses import ActivityKind, Category, Event
from contactctl.responses.fields import event_key, instant_of, text_of
from contactctl.responses.providers.verdict import (
    NOT_A_RESPONSE,
    Classify,
    Report,
    activity,
    certain,
    delayed,
    echo,
    respond,
    unless_text_says,
    unrecognised,
)

_RESPONSES = {
    "hard_bounce": unless_text_says(Category.INVALID_ADDRESS),
    "soft_bounce": unless_text_says(Category.TRANSIENT),
    "blocked": echo(Category.INVALID_ADDRESS),
    "invalid_email": certain(Category.INVALID_ADDRESS),
    "deferred": delayed(Category.COMMUNICATION_FAILURE),
    "error": certain(Category.UNKNOWN),
    "spam": certain(Category.SPAM_COMPLAINT),
    "complaint": certain(Category.SPAM_COMPLAINT),
    "unsubscribe": NOT_A_RESPONSE,
    "unsubscribed": NOT_A_RESPONSE,
    "request": NOT_A_RESPONSE,
    "list_addition": NOT_A_RESPONSE,
}
_ACTIVITIES = {
    "delivered": ActivityKind.DELIVERED,
    "opened": ActivityKind.OPENED,
    "unique_opened": ActivityKind.OPENED,
    "first_opening": ActivityKind.OPENED,
    "proxy_open": ActivityKind.OPENED,
    "unique_proxy_open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
}
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is an event of Brevo's webhooks."""
    return "event" in event and any(key in event for key in ("ts_epoch", "ts_event", "message-id"))


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event: at most one response or activity."""
    name = text_of(event.get("event"))
    snake_case = _CAPITAL.sub("_", name).lower()  # marketing webhooks write hardBounce
    report = _report(event, snake_case, source)
    if snake_case in _ACTIVITIES:
        return [activity(report, _ACTIVITIES[snake_case])]
    if snake_case in _RESPONSES:
        return respond(report, _RESPONSES[snake_case], classify)
    return unrecognised(report, classify)


def _report(event: dict[str, object], name: str, source: str) -> Report:
    email, reason = event.get("email"), text_of(event.get("reason"))
    occurred_at = instant_of(event.get("ts_epoch")) or instant_of(event.get("ts_event"))
    return Report(
        provider="brevo",
        event=name,
        source=source,
        key=event_key(
            "brevo",
            None,
            event.get("message-id"),
            name,
            email,
            occurred_at,
            reason,
        ),
        recipient=email,
        occurred_at=occurred_at,
        diagnostic=reason,
    )
