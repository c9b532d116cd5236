"""Bounces in the dialects of many mail servers, in words of these tests."""

import pytest

from helpers.mails import DATE, dsn, mail, multipart, responses

KARI, OLA = "kari@example.org", "ola@example.com"
INVALID, TRANSIENT, BLOCKED = "invalid-address", "transient", "blocked"
NETWORK, UNKNOWN = "communication-failure", "unknown"

RETURNED = (
    "Return-Path: <news@sender.example>\nFrom: News <news@sender.example>\n"
    f"To: {KARI}\nSubject: spring sale\n\nBuy now, spam virus blocked user unknown"
)


def exim(*lines: str, **fields: str) -> bytes:
    """Exim's text: each recipient with its reason below."""
    text = "\n".join(f"  {line}" for line in lines)
    return mail(
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        f"recipients. This is a permanent error. The following address(es) failed:\n\n{text}\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{RETURNED}",
        subject="Mail delivery failed: returning message to sender",
        **fields,
    )


def qmail(*entries: str) -> bytes:
    """qmail-send's text."""
    return mail(
        "Hi. This is the qmail-send program at mx.example.net.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        + "\n\n".join(entries)
        + f"\n\n--- Below this line is a copy of the message.\n\n{RETURNED}",
        subject="failure notice",
    )


def sendmail5(*transcript: str) -> bytes:
    """The transcript of old sendmail: the reason stands before the address."""
    return mail(
        "   ----- Transcript of session follows -----\n"
        + "\n".join(transcript)
        + f"\n\n   ----- Unsent message follows -----\n{RETURNED}",
        subject="Returned mail: User unknown",
    )


def plain(text: str, **fields: str) -> bytes:
    """A bounce in prose."""
    return mail(text, **{"subject": "Undeliverable message", **fields})


DIALECTS: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
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
    "office365": (
        dsn(
            status="5.1.10", diagnostic="smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"
        ),
        [(KARI, INVALID)],
    ),
    "office365-expired": (
        dsn(status="5.4.316", diagnostic="smtp;550 5.4.316 Message expired, connection refused"),
        [(KARI, NETWORK)],
    ),
    "office365-unknown-at-the-edge": (
        dsn(
            status="5.4.1",
            diagnostic="smtp;550 5.4.1 [k@example.org]: Recipient address rejected: Access denied",
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
    "gmail": (
        plain(
            f"Delivery to the following recipient failed permanently:\n\n     {KARI}\n\n"
            "Technical details of permanent failure:\nThe error that the server returned was:\n"
            "550 5.2.2 <kari@example.org>... Mailbox Full\n\n----- Original message -----\n\n"
            + RETURNED,
            x_failed_recipients=KARI,
        ),
        [(KARI, TRANSIENT)],
    ),
    "gmail-no-such-user": (
        dsn(
            diagnostic="smtp; 550-5.1.1 The email account that you tried to reach does\n"
            " 550-5.1.1 not exist. Please try double-checking the recipient's email address",
        ),
        [(KARI, INVALID)],
    ),
    "gmail-null-mx-for-now": (
        dsn(status="4.0.0", diagnostic="smtp; The domain doesn't receive email: returned Null MX"),
        [(KARI, NETWORK)],
    ),
    "google-groups": (
        plain(
            "Hola, news@sender.example:\n\nQueremos informarte de que el grupo (cats) quizás no "
            "exista.\nCentro de ayuda: https://groups.google.com/support/\n",
            x_failed_recipients="cats@googlegroups.example",
        ),
        [("cats@googlegroups.example", BLOCKED)],
    ),
    "yahoo": (
        plain(
            "Sorry, we were unable to deliver your message to the following address.\n\n"
            f"<{KARI}>:\n554: delivery error: dd This user doesn't have an example.org account\n\n"
            f"--- Below this line is a copy of the message.\n\n{RETURNED}"
        ),
        [(KARI, INVALID)],
    ),
    "icloud": (
        multipart(
            ("text/plain", f"Your message cannot be delivered:\n  Recipient address: {KARI}"),
            (
                "message/delivery-status",
                f"Original-recipient: rfc822;{KARI}\nFinal-recipient: rfc822;{KARI}\n"
                "Action: failed\nStatus: 4.2.2 (Over quota)\n",
            ),
        ),
        [(KARI, TRANSIENT)],
    ),
    "gmx": (
        plain(
            "A message that you sent could not be delivered. The following address failed:\n\n"
            f'"{KARI}":\nSMTP error from remote server after RCPT command:\nhost: mx.example.org\n'
            f"5.1.1 <{KARI}>... User Unknown\n\n"
            f"--- The header of the original message is following. ---\n{RETURNED}"
        ),
        [(KARI, INVALID)],
    ),
    "zoho": (
        plain(
            "This message was created automatically by mail delivery software.\n"
            f"{KARI} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.2.2 <{KARI}>... Mailbox Full\n"
            f"{OLA} Error, ERROR_CODE :421, ERROR_CODE :, Host not reachable.\n\n{RETURNED}"
        ),
        [(KARI, TRANSIENT), (OLA, NETWORK)],
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
    "mcafee": (
        plain(
            "Delivery failed to the following recipients.\n"
            f"--- The following addresses had delivery problems ---\n\n<{KARI}>   (User unknown)\n",
            subject="Delivery Status",
        ),
        [(KARI, INVALID)],
    ),
    "mailmarshal": (
        plain(
            "Your message:\n   From:    news@sender.example\n   Subject: spring sale\n\n"
            "Could not be delivered because of\n\n550 5.1.1 User unknown\n\n"
            f"The following recipients were affected:\n    {KARI}\n\nAdditional Information\n",
            sender="MailMarshal@mx.example.net",
            subject="Undeliverable Mail",
        ),
        [(KARI, INVALID)],
    ),
    "interscan": (
        plain(
            f"Sent <<< RCPT TO:<{KARI}>\nReceived >>> 550 5.1.1 <{KARI}>... user unknown\n",
            sender='"InterScan MSS" <postmaster@mx.example.net>',
            subject="Mail delivery failed",
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
    "surfcontrol": (
        plain(
            "Your message could not be sent.\nThe number of attempts made: 1\n"
            f"Failed to send to identified host,\n{KARI}: [192.0.2.5], 550 {KARI}... No such user\n"
        ),
        [(KARI, INVALID)],
    ),
    "t-online": (
        plain(
            "|------------------------- Message log follows: -------------------------|\n"
            " no valid recipients were found for this message\n"
            "|------------------------- Failed addresses follow: ---------------------|\n"
            f" <{KARI}> ... transport smtp: 550 5.2.2 mailbox full\n"
            "|------------------------- Message text follows: ------------------------|\n"
            + RETURNED,
        ),
        [(KARI, TRANSIENT)],
    ),
    "kddi": (
        plain(
            "Your mail sent on: Tue, 3 Mar 2026 10:15:00 +0900\n"
            f"     Could not be delivered to: <{KARI}>\n     As their mailbox is full.\n",
            sender="Postmaster@mobile.example",
            subject="Mail System Error - Returned Mail",
        ),
        [(KARI, TRANSIENT)],
    ),
    "mobile-gateway": (
        plain(
            "Error: Invalid user address\n\nError message:\n550 - Requested action not taken: "
            f"no such user here\n\n  MAIL FROM: news@sender.example\n  RCPT TO: {KARI}\n",
            sender="post_master@mobile.example",
            subject="Re:spring sale",
        ),
        [(KARI, INVALID)],
    ),
    "mail-filter-japanese": (
        plain(
            f"このメールは送信できませんでした。\n\n{KARI}\n\n-------server message\n"
            "550 unknown user\n-------SMTP command\nRCPT\n-------original message\n" + RETURNED,
            subject="failure notice",
        ),
        [(KARI, INVALID)],
    ),
    "all-in-one-sentence": (
        plain(
            "We had trouble delivering your message. Full details follow:\n\n1 error(s):\n\n"
            f"SMTP Server <mx.example.org> rejected recipient <{KARI}> (Error following RCPT "
            "command). It responded as follows: [550 5.1.1 User unknown]",
            sender="mailer-daemon",
        ),
        [(KARI, INVALID)],
    ),
    "returned-mail-without-a-line-before": (
        plain(
            f"Your mail could not be delivered.\n\n{KARI}: 550 No such user\n\nFrom: News\n"
            f"To: {KARI}\n  {OLA}\nDate: {DATE}\nSubject: spring sale\n\n{OLA}: mailbox full"
        ),
        [(KARI, INVALID)],
    ),
    "command-before-other-mentions": (
        plain(
            f"A report for {OLA} about mail that could not be delivered.\n"
            f"Sent <<< RCPT TO:<{KARI}>\nReceived >>> 550 5.1.1 user unknown\n"
        ),
        [(KARI, INVALID)],
    ),
    "html-alone": (
        plain(
            "<html><head><style>p {color: red}</style></head><body><p>Delivery failed:</p>"
            f"<p>&lt;{KARI}&gt;:<br>550 5.1.1 user unknown</p></body></html>",
            content_type="text/html; charset=utf-8",
        ),
        [(KARI, INVALID)],
    ),
    "html-beside-an-empty-text": (
        plain(
            "--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/html\n\n<p>Delivery failed"
            f"</p><br>{KARI}<br>mailbox is full\n--b--\n",
            content_type="multipart/alternative; boundary=b",
        ),
        [(KARI, TRANSIENT)],
    ),
    "facebook-preferences": (
        dsn(diagnostic="smtp; 550 5.1.1 RCP-P2 Refused due to recipient preferences"),
        [(KARI, BLOCKED)],
    ),
    "german": (
        plain(
            "Die folgende Nachricht konnte nicht zugestellt werden:\n\n"
            f"<{KARI}>\nDas Postfach ist voll.\n",
            sender="Postmaster <postmaster@example.org>",
            subject="Unzustellbar: Frühling",
        ),
        [(KARI, TRANSIENT)],
    ),
    "french": (
        plain(
            f"Votre message n'a pas pu être remis à :\n\n{KARI}\nAdresse inconnue\n",
            sender="postmaster@example.org",
            subject="Non remis : soldes",
        ),
        [(KARI, INVALID)],
    ),
    "spanish": (
        plain(
            f"No se pudo entregar su mensaje a:\n\n{KARI}\nEl buzón está lleno\nbuzón lleno\n",
            sender="postmaster@example.org",
            subject="No se puede entregar: rebajas",
        ),
        [(KARI, TRANSIENT)],
    ),
    "russian": (
        plain(f"Ваше письмо не может быть доставлено:\n\n{KARI}\nпользователь не найден\n"),
        [(KARI, INVALID)],
    ),
    "chinese": (
        plain(f"无法投递到:\n\n{KARI}\n550 邮箱不存在\n", subject="系统退信"),
        [(KARI, INVALID)],
    ),
}


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("name", DIALECTS)
def test_dialect(name: str, line_end: bytes) -> None:
    raw, expected = DIALECTS[name]

    found = responses(raw.replace(b"\n", line_end))

    assert [(one.recipient, one.category.value) for one in found] == expected


DELAYS = {
    "typed": dsn(action="delayed", status="4.4.1", diagnostic="smtp; connect: No route to host"),
    "typed-capitals": dsn(action="Delayed", status="4.4.0 (other)", diagnostic=""),
    "gmail": plain(
        "THIS IS A WARNING MESSAGE ONLY.\n\nDelivery to the following recipient has been delayed:"
        f"\n\n     {KARI}\n\nMessage will be retried for 2 more day(s)\n",
        subject="Delivery Status Notification (Delay)",
    ),
    "exim": plain(
        "A message that you sent has not yet been delivered to one or more of its recipients\n"
        f"The address to which the message has not yet been delivered is:\n\n  {KARI}\n"
        "    Delay reason: connection timed out\n",
        subject="Warning: message 1abc delayed 24 hours",
    ),
    "opensmtpd": plain(
        f"A message is delayed for more than 10 minutes:\n\n{KARI}: Network error on destination "
        "MXs\n\nPlease note that this is only a temporary failure report.\n",
    ),
}


@pytest.mark.parametrize("name", DELAYS)
def test_delay_is_recorded_and_not_counted(name: str) -> None:
    (found,) = responses(DELAYS[name])

    assert (found.recipient, found.category.value) == (KARI, NETWORK)
    assert (found.counts, found.not_counted) == (False, "delayed")
