"""Email responses: the categories, and what a reader returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Category(StrEnum):
    """Response categories, by who has the problem and whether it is temporary."""

    INVALID_ADDRESS = "invalid-address"
    SPAM_COMPLAINT = "spam-complaint"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    COMMUNICATION_FAILURE = "communication-failure"
    BLOCKED = "blocked"


# why a response on record does not count; `discarded`: it was held, and somebody decided against it
FORMER_ADDRESS = "former-address"  # it came back from an address that the contact had before
NOT_COUNTED = (
    *("auto-reply", "channel", "delayed", "discarded", "echo", FORMER_ADDRESS, "own-refusal"),
    *("sender-side", "unrecognised-event"),
)
# what a person wishes: recorded like responses, and no category of thresholds
UNSUBSCRIBED = "unsubscribed"
RESUBSCRIBED = "resubscribed"
WISHES = (UNSUBSCRIBED, RESUBSCRIBED)


class ActivityKind(StrEnum):
    """Signs of life that are not responses; each updates one date of the contact."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"


_SENDER_BY_DOMAIN = {"amazonses.com": "ses", "mtasv.net": "postmark"}


def mail_name(id_: str, sender: str) -> str:
    """A mail by its Message-ID (RFC 5322, 3.6.4), which is the same in a bounce and in an event of
    any sender; else by the id that one `sender` has for it. "" for no id.

    Amazon SES and Postmark write their own ids into the Message-ID, before a domain of theirs.
    """
    id_ = id_.strip("<> ")
    local, at, domain = id_.rpartition("@")
    for known, its_sender in _SENDER_BY_DOMAIN.items():
        if domain.endswith(known):
            return f"{its_sender}:{local}"
    return id_ if at or not id_ else f"{sender}:{id_}"


# Responses and activities are not frozen: there are millions, and making a frozen one takes three
# times as long. Nobody changes them.
@dataclass(slots=True)
class Response:
    """One email response to one recipient.

    `source_key` identifies the event (a provider's id, or a digest of the content), so that the
    same event read twice is recorded once. `occurred_at` is aware UTC, None if the source does
    not say. `counts` is False for delays, echoes of earlier responses and unrecognised events;
    `not_counted` then says why (NOT_COUNTED). `host` is the receiving server's name as domain.urls
    shortens it, if the source names it. `evidence` is the kind of evidence that decided the
    category (`reply`, `status`), `outranked` what weaker pieces said; both are empty where an
    event's type decides.
    `through` is the address at which it failed, where that is another than the recipient's own: an
    alias or a list passed the mail on. `message` is the id of the mail that came back, as a
    delivery of it has it, too; "" if the source does not say.
    """

    source: str
    source_key: str
    recipient: str
    category: Category
    original_recipient: str | None = None
    counts: bool = True
    not_counted: str = ""
    status: str = ""
    diagnostic: str = ""
    rule: str = ""
    occurred_at: datetime | None = None
    channel: str = "email"
    group: str | None = None
    host: str = ""
    evidence: str = ""
    outranked: str = ""
    through: str = ""
    message: str = ""


@dataclass(slots=True)
class Activity:
    """A delivery, an open or a click. `occurred_at` is aware UTC.

    `by_machine`: the source says that a proxy or a scanner opened or clicked, not a person.
    `message` names a delivered mail (`mail_name`), "" if the source does not say.
    """

    source: str
    source_key: str
    recipient: str
    kind: ActivityKind
    occurred_at: datetime | None = None
    channel: str = "email"
    by_machine: bool = False
    message: str = ""


@dataclass(slots=True)
class Unsubscribe:
    """A person's wish to get no more mails, or (`resubscribed`) to get them again.

    `group` is what the source names: a group, a list, a stream; None where it speaks of all mail.
    `rule` names the kind of event, `occurred_at` is aware UTC. `echo`: a provider did not send,
    because the person had unsubscribed before then.
    """

    source: str
    source_key: str
    recipient: str
    occurred_at: datetime | None = None
    group: str | None = None
    resubscribed: bool = False
    echo: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A mail, event or line that could not be read. `raw` is kept for --rejects."""

    source: str
    reason: str
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class NoResponse:
    """A mail or event that was read, and from which nothing follows. `reason` says what it is
    instead, `an automatic reply` for example; empty where that is not known."""

    source: str
    reason: str = ""


Event = Response | Activity | Unsubscribe | Rejection | NoResponse


@dataclass(frozen=True, slots=True)
class ResponseFilter:
    """Which responses are listed, newest first; what is empty or None does not restrict.

    `unmatched`: those of no contact, instead of those of contacts. `domain` is a contact's.
    `unsubscribed`: what people wish, and no responses.
    """

    categories: Sequence[str] = ()
    email_key: str | None = None
    domain: str | None = None
    since: datetime | None = None
    run_id: int | None = None
    unmatched: bool = False
    held: bool = False
    unsubscribed: bool = False
    incident: int | None = None
    not_counted: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True)
class HeldFilter:
    """Which held responses are meant: of an incident, run or domain, of several, or all."""

    run_id: int | None = None
    domain: str | None = None
    incident: int | None = None
