"""A sample of every event that Amazon SES documents."""

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


def ses_mail(*addresses: str) -> dict[str, Any]:
    return {
        "timestamp": "2026-03-01T09:59:00.000Z",
        "messageId": "0102-ses-message",
        "destination": list(addresses) or ["kari@example.org"],
    }


def ses_bounce(
    type_: str, subtype: str, *, diagnostic: str = SAYS_NOTHING, status: str = ""
) -> Any:
    recipient = {"emailAddress": "kari@example.org", "action": "failed", "status": status}
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": type_,
            "bounceSubType": subtype,
            "bouncedRecipients": [recipient | {"diagnosticCode": f"smtp; {diagnostic}"}],
            "timestamp": "2026-03-01T10:00:00.000Z",
            "feedbackId": f"feedback-{type_}-{subtype}",
        },
        "mail": ses_mail(),
    }


def ses_complaint(feedback_type: str | None, subtype: str | None = None) -> dict[str, Any]:
    return {
        "eventType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": "kari@example.org"}],
            "timestamp": "2026-03-02T10:00:00.000Z",
            "arrivalDate": "2026-03-01T10:00:00.000Z",
            "feedbackId": "feedback-complaint",
            "complaintFeedbackType": feedback_type,
            "complaintSubType": subtype,
        },
        "mail": ses_mail(),
    }


def ses_event(type_: str, **details: Any) -> dict[str, Any]:
    key = type_[0].lower() + type_[1:]
    time = {"timestamp": "2026-03-01T10:00:00.000Z"}
    return {"eventType": type_, key: time | details, "mail": ses_mail()}


def _ses_silent() -> dict[str, Any]:
    event = ses_bounce("Transient", "General")
    event["bounce"]["bouncedRecipients"] = [{"emailAddress": "kari@example.org"}]
    return event


SES: list[Case] = [
    (ses_bounce("Permanent", "General"), [INVALID]),
    (ses_bounce("Permanent", "General", diagnostic=FULL), [TRANSIENT]),
    (ses_bounce("Permanent", "General", status="5.0.0"), [INVALID]),
    (ses_bounce("Permanent", "General", status="5.7.1"), [BLOCKED]),
    (ses_bounce("Permanent", "NoEmail", diagnostic=FULL), [INVALID]),
    (ses_bounce("Permanent", "Suppressed"), [f"{INVALID}/echo"]),
    (ses_bounce("Permanent", "OnAccountSuppressionList"), [f"{INVALID}/echo"]),
    (ses_bounce("Permanent", "UnsubscribedRecipient"), ["unsubscribed/echo"]),
    (ses_bounce("Transient", "General"), [FAILURE]),
    (ses_bounce("Transient", "General", diagnostic=FULL), [TRANSIENT]),
    (ses_bounce("Transient", "General", status="5.4.4"), [INVALID]),
    (_ses_silent(), [f"{FAILURE}/auto-reply"]),
    (ses_bounce("Transient", "MailboxFull"), [TRANSIENT]),
    (ses_bounce("Transient", "MailboxFull", status="5.4.4"), [INVALID]),
    (ses_bounce("Transient", "MessageTooLarge"), [TRANSIENT]),
    (ses_bounce("Transient", "ContentRejected"), [BLOCKED]),
    (ses_bounce("Transient", "AttachmentRejected"), [BLOCKED]),
    (ses_bounce("Undetermined", "Undetermined"), [UNKNOWN]),
    (ses_bounce("Undetermined", "Undetermined", diagnostic=NO_USER), [INVALID]),
    (ses_bounce("Permanent", "FromTheFuture"), [f"{UNKNOWN}/unrecognised-event"]),
    *((ses_complaint(kind), [COMPLAINT]) for kind in ("abuse", "fraud", "other", "virus", None)),
    (ses_complaint("not-spam"), []),
    (ses_complaint("auth-failure"), []),
    (ses_complaint("abuse", "OnAccountSuppressionList"), [f"{COMPLAINT}/echo"]),
    (
        ses_event(
            "DeliveryDelay",
            delayType="MailboxFull",
            delayedRecipients=[{"emailAddress": "kari@example.org", "status": "4.2.2"}],
        ),
        [f"{FAILURE}/delayed"],
    ),
    (ses_event("Reject", reason="Bad content"), [f"{BLOCKED}/own-refusal"]),
    (ses_event("Delivery", recipients=["kari@example.org"]), ["delivered"]),
    (ses_event("Open", ipAddress="192.0.2.1"), ["opened"]),
    (ses_event("Click", link="https://example.org/"), ["clicked"]),
    (ses_event("Open", userAgent="Mozilla/5.0"), ["opened by machine"]),
    (ses_event("Click", userAgent="Mozilla/5.0 (Linux; CUBOT NOTE 7)"), ["clicked"]),
    (ses_event("Send"), []),
    (ses_event("Subscription"), []),
    (
        ses_event("Subscription", newTopicPreferences={"unsubscribeAll": True}),
        ["unsubscribed"],
    ),
    (
        ses_event(
            "Subscription",
            newTopicPreferences={
                "unsubscribeAll": False,
                "topicSubscriptionStatus": [
                    {"topicName": "news", "subscriptionStatus": "OptOut"},
                ],
            },
        ),
        ["unsubscribed"],
    ),
    (ses_event("Rendering Failure"), []),
    (ses_event("Teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]
