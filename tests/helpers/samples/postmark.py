"""A sample of every event that Postmark documents."""

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


def postmark(type_: str, code: int, *, details: str = SAYS_NOTHING, record: str = "Bounce") -> Any:
    return {
        "RecordType": record,
        "ID": 4_000_000_000 + code,
        "Type": type_,
        "TypeCode": code,
        "Email": "kari@example.org",
        "BouncedAt": "2026-03-01T10:00:00.1234567Z",
        "Details": details,
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Inactive": True,
        "CanActivate": True,
        "MessageID": "pm-message",
    }


def _postmark_other(record: str, **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "MessageID": "pm-message",
        "Recipient": "kari@example.org",
    } | fields


def _without(event: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in keys}


POSTMARK: list[Case] = [
    (postmark("HardBounce", 1), [INVALID]),
    (postmark("HardBounce", 1, details=FULL), [TRANSIENT]),
    (postmark("Transient", 2), [FAILURE]),
    (postmark("Unsubscribe", 16), ["unsubscribed"]),
    (postmark("Subscribe", 32), ["resubscribed"]),
    (postmark("AutoResponder", 64), []),
    (postmark("AddressChange", 128), [INVALID]),
    (postmark("DnsError", 256), [FAILURE]),
    (postmark("SpamNotification", 512), [BLOCKED]),
    (postmark("OpenRelayTest", 1024), []),
    (postmark("Unknown", 2048), [UNKNOWN]),
    (postmark("SoftBounce", 4096), [TRANSIENT]),
    (postmark("SoftBounce", 4096, details=NO_USER), [INVALID]),
    (postmark("VirusNotification", 8192), [BLOCKED]),
    (postmark("ChallengeVerification", 16384), []),
    (postmark("BadEmailAddress", 100000), [INVALID]),
    (postmark("SpamComplaint", 100001), [COMPLAINT]),
    (postmark("SpamComplaint", 512, record="SpamComplaint"), [COMPLAINT]),
    (postmark("ManuallyDeactivated", 100002), [f"{INVALID}/echo"]),
    (postmark("Unconfirmed", 100003), []),
    (postmark("Blocked", 100006), [BLOCKED]),
    (postmark("SMTPApiError", 100007), [UNKNOWN]),
    (postmark("InboundError", 100008), []),
    (postmark("DMARCPolicy", 100009), [BLOCKED]),
    (postmark("TemplateRenderingFailed", 100010), []),
    (postmark("Teleported", 7), [f"{UNKNOWN}/unrecognised-event"]),
    (_without(postmark("", 512), "Type"), [BLOCKED]),
    (_without(postmark("SoftBounce", 4096), "RecordType"), [TRANSIENT]),
    (_postmark_other("Delivery", DeliveredAt="2026-03-01T10:00:00Z"), ["delivered"]),
    (_postmark_other("Open", ReceivedAt="2026-03-01T10:00:00Z"), ["opened"]),
    (_postmark_other("Click", ReceivedAt="2026-03-01T10:00:00Z"), ["clicked"]),
    (
        _postmark_other("Open", ReceivedAt="2026-03-01T10:00:00Z", UserAgent="Mozilla/5.0 "),
        ["opened by machine"],
    ),
    *(
        (
            _postmark_other(
                "SubscriptionChange",
                ChangedAt="2026-03-01T10:00:00Z",
                SuppressSending=suppress,
                SuppressionReason=reason,
                Origin=origin,
            ),
            [meaning],
        )
        for suppress, reason, origin, meaning in (
            (True, "HardBounce", "Recipient", f"{INVALID}/echo"),
            (True, "SpamComplaint", "Recipient", f"{COMPLAINT}/echo"),
            (True, "ManualSuppression", "Recipient", "unsubscribed"),
            (True, "ManualSuppression", "Customer", f"{INVALID}/echo"),
            (False, None, "Recipient", "resubscribed"),
        )
    ),
    (_postmark_other("Inbound"), []),
    (
        _postmark_other("Teleport", ReceivedAt="2026-03-01T10:00:00Z"),
        [f"{UNKNOWN}/unrecognised-event"],
    ),
]
