"""Bounces as filters write them that stand before a mail server."""

from helpers.dialects.forms import INVALID, KARI, RETURNED, Dialects, plain

MAIL_FILTERS: Dialects = {
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
    "surfcontrol": (
        plain(
            "Your message could not be sent.\nThe number of attempts made: 1\n"
            f"Failed to send to identified host,\n{KARI}: [192.0.2.5], 550 {KARI}... No such user\n"
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
}
