"""A sample of every event that Brevo documents."""

from typing import Any

from helpers.samples.cases import (
    COMPLAINT,
    FAILURE,
    FULL,
    INVALID,
    NO_USER,
    SAYS_NOTHING,
    TRANSIENT,
    UNKNOWN,
    Case,
)


def brevo(event: str, reason: str = SAYS_NOTHING, **fields: Any) -> dict[str, Any]:
    return {
        "id": 26_224,
        "event": event,
        "email": "kari@example.org",
        "message-id": "<1@smtp-relay.example.com>",
        "date": "2026-03-01 11:00:00",
        "ts": 1772362800,
        "ts_epoch": 1772359200000,
        "reason": reason,
        "tags": ["news"],
    } | fields


BREVO: list[Case] = [
    (brevo("hard_bounce"), [INVALID]),
    (brevo("hard_bounce", FULL), [TRANSIENT]),
    (brevo("soft_bounce"), [TRANSIENT]),
    (brevo("soft_bounce", NO_USER), [INVALID]),
    (brevo("hardBounce"), [INVALID]),
    (brevo("softBounce"), [TRANSIENT]),
    (brevo("blocked", "due to blacklist user"), [f"{INVALID}/echo"]),
    (brevo("invalid_email"), [INVALID]),
    (brevo("deferred", "450 4.7.1 greylisted"), [f"{FAILURE}/delayed"]),
    (brevo("error"), [UNKNOWN]),
    (brevo("spam"), [COMPLAINT]),
    (brevo("complaint"), [COMPLAINT]),
    *((brevo(name), ["unsubscribed"]) for name in ("unsubscribe", "unsubscribed")),
    *((brevo(name), []) for name in ("request", "list_addition")),
    (brevo("delivered"), ["delivered"]),
    *((brevo(name), ["opened"]) for name in ("opened", "unique_opened")),
    *((brevo(name), ["opened by machine"]) for name in ("proxy_open", "unique_proxy_open")),
    (brevo("click"), ["clicked"]),
    (brevo("click", user_agent="python-requests/2.31"), ["clicked by machine"]),
    (brevo("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]
