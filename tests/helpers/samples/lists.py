"""What the providers' APIs and exports hand over: lists, suppression lists, queues' envelopes.

A case is (provider, document, what must come of it); of CSV the document is its text.
"""

from json import dumps
from typing import Any

from helpers.samples.amazon_ses import ses_bounce, ses_complaint
from helpers.samples.cases import BLOCKED, COMPLAINT, FULL, INVALID, NO_USER, TRANSIENT, UNKNOWN
from helpers.samples.mailgun import mailgun
from helpers.samples.postmark import postmark
from helpers.samples.sparkpost import sparkpost

KARI = "kari@example.org"
AT = 1772359200
ISO = "2026-03-01T10:00:00Z"
BOUNCE, COMPLAINED = ses_bounce("Permanent", "General"), ses_complaint("abuse")


def sns(event: object) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "s1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": dumps(event),
        "Timestamp": ISO,
    }


def _sendgrid(**fields: Any) -> dict[str, Any]:
    return {"created": AT, "email": KARI} | fields


def _mailjet(status: str, **fields: Any) -> dict[str, Any]:
    row = {"ID": 1, "ArrivedAt": ISO, "ContactAlt": KARI, "Status": status, "StateID": 0}
    return {"Count": 1, "Data": [row | fields], "Total": 1}


def _brevo(event: str, **fields: Any) -> dict[str, Any]:
    row = {"email": KARI, "date": "2026-03-01T11:00:00.000+01:00", "messageId": "<1@b>"}
    return {"events": [row | {"event": event} | fields]}


def _blocked(code: str) -> dict[str, Any]:
    row = {"email": KARI, "blockedAt": ISO, "reason": {"code": code, "message": "said"}}
    return {"count": 1, "contacts": [row]}


def _suppressed(source: str, description: str = "") -> dict[str, Any]:
    row = {"recipient": KARI, "type": "non_transactional", "source": source, "created": ISO}
    return {"results": [row | {"description": description}], "total_count": 1, "links": []}


LISTS: list[tuple[str, Any, list[str]]] = [
    ("sendgrid", [_sendgrid(reason=NO_USER, status="5.1.1")], [INVALID]),
    (
        "sendgrid",
        [_sendgrid(reason=FULL, status="552"), _sendgrid(reason="?", status="")],
        [TRANSIENT, UNKNOWN],
    ),
    ("sendgrid", [_sendgrid(reason="550 5.7.1 blocked as spam", status="5.7.1")], [BLOCKED]),
    (
        "sendgrid",
        [_sendgrid(reason="Mail domain mentioned in email address is unknown")],
        [INVALID],
    ),
    ("sendgrid", [_sendgrid(ip="192.0.2.1")], [COMPLAINT]),
    ("sendgrid", [_sendgrid()], ["unsubscribed"]),
    (
        "sendgrid",
        {"suppressions": [{"email": KARI, "group_id": 7, "group_name": "News", "created_at": AT}]},
        ["unsubscribed"],
    ),
    (
        "sendgrid",
        {
            "messages": [
                {"msg_id": "m1", "to_email": KARI, "status": "delivered", "last_event_time": ISO},
                {
                    "msg_id": "m2",
                    "to_email": KARI,
                    "status": "not_delivered",
                    "last_event_time": ISO,
                },
            ]
        },
        ["delivered", UNKNOWN],
    ),
    ("sendgrid", f"status,reason,email,created\n5.1.1,{NO_USER},{KARI},{AT}\n", [INVALID]),
    ("sendgrid", f"email,created\n{KARI},{AT}\n", ["unsubscribed"]),
    (
        "sendgrid",
        f"processed,message_id,event,email,reason\n2026-03-01 10:00:00,m1,bounce,{KARI},"
        f"{NO_USER}\n2026-03-01 10:00:00,m1,delivered,{KARI},\n",
        [INVALID, "delivered"],
    ),
    (
        "mailgun",
        {"items": [mailgun("complained")["event-data"]], "paging": {"next": "u"}},
        [COMPLAINT],
    ),
    (
        "mailgun",
        {
            "items": [
                {
                    "id": "l1",
                    "@timestamp": ISO,
                    "event": "unsubscribed",
                    "recipient": KARI,
                    "message": {},
                }
            ],
            "pagination": {},
        },
        ["unsubscribed"],
    ),
    (
        "mailgun",
        {
            "items": [
                {
                    "address": KARI,
                    "code": "550",
                    "error": NO_USER,
                    "created_at": "Sun, 01 Mar 2026 10:00:00 UTC",
                }
            ]
        },
        [INVALID],
    ),
    (
        "mailgun",
        {
            "items": [
                {"address": KARI, "tags": ["*"], "created_at": "Sun, 01 Mar 2026 10:00:00 UTC"}
            ]
        },
        ["unsubscribed"],
    ),
    (
        "mailgun",
        {"items": [{"address": KARI, "created_at": "Sun, 01 Mar 2026 10:00:00 GMT"}]},
        [COMPLAINT],
    ),
    (
        "mailgun",
        f'address,code,error,created_at\n{KARI},552,{FULL},"Sun, 01 Mar 2026 10:00:00 GMT"\n',
        [TRANSIENT],
    ),
    ("mailgun", {"items": [], "paging": {}}, []),
    (
        "mailgun",
        {
            "event-data": {
                "event": "rejected",
                "id": "r1",
                "timestamp": AT,
                "message": {"headers": {"to": f"Kari <{KARI}>, kari@example.org"}},
            }
        },
        [f"{BLOCKED}/own-refusal"] * 2,
    ),
    ("postmark", {"TotalCount": 1, "Bounces": [postmark("HardBounce", 1)]}, [INVALID]),
    (
        "postmark",
        {
            "TotalCount": 1,
            "Bounces": [
                {
                    key: value
                    for key, value in postmark("SoftBounce", 4096).items()
                    if key != "RecordType"
                }
            ],
        },
        [TRANSIENT],
    ),
    (
        "postmark",
        {
            "Suppressions": [
                {
                    "EmailAddress": KARI,
                    "SuppressionReason": reason,
                    "Origin": origin,
                    "CreatedAt": ISO,
                }
                for reason, origin in (
                    ("HardBounce", "Recipient"),
                    ("SpamComplaint", "Recipient"),
                    ("ManualSuppression", "Recipient"),
                    ("ManualSuppression", "Customer"),
                )
            ]
        },
        [INVALID, COMPLAINT, "unsubscribed", f"{INVALID}/echo"],
    ),
    (
        "postmark",
        f"EmailAddress,SuppressionReason,Origin,CreatedAt\n{KARI},SpamComplaint,Recipient,"
        "2026-03-01T05:00:00-05:00\n",
        [COMPLAINT],
    ),
    (
        "sparkpost",
        {
            "results": [sparkpost("bounce", bounce_class="10")["msys"]["message_event"]],
            "total_count": 1,
        },
        [INVALID],
    ),
    ("sparkpost", _suppressed("Bounce Rule", NO_USER), [INVALID]),
    ("sparkpost", _suppressed("Spam Complaint"), [COMPLAINT]),
    ("sparkpost", _suppressed("Unsubscribe Link"), ["unsubscribed"]),
    ("sparkpost", _suppressed("Manually Added"), [f"{INVALID}/echo"]),
    (
        "sparkpost",
        f"recipient,type,source,description,created\n{KARI},transactional,Bounce Rule,"
        f"{NO_USER},{ISO}\n",
        [INVALID],
    ),
    ("mailjet", _mailjet("bounce", StateID=1, StatePermanent=True), [INVALID]),
    ("mailjet", _mailjet("hardbounced", StateID=3, StatePermanent=True), [UNKNOWN]),
    ("mailjet", _mailjet("softbounced", StateID=3, StatePermanent=False), [TRANSIENT]),
    ("mailjet", _mailjet("blocked", StateID=8), [BLOCKED]),
    ("mailjet", _mailjet("blocked", StateID=21), [f"{COMPLAINT}/echo"]),
    ("mailjet", _mailjet("unsub"), ["unsubscribed"]),
    ("mailjet", _mailjet("opened"), ["opened"]),
    ("mailjet", _mailjet("queued"), []),
    ("brevo", _brevo("hardBounces", reason=NO_USER), [INVALID]),
    ("brevo", _brevo("softBounces", reason=FULL), [TRANSIENT]),
    ("brevo", _brevo("loadedByProxy"), ["opened by machine"]),
    ("brevo", _brevo("unsubscribed"), ["unsubscribed"]),
    ("brevo", _brevo("delivered"), ["delivered"]),
    ("brevo", _blocked("hardBounce"), [INVALID]),
    ("brevo", _blocked("contactFlaggedAsSpam"), [COMPLAINT]),
    ("brevo", _blocked("unsubscribedViaEmail"), ["unsubscribed"]),
    ("brevo", _blocked("adminBlocked"), [f"{INVALID}/echo"]),
    (
        "ses",
        {
            "SuppressedDestinationSummaries": [
                {"EmailAddress": KARI, "Reason": reason, "LastUpdateTime": AT}
                for reason in ("BOUNCE", "COMPLAINT")
            ],
            "NextToken": "n",
        },
        [INVALID, COMPLAINT],
    ),
    (
        "ses",
        {
            "SuppressedDestination": {
                "EmailAddress": KARI,
                "Reason": "BOUNCE",
                "LastUpdateTime": "2026-03-01T11:00:00+01:00",
                "Attributes": {"FeedbackId": "f1", "MessageId": "m1"},
            }
        },
        [INVALID],
    ),
    ("ses", f"EmailAddress,Reason,LastUpdateTime\n{KARI},COMPLAINT,{ISO}\n", [COMPLAINT]),
    (
        "ses",
        {"Messages": [{"MessageId": "q1", "ReceiptHandle": "r", "Body": dumps(sns(BOUNCE))}]},
        [INVALID],
    ),
    ("ses", {"Messages": [{"MessageId": "q1", "Body": dumps(BOUNCE)}]}, [INVALID]),
    ("ses", {"Records": [{"messageId": "q1", "body": dumps(sns(COMPLAINED))}]}, [COMPLAINT]),
    ("ses", {"Records": [{"EventSource": "aws:sns", "Sns": sns(BOUNCE)}]}, [INVALID]),
    (
        "ses",
        {
            "version": "0",
            "detail-type": "Email Bounced",
            "source": "aws.ses",
            "time": ISO,
            "detail": {key: value for key, value in BOUNCE.items() if key != "notificationType"}
            | {"eventType": "Bounce"},
        },
        [INVALID],
    ),
    ("ses", {"version": "2.0", "headers": {}, "body": dumps(sns(BOUNCE))}, [INVALID]),
    ("ses", {"MessageId": "q1", "Body": dumps({"detail-type": "x", "detail": BOUNCE})}, [INVALID]),
]
