"""Documents as dashboards, logs and other programs hand them over."""

from base64 import b64encode
from json import dumps, loads
from typing import Any
from urllib.parse import urlencode

import pytest

from contactctl.domain.responses import NoResponse, Rejection
from helpers.samples.amazon_ses import ses_bounce
from responses.formats.test_events import in_short
from responses.formats.test_lists import read

SES = dumps(ses_bounce("Permanent", "NoEmail"))
ANN, NO_USER = "ann@x.no", "550 5.1.1 no such user"
AT = "2026-05-02T10:00:00Z"
SES_OWN_WORDS = (
    "The recipient's email provider sent a {} message. Sending to such addresses can have a"
    " negative impact on your reputation as a sender."
)
SENT_AND_BOUNCED = [
    {"event_name": "processed", "processed": AT},
    {"event_name": "bounced", "processed": AT, "reason": NO_USER, "bounce_type": "hard"},
]


def mandrill(**event: Any) -> dict[str, Any]:
    return {"_id": "i", "ts": 1777716000, "msg": {"email": ANN, "_id": "i"}} | event


def rejected(reason: str) -> dict[str, Any]:
    return mandrill(event="reject", msg={"email": ANN, "reject": {"reason": reason}})


def resend(type_: str, kind: str) -> dict[str, Any]:
    bounce = {"type": type_, "subType": "General", "message": SES_OWN_WORDS.format(kind)}
    data = {"email_id": "e", "to": [ANN], "created_at": AT, "bounce": bounce}
    return {"type": "email.bounced", "created_at": AT, "data": data}


def mailtrap(event: str, **values: Any) -> dict[str, Any]:
    common = {"event": event, "timestamp": 1777716000, "email": ANN, "event_id": "e"}
    return {"events": [common | values]}


def brevo_log(*words: str) -> str:
    rows = [f"{word},02-05-2026 10:00:00,Hi,a@b.no,{ANN},NA,<m@b>,NA" for word in words]
    return "\n".join(["st_text,ts,sub,frm,email,tag,mid,link", *rows])


SES_IN_BASE64 = b64encode(SES.encode()).decode()
SES_IN_CSV = '"' + SES.replace('"', '""') + '"'
AS_PARTS = f"""--x1
Content-Disposition: form-data; name="event"

bounced
--x1
Content-Disposition: form-data; name="recipient"

{ANN}
--x1
Content-Disposition: form-data; name="error"

{NO_USER}
--x1
Content-Disposition: form-data; name="attachment-1"; filename="message.mime"

Received: by x
--x1--
""".replace("\n", "\r\n")
DROPPED = {
    "event": "dropped",
    "recipient": ANN,
    "reason": "hardfail",
    "code": "550",
    "description": NO_USER,
    "timestamp": "1777716000",
}
ONE_CLICK = '--x\nContent-Disposition: form-data; name="List-Unsubscribe"\n\nOne-Click\n--x--\n'


def left_topics(*statuses: str) -> dict[str, Any]:
    topics = [{"topicName": "t", "subscriptionStatus": status} for status in statuses]
    new = {"unsubscribeAll": False, "topicSubscriptionStatus": topics}
    told = {"contactList": "News", "timestamp": AT, "newTopicPreferences": new}
    mail = {"messageId": "m", "destination": [ANN]}
    return {"eventType": "Subscription", "mail": mail, "subscription": told}


SAVED: list[tuple[str, object, list[str]]] = [
    # Amazon
    ("auto", SES * 3, ["invalid-address"] * 3),
    ("auto", f"\x1e{SES}\n\x1e{SES}\n", ["invalid-address"] * 2),
    ("auto", {"logEvents": [{"id": "3", "message": SES}]}, ["invalid-address"]),
    ("auto", {"logEvents": [{"id": "", "message": "CWL CONTROL MESSAGE: Checking"}]}, []),
    (
        "auto",
        {"events": [{"message": SES, "ingestionTime": 1, "timestamp": 1}]},
        ["invalid-address"],
    ),
    (
        "auto",
        {
            "notificationType": "AmazonSnsSubscriptionSucceeded",
            "message": "You have successfully subscribed your topic",
        },
        [],
    ),
    (
        "auto",
        {"notificationType": "Received", "mail": {"destination": ["in@b.no"]}, "receipt": {}},
        [],
    ),
    ("auto", {"emailAddress": ANN, "reason": "BOUNCE"}, ["invalid-address"]),
    ("auto", {"emailAddress": ANN, "reason": "COMPLAINT"}, ["spam-complaint"]),
    ("auto", left_topics("OptIn", "OptOut"), ["unsubscribed"]),
    ("auto", left_topics("OptIn", "OptIn"), []),
    # SendGrid
    (
        "auto",
        {"msg_id": "m", "to_email": ANN, "status": "not_delivered", "events": SENT_AND_BOUNCED},
        ["invalid-address"],
    ),
    ("auto", [{"event": "account_status_change", "sg_event_id": "e", "timestamp": 1}], []),
    # Mailgun
    ("auto", urlencode(DROPPED), ["invalid-address"]),
    ("auto", urlencode(DROPPED | {"code": "605"}), ["invalid-address/echo"]),
    ("auto", urlencode(DROPPED | {"code": "606"}), ["unsubscribed/echo"]),
    ("auto", urlencode(DROPPED | {"reason": "old", "description": ""}), ["communication-failure"]),
    ("auto", urlencode([*DROPPED.items(), ("recipient", "vip")]), ["invalid-address"]),
    (
        "auto",
        {
            "event": "failed",
            "severity": "permanent",
            "reason": "suppress-bounce",
            "delivery-status": None,
            "recipient": ANN,
            "timestamp": 1777716000,
        },
        ["invalid-address/echo"],
    ),
    # Postmark
    (
        "auto",
        {
            "Recipients": [ANN],
            "MessageEvents": [
                {
                    "Recipient": ANN,
                    "Type": type_,
                    "ReceivedAt": AT,
                    "Details": {"Summary": f"smtp;{NO_USER}", "BounceID": "7"},
                }
                for type_ in ("Bounced", "Opened")
            ],
        },
        ["invalid-address", "opened"],
    ),
    (
        "auto",
        [
            {"ErrorCode": 0, "Message": "OK", "MessageID": "m", "To": ANN},
            {"ErrorCode": 406, "Message": "inactive", "To": ANN},
        ],
        ["invalid-address/echo"],
    ),
    (
        "auto",
        f"ID,Type,TypeCode,Email,BouncedAt\n1,SpamComplaint,100001,{ANN},{AT}\n",
        ["spam-complaint"],
    ),
    # SparkPost, Brevo
    ("auto", {"msys": {"ingest_event": {"type": "success", "event_id": "9", "batch_id": "b"}}}, []),
    (
        "auto",
        [
            {
                "msys": {
                    "relay_message": {"webhook_id": "w", "rcpt_to": "in@b.no", "msg_from": ANN}
                    | {"content": {"subject": "Hi"}}
                }
            }
        ],
        [],
    ),
    ("auto", {"event": "list_addition", "email": [ANN], "list_id": [2], "ts": 1}, []),
    ("auto", {"event": "contact_deleted", "email": ANN, "list_id": [2], "ts": 1}, []),
    (
        "auto",
        brevo_log("Sent", "Hard bounce", "Unsubscribed", "First opening", "Complaint"),
        ["invalid-address", "unsubscribed", "opened", "spam-complaint"],
    ),
    (
        "auto",
        brevo_log("Soft bounce", "Loaded by proxy").replace(",", ";"),
        ["transient", "opened by machine"],
    ),
    # other senders
    ("mandrill", {"mandrill_events": dumps([mandrill(event="spam")])}, ["spam-complaint"]),
    ("mandrill", {"mandrill_events": [mandrill(event="unsub")]}, ["unsubscribed"]),
    (
        "mandrill",
        urlencode({"mandrill_events": dumps([mandrill(event="spam")])}) + "\n",
        ["spam-complaint"],
    ),
    (
        "mandrill",
        [rejected("unsub"), rejected("spam")],
        ["unsubscribed/echo", "spam-complaint/echo"],
    ),
    ("mandrill", [rejected("rule")], ["blocked/own-refusal"]),
    (
        "mandrill",
        {"type": "blacklist", "action": "add", "reject": {"reason": "hard-bounce", "email": ANN}},
        ["invalid-address/echo"],
    ),
    (
        "mandrill",
        [{"email": ANN, "reason": "hard-bounce", "detail": NO_USER, "last_event_at": AT}],
        ["invalid-address"],
    ),
    ("resend", resend("Permanent", "hard bounce"), ["invalid-address"]),
    ("resend", resend("Transient", "general bounce"), ["communication-failure"]),
    ("resend", resend("Undetermined", "bounce"), ["unknown"]),
    (
        "postal",
        {
            "event": "MessageHeld",
            "uuid": "u",
            "payload": {"details": "on the suppression list", "message": {"to": ANN}},
        },
        ["invalid-address/echo"],
    ),
    # senders without a format of their own
    ("auto", mailtrap("spam"), ["spam-complaint"]),
    ("auto", mailtrap("delivery", category="password-reset"), ["delivered"]),
    ("auto", mailtrap("bounce", category="welcome", response=NO_USER), ["invalid-address"]),
    ("auto", mailtrap("bounced", category="spam-complaintt"), ["rejection"]),
    ("auto", mailtrap("shrug", category="welcome"), ["rejection"]),
    ("auto", f"email,status,category\n{ANN},spam,\n{ANN},,spam", ["spam-complaint", "rejection"]),
    ("auto", f"email,reason\n{ANN},complaint\n", ["spam-complaint"]),
    ("auto", urlencode({"email": ANN, "event": "bounce", "reason": NO_USER}), ["invalid-address"]),
    ("auto", AS_PARTS, ["invalid-address"]),
    (
        "auto",
        AS_PARTS + AS_PARTS.replace(ANN, "bo@x.no").replace("x1", "x2"),
        ["invalid-address"] * 2,
    ),
    ("auto", AS_PARTS + "and more", ["invalid-address", "rejection"]),
    ("auto", AS_PARTS.removesuffix("--\r\n"), ["rejection"]),
    (
        "auto",
        AS_PARTS.replace("Content-D", "Content-Type: text/plain\r\nContent-D"),
        ["invalid-address"],
    ),
    ("auto", {"email": "MAILTO:ann@x.no", "event": "complaint"}, ["spam-complaint"]),
    ("auto", 'email,event\n"=""ann@x.no""",complaint\n', ["spam-complaint"]),
    ("auto", ONE_CLICK, ["rejection"]),
    (
        "mailchimp",
        urlencode({"type": "cleaned", "fired_at": AT, "data[reason]": "hard", "data[email]": ANN}),
        ["invalid-address"],
    ),
    (
        "activecampaign",
        f"type=unsubscribe&date_time={AT}&contact%5Bemail%5D={ANN}&contact[tags]=a\n" * 2,
        ["unsubscribed"] * 2,
    ),
    ("activecampaign", "type=bounce&date_time=x&contact=1&contact[email]=a@b.no", ["rejection"]),
    # what loggers, queues and pipelines put around
    ("auto", [SES, SES], ["invalid-address"] * 2),
    ("auto", f"{dumps(SES)}\n{dumps(dumps('x'))}\n", ["invalid-address", "rejection"]),
    ("auto", {"requestContext": {}, "requestPayload": loads(SES)}, ["invalid-address"]),
    ("auto", f"Bounces of March\nemail,at,reason\n{ANN},{AT},{NO_USER}\n", ["rejection"]),
    ("auto", f"content\r\n{SES_IN_CSV}\r\n", ["invalid-address"]),
    ("auto", f"request: body\n{SES_IN_CSV}\n", ["invalid-address"]),
    ("auto", f'id;Headers;payload\n1;"{{}}";{SES_IN_CSV}\n2;;\n', ["invalid-address", "rejection"]),
    ("auto", {"one": "[1]", "two": "[2]"}, ["rejection"]),
    ("auto", {"log": SES, "stream": "stdout", "time": AT}, ["invalid-address"]),
    ("auto", {"_airbyte_raw_id": "r", "_airbyte_data": loads(SES)}, ["invalid-address"]),
    ("auto", {"type": "RECORD", "stream": "s", "record": loads(SES)}, ["invalid-address"]),
    ("auto", {"specversion": "1.0", "id": "1", "data": loads(SES)}, ["invalid-address"]),
    (
        "auto",
        {"message": {"data": SES_IN_BASE64, "publishTime": AT}, "subscription": "s"},
        ["invalid-address"],
    ),
    (
        "auto",
        {"Records": [{"kinesis": {"data": SES_IN_BASE64, "sequenceNumber": "1"}}]},
        ["invalid-address"],
    ),
    ("auto", {"body": SES_IN_BASE64, "headers": {}, "isBase64Encoded": True}, ["invalid-address"]),
    (
        "auto",
        {"body": urlencode({"email": ANN, "event": "bounce", "reason": NO_USER}), "headers": {}},
        ["invalid-address"],
    ),
    ("auto", {"body": "good day", "headers": {}}, ["rejection"]),
    (
        "auto",
        {"body": b64encode(urlencode(DROPPED).encode()).decode(), "isBase64Encoded": True}
        | {"headers": {}},
        ["invalid-address"],
    ),
    ("auto", {"Data": SES_IN_BASE64, "SequenceNumber": "1"}, ["invalid-address"]),
    (
        "auto",
        {"deliveryStreamArn": "a", "records": [{"recordId": "1", "data": SES_IN_BASE64}]},
        ["invalid-address"],
    ),
    ("auto", {"requestId": "1", "records": [{"data": SES_IN_BASE64}] * 2}, ["invalid-address"] * 2),
    (
        "auto",
        {
            "receivedMessages": [
                {"ackId": "a", "message": {"data": SES_IN_BASE64, "publishTime": AT}}
            ]
        },
        ["invalid-address"],
    ),
    ("auto", {"specversion": "1.0", "id": "1", "data_base64": SES_IN_BASE64}, ["invalid-address"]),
    ("auto", {"jsonPayload": loads(SES), "logName": "l", "insertId": "1"}, ["invalid-address"]),
    (
        "auto",
        {
            "eventSource": "aws:kafka",
            "records": {"t-0": [{"topic": "t", "partition": 0, "value": SES_IN_BASE64}]},
        },
        ["invalid-address"],
    ),
    ("auto", {"schema": {"type": "struct"}, "payload": loads(SES)}, ["invalid-address"]),
    (
        "auto",
        {"took": 1, "hits": {"total": 1, "hits": [{"_index": "i", "_source": loads(SES)}]}},
        ["invalid-address"],
    ),
    (
        "auto",
        {"total": 1, "data": [{"uuid": "u", "method": "POST", "content": SES, "headers": {}}]},
        ["invalid-address"],
    ),
    ("auto", {"data": {"headers": {"a": "b"}, "body": loads(SES)}}, ["invalid-address"]),
    ("auto", [{"json": loads(SES), "pairedItem": {"item": 0}}], ["invalid-address"]),
    ("auto", dumps(dumps(SES)), ["invalid-address"]),
    ("auto", {"type": "SCHEMA", "stream": "s", "schema": {}, "key_properties": []}, []),
    ("auto", {"type": "STATE", "value": {"bookmarks": {}}}, []),
    ("auto", {"preview": False, "result": {"_raw": SES, "_time": AT}}, ["invalid-address"]),
    # others have such keys, too
    (
        "auto",
        {"event": "hard_bounced", "email": ANN, "date": AT, "messageId": "m"},
        ["invalid-address"],
    ),
    (
        "auto",
        {"event": "spam_complaint", "email": ANN, "time": AT, "MessageID": "m"},
        ["spam-complaint"],
    ),
    ("auto", {"event": "opt_out", "email": ANN, "date": AT, "message-id": "m"}, ["unsubscribed"]),
    (
        "auto",
        {"type": "hard_bounce", "event_id": "e", "email": ANN, "timestamp": AT},
        ["invalid-address"],
    ),
    (
        "auto",
        {"event": "hard_bounce", "recipient": ANN, "timestamp": AT, "id": 1},
        ["invalid-address"],
    ),
    # a list of contacts is no list of who has left
    ("auto", f"email,created\n{ANN},{AT}\n", ["unsubscribed"]),
    ("auto", f"Email,Created\n{ANN},{AT}\n", ["rejection"]),
    ("auto", f"Address,Created At\n{ANN},{AT}\n", ["rejection"]),
    ("auto", "email,event\nann\0@x.no,complaint\n", ["rejection"]),
    (
        "auto",
        {"type": "RECORD", "record": {"stream": "s", "emitted_at": 1, "data": loads(SES)}},
        ["invalid-address"],
    ),
    (
        "auto",
        {"email": ANN, "event": "complaint", "time": {"$date": {"$numberLong": "1777716000000"}}},
        ["spam-complaint"],
    ),
    ("auto", f"Email address,Bounced at,Bounce type\n{ANN},{AT},Unheard of\n", ["rejection"]),
    ("auto", [{"EmailAddress": ANN, "SuppressionReason": "Bounced", "State": "x"}], ["rejection"]),
]


@pytest.mark.parametrize("case", SAVED, ids=map(str, range(len(SAVED))))
def test_a_document_as_it_was_saved(case: tuple[str, object, list[str]]) -> None:
    format_, document, expected = case
    events = [event for event in read(document, format_) if not isinstance(event, NoResponse)]
    found = ["rejection" if isinstance(each, Rejection) else in_short(each) for each in events]
    assert found == expected
