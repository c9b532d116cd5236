"""A bounce as a mail, and responses as JSON lines."""

import json
from typing import Any

BOUNCE = """From: MAILER-DAEMON@mx.example.net
To: sender@example.com
Subject: Undelivered Mail Returned to Sender
Date: Mon, 1 Jun 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your message.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown
--b--
"""


def event(email: str, category: str = "transient", **values: Any) -> dict[str, Any]:
    return {"email": email, "category": category, "occurred_at": "2026-06-10T00:00:00Z"} | values


def jsonl(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in events)
