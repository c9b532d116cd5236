"""A sample of every event that Mailjet documents."""

from typing import Any

from helpers.samples.cases import (
    BLOCKED,
    COMPLAINT,
    FAILURE,
    INVALID,
    NO_USER,
    SAYS_NOTHING,
    TRANSIENT,
    UNKNOWN,
    Case,
)


def mailjet(event: str, error: str = "", **fields: Any) -> dict[str, Any]:
    related_to, _, name = error.partition("/")
    return {
        "event": event,
        "time": 1772359200,
        "MessageID": 19_421_777_835_146_490,
        "email": "kari@example.org",
        "error_related_to": related_to,
        "error": name,
        "comment": SAYS_NOTHING,
    } | fields


MAILJET: list[Case] = [
    (mailjet("bounce", "recipient/user unknown"), [INVALID]),
    (mailjet("bounce", "recipient/mailbox inactive"), [TRANSIENT]),
    (mailjet("bounce", "recipient/quota exceeded"), [TRANSIENT]),
    (mailjet("blocked", "recipient/blacklisted"), [f"{INVALID}/echo"]),
    (mailjet("blocked", "recipient/spam reporter"), [f"{COMPLAINT}/echo"]),
    (mailjet("bounce", "domain/invalid domain"), [INVALID]),
    (mailjet("bounce", "domain/no mail host"), [INVALID]),
    (mailjet("bounce", "domain/relay/access denied"), [BLOCKED]),
    (mailjet("bounce", "domain/greylisted"), [f"{FAILURE}/delayed"]),
    (mailjet("blocked", "domain/typofix"), [INVALID]),
    (mailjet("bounce", "spam/sender blocked"), [BLOCKED]),
    (mailjet("blocked", "spam/content blocked"), [BLOCKED]),
    (mailjet("bounce", "spam/policy issue"), [BLOCKED]),
    (mailjet("blocked", "mailjet/preblocked"), [f"{INVALID}/echo"]),
    (mailjet("blocked", "mailjet/duplicate in campaign"), []),
    (mailjet("bounce", "system/system issue"), [FAILURE]),
    (mailjet("bounce", "system/protocol issue"), [FAILURE]),
    (mailjet("bounce", "system/connection issue"), [FAILURE]),
    (mailjet("blocked", "content/error in template language"), [BLOCKED]),
    (mailjet("bounce", "recipient/teleported", hard_bounce=True), [UNKNOWN]),
    (mailjet("bounce", "recipient/teleported", comment=NO_USER), [INVALID]),
    (mailjet("spam", source="JMRPP"), [COMPLAINT]),
    (mailjet("sent", smtp_reply="250 OK"), ["delivered"]),
    (mailjet("open"), ["opened"]),
    (mailjet("open", agent="Mozilla/5.0"), ["opened by machine"]),
    (mailjet("open", agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), ["opened"]),
    (mailjet("click"), ["clicked"]),
    (mailjet("unsub"), ["unsubscribed"]),
    (mailjet("teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]
