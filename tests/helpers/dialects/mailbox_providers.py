"""Bounces as large mailbox providers and mobile operators write them."""

from helpers.dialects.forms import (
    BLOCKED,
    INVALID,
    KARI,
    NETWORK,
    OLA,
    RETURNED,
    TRANSIENT,
    Dialects,
    plain,
)
from helpers.mails import dsn, multipart

MAILBOX_PROVIDERS: Dialects = {
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
    "facebook-preferences": (
        dsn(diagnostic="smtp; 550 5.1.1 RCP-P2 Refused due to recipient preferences"),
        [(KARI, BLOCKED)],
    ),
}
