"""A sample of every event that SendGrid documents."""

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


def sendgrid(event: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": event,
        "email": "kari@example.org",
        "timestamp": 1772359200,
        "smtp-id": "<1@news.example.com>",
        "sg_event_id": f"sg-{event}-{'-'.join(str(value) for value in fields.values())}"[:90],
        "sg_message_id": "sg-message.filter0001",
    } | fields


def _sendgrid_bounce(class_: str, *, type_: str = "bounce", reason: str = SAYS_NOTHING) -> Any:
    return sendgrid("bounce", type=type_, bounce_classification=class_, reason=reason)


SENDGRID: list[Case] = [
    (sendgrid("bounce", type="bounce", reason=SAYS_NOTHING), [INVALID]),
    (sendgrid("bounce", type="bounce", reason=SAYS_NOTHING, status="5.0.0"), [INVALID]),
    (sendgrid("bounce", type="bounce", reason=FULL), [TRANSIENT]),
    (sendgrid("bounce", type="blocked", reason=SAYS_NOTHING), [BLOCKED]),
    (sendgrid("bounce", type="blocked", reason=NO_USER), [INVALID]),
    (sendgrid("bounce", type="expired", reason="unable to deliver in 72 hours"), [FAILURE]),
    (sendgrid("bounce", reason=SAYS_NOTHING), [UNKNOWN]),
    (_sendgrid_bounce("Invalid Address", reason=FULL), [INVALID]),
    (_sendgrid_bounce("Mailbox Unavailable"), [TRANSIENT]),
    (_sendgrid_bounce("Mailbox Unavailable", reason=NO_USER), [INVALID]),
    (_sendgrid_bounce("Technical"), [FAILURE]),
    (_sendgrid_bounce("TECHNICAL FAILURE"), [FAILURE]),
    (_sendgrid_bounce("Content"), [BLOCKED]),
    (_sendgrid_bounce("Reputation", type_="blocked"), [BLOCKED]),
    (_sendgrid_bounce("Frequency or Volume Too High", type_="blocked"), [FAILURE]),
    (_sendgrid_bounce("Unclassified"), [UNKNOWN]),
    (_sendgrid_bounce("Unclassified", reason=FULL), [TRANSIENT]),
    (
        _sendgrid_bounce(
            "Unclassified", type_="blocked", reason="unable to get mx info: failed to get IPs"
        ),
        [INVALID],
    ),
    (sendgrid("deferred", response="450 4.2.1 try again", attempt="2"), [f"{FAILURE}/delayed"]),
    (sendgrid("dropped", reason="Bounced Address"), [f"{INVALID}/echo"]),
    (sendgrid("dropped", reason="Invalid"), [INVALID]),
    (sendgrid("dropped", reason="Spam Reporting Address"), [f"{COMPLAINT}/echo"]),
    (sendgrid("dropped", reason="Unsubscribed Address"), ["unsubscribed/echo"]),
    (sendgrid("dropped", reason="Spam Content"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Invalid SMTPAPI header"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Recipient List over Package Quota"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Bad Mood"), [f"{UNKNOWN}/unrecognised-event"]),
    (sendgrid("spamreport"), [COMPLAINT]),
    (sendgrid("delivered", response="250 OK"), ["delivered"]),
    (sendgrid("open", useragent="Mail", sg_machine_open=False), ["opened"]),
    (sendgrid("open", sg_machine_open=True), ["opened by machine"]),
    (sendgrid("click", url="https://example.org/"), ["clicked"]),
    (sendgrid("click", useragent="Barracuda Sentinel (EE)"), ["clicked by machine"]),
    (sendgrid("processed"), []),
    *((sendgrid(name), ["unsubscribed"]) for name in ("unsubscribe", "group_unsubscribe")),
    (sendgrid("group_resubscribe"), ["resubscribed"]),
    (sendgrid("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]
