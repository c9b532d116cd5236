"""Replies of mail servers, each in a bounce of one of five other servers.

A line of the files of mail_replies/: the categories that are right, joined by |, the SMTP command
that was refused (R: RCPT, D: DATA, M: MAIL, C: the connection, -: none) and the reply. `{rcpt}` is
the recipient.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from helpers.mail_kinds import OWN, KindOfMail, kind_of_mail

FOLDER = Path(__file__).parent / "mail_replies"
_RECIPIENTS = (
    "kari@example.org",
    "jens.olsen@example.com",
    "m-berg@example.net",
    "ola@sub.example.org",
    "info@firma.example",
)
_STATUS = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
_COPY = f"Return-Path: <{OWN}>\nFrom: Shop <{OWN}>\nTo: {{rcpt}}\nSubject: Autumn\n\nHello\n"

POSTFIX = """From: MAILER-DAEMON@mx4.example.net (Mail Delivery System)

This is the mail system at host mx4.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

                   The mail system

<{rcpt}>: host mx.example.org[192.0.2.7] {said}

~~~ failed {status} smtp; {reply}
~~~ returned
"""
EXIM = f"""From: Mail Delivery System <Mailer-Daemon@exim.example.net>
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: {{rcpt}}

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {{rcpt}}
    host mx.example.org [192.0.2.7]
    SMTP error from remote mail server after {{said}}:
    {{reply}}

------ This is a copy of the message, including all the headers. ------

{_COPY}"""
QMAIL = f"""From: MAILER-DAEMON@qmail.example.net
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{{rcpt}}>:
{{said}}
Remote host said: {{reply}}
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

{_COPY}"""
SENDMAIL = """From: Mail Delivery Subsystem <MAILER-DAEMON@sm.example.net>
Subject: Returned mail: see transcript for details

The original message was received at Tue, 3 Nov 2026 08:59:59 +0100
from localhost [127.0.0.1]

   ----- The following addresses had permanent fatal errors -----
<{rcpt}>
    (reason: {reply})

   ----- Transcript of session follows -----
... while talking to mx.example.org.:
>>> {said}
<<< {reply}
554 5.0.0 Service unavailable

~~~ failed {status} SMTP; {reply}
~~~ returned
"""
EXCHANGE = """From: Postmaster <postmaster@ex.example.net>
Subject: Undeliverable: Autumn

Delivery has failed to these recipients or groups:

{rcpt}

Diagnostic information for administrators:

Generating server: ex.example.net

{rcpt}
mx.example.org
Remote Server returned '{reply}'

~~~ failed {status} smtp;{reply}
~~~ returned
"""
LOCAL = """From: Mail Delivery System <mailer-daemon@mx4.example.net>

Your message could not be delivered:

<{rcpt}>: {reply}

~~~ failed {status} x-local; {reply}
~~~ returned
"""
_SAID = {
    POSTFIX: {
        "R": "said: {reply} (in reply to RCPT TO command)",
        "D": "said: {reply} (in reply to end of DATA command)",
        "M": "said: {reply} (in reply to MAIL FROM command)",
        "C": "refused to talk to me: {reply}",
    },
    EXIM: {
        "R": "RCPT TO:<{rcpt}>",
        "D": "end of data",
        "M": f"MAIL FROM:<{OWN}>",
        "C": "initial connection",
    },
    QMAIL: {
        "R": "192.0.2.7 does not like recipient.",
        "D": "192.0.2.7 failed after I sent the message.",
        "M": "Connected to 192.0.2.7 but sender was rejected.",
        "C": "Connected to 192.0.2.7 but my name was rejected.",
    },
    SENDMAIL: {
        "R": "RCPT To:<{rcpt}>",
        "D": "DATA",
        "M": f"MAIL From:<{OWN}>",
        "C": "EHLO sm.example.net",
    },
}
_DIALECTS = (POSTFIX, EXIM, QMAIL, SENDMAIL, EXCHANGE)


def mails_of_replies() -> dict[str, KindOfMail]:
    """Every reply of every file in a bounce, by `file/line reply`."""
    return dict(_each_mail())


def _each_mail() -> Iterator[tuple[str, KindOfMail]]:
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            categories, command, reply = line.split(" ", 2)
            recipient = _RECIPIENTS[number % len(_RECIPIENTS)]
            said = _bounce(number, command, reply.replace("{rcpt}", recipient), recipient)
            name = f"{path.stem}/{number} {reply[:60]}"
            yield name, kind_of_mail(name, f"! {recipient} {categories}\n{said}")


def _bounce(number: int, command: str, reply: str, recipient: str) -> str:
    """In turn of five servers; of the sender's own one where no server replied."""
    is_reply = reply[:3].isdecimal()
    dialect = _DIALECTS[number % len(_DIALECTS)] if is_reply else LOCAL
    found = _STATUS.search(reply)
    status = found[0] if found else f"{reply[0] if is_reply else 5}.0.0"
    said = _SAID.get(dialect, {}).get("R" if command == "-" else command, "")
    said = said.replace("{reply}", reply).replace("{rcpt}", recipient)
    values = {"said": said, "status": status, "reply": reply, "rcpt": recipient}
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], dialect)
