"""Bounces as the programs write them that people run as their own mail servers."""

from helpers.dialects.forms import (
    BLOCKED,
    INVALID,
    KARI,
    NETWORK,
    OLA,
    RETURNED,
    TRANSIENT,
    UNKNOWN,
    Dialects,
    exim,
    plain,
    qmail,
    sendmail5,
)
from helpers.mails import dsn, mail, multipart

MAIL_SERVERS: Dialects = {
    "postfix": (dsn(), [(KARI, INVALID)]),
    "postfix-two-recipients": (
        multipart(
            ("text/plain", "The mail system"),
            (
                "message/delivery-status",
                "Reporting-MTA: dns; a.example\n\n"
                f"Final-Recipient: rfc822; {KARI}\nAction: failed\nStatus: 5.2.1\n"
                "Diagnostic-Code: smtp; 550 5.2.1\n <kari@example.org>... User Unknown\n\n"
                f"Final-Recipient: rfc822; {OLA}\nAction: failed\nStatus: 5.2.2\n"
                "Diagnostic-Code: smtp; 552 5.2.2 Mailbox Full\n",
            ),
        ),
        [(KARI, INVALID), (OLA, TRANSIENT)],
    ),
    "postfix-connection-timed-out": (
        dsn(
            status="4.4.1",
            diagnostic="X-Postfix; connect to mx[192.0.2.1]:25: Connection timed out",
        ),
        [(KARI, NETWORK)],
    ),
    "postfix-temporarily-suspended-delivery": (
        dsn(
            status="4.4.1",
            diagnostic="X-Postfix; delivery temporarily suspended: connect to mx: No route to host",
        ),
        [(KARI, NETWORK)],
    ),
    "postfix-loops": (
        dsn(status="5.4.6", diagnostic="X-Postfix; mail for example.org loops back to myself"),
        [(KARI, NETWORK)],
    ),
    "postfix-host-not-found": (
        dsn(
            status="5.4.4",
            diagnostic="X-Postfix; Host or domain name not found. Name service error for "
            "name=example.org type=A: Host not found",
        ),
        [(KARI, INVALID)],
    ),
    "postfix-plain-dsn-in-the-body": (
        mail(
            "This is the mail system at host mx.example.net.\n\n"
            f"<{KARI}>: host mx.example.org said: 552 5.2.2 over quota\n\n"
            f"Final-Recipient: rfc822; {KARI}\nOriginal-Recipient: rfc822;{KARI}\n"
            "Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 over quota\n\n"
            + RETURNED
        ),
        [(KARI, TRANSIENT)],
    ),
    "report-without-recipient-fields": (
        multipart(
            ("text/plain", "--- Delivery report unavailable ---"),
            ("message/delivery-status", ""),
            ("message/rfc822", RETURNED),
        ),
        [(KARI, UNKNOWN)],
    ),
    "exim": (
        exim(
            KARI,
            "  SMTP error from remote mail server after RCPT TO:<kari@example.org>:",
            "  host mx.example.org [192.0.2.1]: 550 5.1.1 <kari@example.org>... User Unknown",
            x_failed_recipients=KARI,
        ),
        [(KARI, INVALID)],
    ),
    "exim-two": (
        exim(
            KARI,
            "  host mx.example.org [192.0.2.1]: 550 5.7.1 Your message was rejected as spam",
            OLA,
            "  mailbox is full: retry timeout exceeded",
            x_failed_recipients=f"{KARI},\n  {OLA}",
        ),
        [(KARI, BLOCKED), (OLA, TRANSIENT)],
    ),
    "exim-header-alone": (
        exim("save to inbox", "  mailbox is full", x_failed_recipients=KARI),
        [(KARI, TRANSIENT)],
    ),
    "exim-unrouteable": (exim(KARI, "  Unrouteable address"), [(KARI, INVALID)]),
    "exim-retry-timeout": (exim(KARI, "  retry timeout exceeded"), [(KARI, NETWORK)]),
    "exim-sender-verify": (
        exim(KARI, "  host mx [192.0.2.1]: 550 Sender verify failed"),
        [(KARI, BLOCKED)],
    ),
    "qmail": (
        qmail(
            f"<{KARI}>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 550 5.1.1 No such user here\nGiving up on 192.0.2.1.",
            f"<{OLA}>:\nSorry, I couldn't find any host named example.com. (#5.1.2)",
        ),
        [(KARI, INVALID), (OLA, INVALID)],
    ),
    "qmail-to-ourselves": (
        mail(
            "Hi. This is the qmail-send program at sender.example.\n\n"
            "<news@sender.example>:\nRemote host said: 552 disk quota exceeded\n",
            subject="failure notice",
        ),
        [("news@sender.example", TRANSIENT)],
    ),
    "sendmail": (
        dsn(
            status="5.1.1",
            diagnostic="SMTP; 550 5.7.1 IP address blacklisted by recipient",
            said="   ----- The following addresses had permanent fatal errors -----\n"
            "<kari@example.org>\n    (reason: 550 5.7.1 IP address blacklisted by recipient)\n"
            "550 5.1.1 <kari@example.org>... User unknown",
        ),
        [(KARI, BLOCKED)],
    ),
    "sendmail-mailer-error": (
        dsn(
            status="5.0.0",
            diagnostic="X-Unix; 255",
            said=f'"|/usr/local/bin/filter"\n (reason: 255)\n (expanded from: <{KARI}>)\n'
            "554 5.3.0 unknown mailer error 255",
        ),
        [(KARI, NETWORK)],
    ),
    "sendmail-old": (
        sendmail5(
            "550 example.org (smtp)... 550 Host unknown",
            f"554 <{KARI}>... 550 Host unknown (Authoritative answer from name server)",
            "While talking to mx.example.com:",
            ">>> MAIL From:<news@sender.example>",
            "<<< 501 no access from mail server [192.0.2.55] which is an open relay.",
            f"554 <{OLA}>... Remote protocol error",
        ),
        [(KARI, INVALID), (OLA, BLOCKED)],
    ),
    "sendmail-old-without-address": (
        sendmail5("421 example.org (smtp)... Deferred: Connection timed out during user open"),
        [(KARI, NETWORK)],
    ),
    "exchange-2003": (
        plain(
            "Your message\n\n  To:      Kari\n  Subject: spring sale\n\n"
            f"did not reach the following recipient(s):\n\n{KARI} on Tue, 3 Mar 2026 10:15:00\n"
            "    The recipient name is not recognized\n"
            "    MSEXCH:IMS:EXAMPLE:EXCHANGE 0 (000C05A6) Unknown Recipient",
            sender="System Administrator <postmaster@example.org>",
            subject="Undeliverable: spring sale",
        ),
        [(KARI, INVALID)],
    ),
    "exchange-diagnostic-section": (
        plain(
            f"Delivery has failed to these recipients or groups:\n\n{KARI}<mailto:{KARI}>\n"
            "Your message can't be delivered.\n\nDiagnostic information for administrators:\n"
            f"Generating server: mx.example.org\n\n{KARI}\n"
            "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n"
            + RETURNED,
            sender="Microsoft Exchange <postmaster@example.org>",
            subject="Undeliverable: Vacation pictures",
        ),
        [(KARI, INVALID)],
    ),
    "exchange-restricted": (
        dsn(
            status="5.7.1",
            diagnostic="smtp;550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized",
        ),
        [(KARI, BLOCKED)],
    ),
    "courier": (
        plain(
            "UNDELIVERABLE MAIL\n\nYour message to these recipients cannot be delivered:\n\n"
            f"<{KARI}>:\n<<< No such domain.\n",
            sender="postmaster@example.net",
            subject="NOTICE: mail delivery status.",
        ),
        [(KARI, INVALID)],
    ),
    "opensmtpd": (
        plain(
            "    Hi!\n\n    An error has occurred while attempting to deliver a message for\n"
            f"    the following list of recipients:\n\n{KARI}: 550 5.1.1 User Unknown\n"
            f"{OLA}: Envelope expired\n\n    Below is a copy of the original message:\n\n{RETURNED}"
        ),
        [(KARI, INVALID), (OLA, NETWORK)],
    ),
    "dragonfly": (
        plain(
            "This is the DragonFly Mail Agent v0.13 at df.example.net.\n\n"
            f"There was an error delivering your mail to <{KARI}>.\n\n"
            "mx.example.org [192.0.2.25] did not like our RCPT TO:\n525 5.7.13 Disabled recipient "
            f"address\n\nMessage headers follow.\n\n{RETURNED}",
            sender="MAILER-DAEMON <>",
        ),
        [(KARI, TRANSIENT)],
    ),
    "domino": (
        dsn(
            status="5.0.0",
            diagnostic="X-Notes; User kari (kari@example.org) not listed in Domino Directory",
        ),
        [(KARI, INVALID)],
    ),
    "notes": (
        plain(
            "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\n"
            f"{KARI}\n\n------- Returned Message --------\n\n{RETURNED}",
            sender="postmaster@notes.example",
        ),
        [(KARI, INVALID)],
    ),
    "mdaemon": (
        plain(
            "The following data may contain sections which represent BASE64 encoded attachments.\n"
            f"Failed address: {KARI}\n--- Session Transcript ---\n<-- 550 Unknown user\n",
            sender="MDaemon at mx.example.net <MDaemon@mx.example.net>",
        ),
        [(KARI, INVALID)],
    ),
    "imail": (
        plain(
            f"User mailbox exceeds allowed size: {KARI}\n\nOriginal message follows.\n{RETURNED}"
        ),
        [(KARI, TRANSIENT)],
    ),
    "imail-attempts": (
        plain(f"Delivery failed 20 attempts: {KARI}\n\nOriginal message follows.\n{RETURNED}"),
        [(KARI, NETWORK)],
    ),
}
