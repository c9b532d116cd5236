"""Gmail's reports: a title, a sentence, the server's answer; typed and as text alone."""

from helpers.dialects.forms import BLOCKED, INVALID, KARI, NETWORK, TRANSIENT
from helpers.mails import mail, multipart
from helpers.sample_mails import Expected

# title, sentence, the server's answer, status, category
FAILURES = {
    "address": (
        "Address not found",
        "Your message wasn't delivered to {} because the address couldn't be found, or is unable "
        "to receive mail.",
        "550 5.1.1 The email account that you tried to reach does not exist.",
        "5.1.1",
        INVALID,
    ),
    "address-german": (
        "Adresse nicht gefunden",
        "Ihre Nachricht wurde nicht an {} zugestellt, weil die Adresse nicht gefunden wurde.",
        "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser",
        "5.1.1",
        INVALID,
    ),
    "address-french": (
        "Adresse introuvable",
        "Votre message n'a pas été remis à {}, car l'adresse est introuvable.",
        "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser",
        "5.1.1",
        INVALID,
    ),
    "address-japanese": (
        "アドレス不明",
        "アドレスが見つからないため、メールは {} に配信されませんでした。",
        "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser",
        "5.1.1",
        INVALID,
    ),
    "blocked": (
        "Message blocked",
        "Your message to {} has been blocked. See technical details below.",
        "550 5.7.1 [192.0.2.1] Gmail has detected that this message is likely suspicious due to "
        "the very low reputation of the sending IP address.",
        "5.7.1",
        BLOCKED,
    ),
    "unauthenticated": (
        "Message blocked",
        "Your message to {} has been blocked.",
        "550 5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail "
        "requires all senders to authenticate with either SPF or DKIM.",
        "5.7.26",
        BLOCKED,
    ),
    "full": (
        "Recipient inbox full",
        "Your message couldn't be delivered to {}. Their inbox is full, or it's getting too much "
        "mail right now.",
        "552 5.2.2 The recipient's inbox is out of storage space.",
        "5.2.2",
        TRANSIENT,
    ),
    "large": (
        "Message too large",
        "Your message couldn't be delivered to {} because it exceeds the size limit.",
        "552 5.3.4 Message size exceeds fixed limit",
        "5.3.4",
        TRANSIENT,
    ),
    "no-connection": (
        "Message not delivered",
        "There was a problem delivering your message to {}. See the technical details below.",
        "The recipient server did not accept our requests to connect. [192.0.2.9: timed out]",
        "4.4.1",
        NETWORK,
    ),
    "tls": (
        "Message not delivered",
        "Your message couldn't be delivered to {} because the remote server is misconfigured.",
        "TLS Negotiation failed: FAILED_PRECONDITION: starttls error (71)",
        "4.4.2",
        NETWORK,
    ),
}
DELAY = (
    "Delivery incomplete",
    "There was a temporary problem delivering your message to {}. Gmail will retry for 47 more "
    "hours. You'll be notified if the delivery fails permanently.",
    "The recipient server did not accept our requests to connect.",
    "4.4.1",
    NETWORK,
)
SENDER = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
RETURNED = f"From: News <news@sender.example>\nTo: Kari <{KARI}>\nSubject: spring sale\n"


def _report(
    title: str, sentence: str, answer: str, status: str, action: str
) -> tuple[bytes, bytes]:
    sentence = sentence.format(KARI)
    text = f"\n** {title} **\n\n{sentence}\n\nThe response was:\n\n{answer}\n"
    html = f"<html><body><h2>{title}</h2>{sentence}<p>The response was:</p>{answer}</body></html>"
    both = (
        f"--alt\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"--alt\nContent-Type: text/html; charset=utf-8\n\n{html}\n--alt--\n"
    )
    fields = (
        "Reporting-MTA: dns; googlemail.com\n\n"
        f"Final-Recipient: rfc822; {KARI}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {answer}\nLast-Attempt-Date: Tue, 03 Mar 2026 01:15:01 -0800\n"
    )
    word, failed = ("Delay", "") if action == "delayed" else ("Failure", KARI)
    subject = f"Delivery Status Notification ({word})"
    typed = multipart(
        ('multipart/alternative; boundary="alt"', both),
        ("message/delivery-status", fields),
        ("message/rfc822", f"{RETURNED}\nhello"),
        sender=SENDER,
        subject=subject,
        x_failed_recipients=failed,
    )
    untyped = mail(
        f"{text}\n----- Original message -----\n\n{RETURNED}",
        sender=SENDER,
        subject=subject,
        x_failed_recipients=failed,
    )
    return typed, untyped


def _samples() -> dict[str, tuple[bytes, Expected]]:
    found: dict[str, tuple[bytes, Expected]] = {}
    for name, (*words, category) in (*FAILURES.items(), ("delay", DELAY)):
        is_delay = name == "delay"
        typed, untyped = _report(*words, "delayed" if is_delay else "failed")
        found[f"google-{name}-typed"] = (typed, [(KARI, category, not is_delay)])
        found[f"google-{name}-untyped"] = (untyped, [(KARI, category, not is_delay)])
    return found


GOOGLE = _samples()
