"""Samples of every event that the providers document, written for these tests.

A case is (event, what must come of it): per recipient a category, with the reason why it does not
count behind a slash, or an activity; nothing for what is no response.
"""

from typing import Any

Case = tuple[dict[str, Any], list[str]]

FULL = "552 5.2.2 The recipient's mailbox is over quota"
NO_USER = "550 5.1.1 User unknown"
SAYS_NOTHING = "the message was not accepted for reasons of our own"

INVALID, TRANSIENT, UNKNOWN = "invalid-address", "transient", "unknown"
COMPLAINT, FAILURE, BLOCKED = "spam-complaint", "communication-failure", "blocked"


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
    (ses_bounce("Permanent", "UnsubscribedRecipient"), []),
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
    (ses_event("Send"), []),
    (ses_event("Subscription"), []),
    (ses_event("Rendering Failure"), []),
    (ses_event("Teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]


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
    (sendgrid("dropped", reason="Unsubscribed Address"), []),
    (sendgrid("dropped", reason="Spam Content"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Invalid SMTPAPI header"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Recipient List over Package Quota"), [f"{BLOCKED}/own-refusal"]),
    (sendgrid("dropped", reason="Bad Mood"), [f"{UNKNOWN}/unrecognised-event"]),
    (sendgrid("spamreport"), [COMPLAINT]),
    (sendgrid("delivered", response="250 OK"), ["delivered"]),
    (sendgrid("open", useragent="Mail"), ["opened"]),
    (sendgrid("click", url="https://example.org/"), ["clicked"]),
    *((sendgrid(name), []) for name in ("processed", "unsubscribe", "group_unsubscribe")),
    (sendgrid("group_resubscribe"), []),
    (sendgrid("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]


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
    (postmark("Unsubscribe", 16), []),
    (postmark("Subscribe", 32), []),
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
    (_postmark_other("SubscriptionChange", ChangedAt="2026-03-01T10:00:00Z"), []),
    (_postmark_other("Inbound"), []),
    (
        _postmark_other("Teleport", ReceivedAt="2026-03-01T10:00:00Z"),
        [f"{UNKNOWN}/unrecognised-event"],
    ),
]


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
    (_failed("permanent", "suppress-unsubscribe", 606), []),
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
    *((mailgun(name), []) for name in ("accepted", "stored", "unsubscribed")),
    (mailgun("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]


def sparkpost(type_: str, *, kind: str = "message_event", **fields: Any) -> dict[str, Any]:
    event = {
        "type": type_,
        "event_id": f"sp-{type_}-{'-'.join(str(value) for value in fields.values())}"[:90],
        "timestamp": "1772359200",
        "rcpt_to": "kari@example.org",
        "raw_rcpt_to": "Kari@example.org",
        "transmission_id": "sp-transmission",
    }
    return {"msys": {kind: event | fields}}


def _classed(bounce_class: str, reason: str = SAYS_NOTHING, type_: str = "bounce") -> Any:
    return sparkpost(type_, bounce_class=bounce_class, raw_reason=reason, error_code="550")


_SUPPRESSED = "554 5.7.1 [internal] recipient address suppressed due to customer policy"

SPARKPOST: list[Case] = [
    (_classed("1"), [UNKNOWN]),
    (_classed("1", NO_USER), [INVALID]),
    (_classed("10", FULL), [INVALID]),
    (_classed("20"), [TRANSIENT]),
    (_classed("20", NO_USER), [INVALID]),
    (_classed("21"), [FAILURE]),
    (_classed("22"), [TRANSIENT]),
    (_classed("23"), [TRANSIENT]),
    (_classed("24"), [FAILURE]),
    (_classed("25"), [BLOCKED]),
    (_classed("30"), [INVALID]),
    (_classed("40"), [UNKNOWN]),
    (_classed("40", FULL), [TRANSIENT]),
    *((_classed(number), [BLOCKED]) for number in ("50", "51", "52", "53", "54")),
    (_classed("60"), []),
    (_classed("70"), [FAILURE]),
    *((_classed(number), []) for number in ("80", "90", "100")),
    (_classed("999"), [UNKNOWN]),
    (_classed("25", _SUPPRESSED), [f"{INVALID}/echo"]),
    (_classed("10", type_="out_of_band"), [INVALID]),
    (_classed("25", type_="policy_rejection"), [f"{BLOCKED}/own-refusal"]),
    (
        sparkpost("generation_rejection", kind="gen_event", raw_reason=_SUPPRESSED),
        [f"{INVALID}/echo"],
    ),
    (
        sparkpost("generation_rejection", kind="gen_event", reason="empty"),
        [f"{BLOCKED}/own-refusal"],
    ),
    (
        sparkpost("generation_failure", kind="gen_event", reason="template"),
        [f"{BLOCKED}/own-refusal"],
    ),
    (sparkpost("delay", bounce_class="20", raw_reason=FULL), [f"{FAILURE}/delayed"]),
    (sparkpost("spam_complaint", fbtype="abuse"), [COMPLAINT]),
    (sparkpost("delivery"), ["delivered"]),
    *((sparkpost(name, kind="track_event"), ["opened"]) for name in ("open", "initial_open")),
    (sparkpost("click", kind="track_event"), ["clicked"]),
    (sparkpost("injection"), []),
    (sparkpost("list_unsubscribe", kind="unsubscribe_event"), []),
    (sparkpost("link_unsubscribe", kind="unsubscribe_event"), []),
    ({"msys": {}}, []),
    (sparkpost("teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]


def mailjet(event: str, error: str = "", **fields: Any) -> dict[str, Any]:
    related_to, _, name = error.partition("/")
    return {
        "event": event,
        "time": 1772359200,
        "MessageID": 19_421_777_835_146_490,
        "email": "kari@example.org",
        "error_related_to": related_to,
        "error": name,
        "comment": SAYS_NOTHING,
    } | fields


MAILJET: list[Case] = [
    (mailjet("bounce", "recipient/user unknown"), [INVALID]),
    (mailjet("bounce", "recipient/mailbox inactive"), [TRANSIENT]),
    (mailjet("bounce", "recipient/quota exceeded"), [TRANSIENT]),
    (mailjet("blocked", "recipient/blacklisted"), [f"{INVALID}/echo"]),
    (mailjet("blocked", "recipient/spam reporter"), [f"{COMPLAINT}/echo"]),
    (mailjet("bounce", "domain/invalid domain"), [INVALID]),
    (mailjet("bounce", "domain/no mail host"), [INVALID]),
    (mailjet("bounce", "domain/relay/access denied"), [BLOCKED]),
    (mailjet("bounce", "domain/greylisted"), [f"{FAILURE}/delayed"]),
    (mailjet("blocked", "domain/typofix"), [INVALID]),
    (mailjet("bounce", "spam/sender blocked"), [BLOCKED]),
    (mailjet("blocked", "spam/content blocked"), [BLOCKED]),
    (mailjet("bounce", "spam/policy issue"), [BLOCKED]),
    (mailjet("blocked", "mailjet/preblocked"), [f"{INVALID}/echo"]),
    (mailjet("blocked", "mailjet/duplicate in campaign"), []),
    (mailjet("bounce", "system/system issue"), [FAILURE]),
    (mailjet("bounce", "system/protocol issue"), [FAILURE]),
    (mailjet("bounce", "system/connection issue"), [FAILURE]),
    (mailjet("blocked", "content/error in template language"), [BLOCKED]),
    (mailjet("bounce", "recipient/teleported", hard_bounce=True), [UNKNOWN]),
    (mailjet("bounce", "recipient/teleported", comment=NO_USER), [INVALID]),
    (mailjet("spam", source="JMRPP"), [COMPLAINT]),
    (mailjet("sent", smtp_reply="250 OK"), ["delivered"]),
    (mailjet("open"), ["opened"]),
    (mailjet("click"), ["clicked"]),
    (mailjet("unsub"), []),
    (mailjet("teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]


def brevo(event: str, reason: str = SAYS_NOTHING) -> dict[str, Any]:
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
    }


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
    *((brevo(name), []) for name in ("unsubscribe", "unsubscribed", "request", "list_addition")),
    (brevo("delivered"), ["delivered"]),
    *((brevo(name), ["opened"]) for name in ("opened", "unique_opened", "proxy_open")),
    (brevo("click"), ["clicked"]),
    (brevo("teleported"), [f"{UNKNOWN}/unrecognised-event"]),
]

CASES = {
    "ses": SES,
    "sendgrid": SENDGRID,
    "postmark": POSTMARK,
    "mailgun": MAILGUN,
    "sparkpost": SPARKPOST,
    "mailjet": MAILJET,
    "brevo": BREVO,
}
