"""A sample of every event that Mailgun documents."""

from typing import Any

from helpers.samples.cases import (
    BLOCKED,
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


def mailgun(event: str, **fields: Any) -> dict[str, Any]:
    data = {
        "event": event,
        "id": f"mg-{event}-{'-'.join(str(value) for value in fields.values())}"[:90],
        "timestamp": 1772359200.123456,
        "recipient": "kari@example.org",
        "message": {"headers": {"message-id": "1@news.example.com"}},
    }
    return {"signature": {"timestamp": "1772359200", "token": "t"}, "event-data": data | fields}


def _failed(severity: str, reason: str, code: int, message: str = SAYS_NOTHING) -> dict[str, Any]:
    status = {"code": code, "message": message, "description": "", "attempt-no": 1}
    return mailgun("failed", severity=severity, reason=reason, **{"delivery-status": status})


MAILGUN: list[Case] = [
    (_failed("permanent", "bounce", 550), [INVALID]),
    (_failed("permanent", "bounce", 550, FULL), [TRANSIENT]),
    (_failed("permanent", "generic", 550), [UNKNOWN]),
    (_failed("permanent", "generic", 550, NO_USER), [INVALID]),
    (_failed("permanent", "generic", 552), [TRANSIENT]),
    (_failed("permanent", "suppress-bounce", 605), [f"{INVALID}/echo"]),
    (_failed("permanent", "suppress-complaint", 607), [f"{COMPLAINT}/echo"]),
    (_failed("permanent", "suppress-bounce", 0), [f"{INVALID}/echo"]),
    (_failed("permanent", "suppress-complaint", 0), [f"{COMPLAINT}/echo"]),
    (_failed("permanent", "bounce", 605, NO_USER), [f"{INVALID}/echo"]),
    (_failed("permanent", "generic", 607), [f"{COMPLAINT}/echo"]),
    (_failed("permanent", "suppress-unsubscribe", 606), ["unsubscribed/echo"]),
    *((_failed("permanent", "old", code), [FAILURE]) for code in (498, 499, 602)),
    (_failed("permanent", "espblock", 550), [BLOCKED]),
    (_failed("permanent", "hardfail", 550, NO_USER), [INVALID]),
    (_failed("temporary", "generic", 451), [f"{FAILURE}/delayed"]),
    (_failed("temporary", "generic", 452, FULL), [f"{TRANSIENT}/delayed"]),
    (_failed("temporary", "greylisted", 451, NO_USER), [f"{FAILURE}/delayed"]),
    (mailgun("complained"), [COMPLAINT]),
    (mailgun("rejected", reject={"reason": "Free accounts"}), [f"{BLOCKED}/own-refusal"]),
    (mailgun("delivered"), ["delivered"]),
    (mailgun("opened"), ["opened"]),
    (mailgun("clicked"), ["clicked"]),
    (mailgun("opened", **{"client-info": {"user-agent": "Mozilla/5.0"}}), ["opened by machine"]),
    (mailgun("opened", **{"client-info": {"bot": "apple"}}), ["opened by machine"]),
    (mailgun("clicked", **{"client-info": {"bot": "generic"}}), ["clicked by machine"]),
    *((mailgun(name), []) for name in ("accepted", "stored")),
    (mailgun("unsubscribed"), ["unsubscribed"]),
    (mailgun("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]
