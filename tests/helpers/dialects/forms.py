"""What several dialects of bounces share: addresses, categories, and texts to fill in."""

from helpers.mails import mail

# a mail, and the recipients with their categories that must be found in it
Dialects = dict[str, tuple[bytes, list[tuple[str, str]]]]

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
