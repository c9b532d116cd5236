"""Bounces in prose and in HTML, and in other languages than English."""

from helpers.dialects.forms import INVALID, KARI, OLA, TRANSIENT, Dialects, plain
from helpers.mails import DATE

PROSE: Dialects = {
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
