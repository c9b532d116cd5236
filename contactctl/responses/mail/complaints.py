"""Complaints and unsubscribes that come by mail.

Complaints are feedback reports (RFC 5965) and what providers sent before there was a format.
"""

import re
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from contactctl.domain.responses import Category
from contactctl.responses.data import read_data
from contactctl.responses.fields import address_of
from contactctl.responses.mail.addresses import find_address, find_addresses
from contactctl.responses.mail.anatomy import Anatomy
from contactctl.responses.mail.bounce import Naming
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import Headers, parse_time
from contactctl.responses.mail.recognise import Impression
from contactctl.responses.mail.reports import Returned, is_redacted

_FIRST_FIELD = re.compile(r"^[A-Za-z][\w-]{1,60}[ \t]*:", re.MULTILINE)
# Registered types (RFC 5965, 7.3; RFC 6430; RFC 6591), and what is still sent besides.
_CATEGORY_BY_FEEDBACK_TYPE = {
    "abuse": Category.SPAM_COMPLAINT,
    "fraud": Category.SPAM_COMPLAINT,
    "other": Category.SPAM_COMPLAINT,
    "opt-out": Category.SPAM_COMPLAINT,
    "opt-out-list": Category.SPAM_COMPLAINT,
    "miscategorized": Category.SPAM_COMPLAINT,
    "virus": Category.BLOCKED,
    "not-spam": None,
    "auth-failure": None,
    "dmarc": None,
}
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "x-original-recipient")
_UNTYPED_SUBJECT = "complaint about message from"


class FeedbackReport:
    """The fields of a message/feedback-report part."""

    def __init__(self, text: str) -> None:
        match = _FIRST_FIELD.search(text)
        self._fields = Headers(text[match.start() :] if match else "")

    @property
    def category(self) -> Category | None:
        """What the feedback type means; None where no recipient spoke; unknown types complain."""
        feedback_type = self._fields.get("feedback-type").lower()
        return _CATEGORY_BY_FEEDBACK_TYPE.get(feedback_type, Category.SPAM_COMPLAINT)

    @property
    def original_sender(self) -> str:
        """The envelope sender of the reported mail, which may encode the recipient."""
        return self._fields.get("original-mail-from")

    @property
    def arrival(self) -> str:
        """When the reported mail arrived."""
        return self._fields.get("arrival-date") or self._fields.get("received-date")

    def recipients(self) -> list[str]:
        """The recipients who complained, where the report names them; the field may repeat."""
        values = [value for name in _RECIPIENT_FIELDS for value in self._fields.get_all(name)]
        return find_addresses(", ".join(values))


def is_complaint(anatomy: Anatomy) -> bool:
    """Whether a mail is a feedback report, or a complaint as Outlook.com forwards them."""
    if anatomy.feedback is not None:
        return True
    sender, subject = anatomy.headers.get("from"), anatomy.headers.get("subject")
    return "staff@" in sender and subject.lower().startswith(_UNTYPED_SUBJECT)


def complained(anatomy: Anatomy, naming: Naming) -> tuple[Category | None, list[Failure]]:
    """Category and recipients of a complaint; no category where no recipient spoke."""
    report = FeedbackReport(anatomy.feedback or "")
    recipients = report.recipients()
    if not recipients or any(map(is_redacted, recipients)):
        recipients = _hidden_recipient(report, anatomy, naming) or recipients
    occurred_at = parse_time(report.arrival)
    return report.category, [
        Failure(recipient, occurred_at=occurred_at) for recipient in recipients
    ]


def _hidden_recipient(report: FeedbackReport, anatomy: Anatomy, naming: Naming) -> list[str]:
    """Providers may hide the recipient; then the returned mail tells.

    By its VERP sender, by the fields that name the recipient, by its only addressee, or by the
    servers that it passed.
    """
    returned = Returned.parse(anatomy.returned, naming.recipient_headers)
    senders = (returned.headers.get("return-path"), report.original_sender)
    recipient = (
        (naming.verp.first_recipient(senders) if naming.verp else None)
        or returned.named_recipient()
        or returned.only_recipient()
        or returned.recipient_in_trace()
    )
    return [recipient] if recipient else []


# Is a mail an unsubscribe: one that a mail program, or a person, sends to leave a list?
#
# The `mailto:` form of List-Unsubscribe (RFC 2369, 3.2) leaves subject and address to the sender
# of the list: most name the wish in one of them, and many encode the recipient in the address.
# People who answer a mail say it in words of their own (`unsubscribe.yaml`)


_SUBJECT = re.compile(
    r"(?:please )?(?:list-?)?(?:un-?subscribe|opt-?out)(?: me)?[.!]?(?:[ :]{1,3}\S{1,200})?",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:please )?(?:list-?)?(?:un-?subscribe|opt-?out|remove|delete)"
    r"(?: (?:the|my) (?:e-?mail )?address)?[ :<]{1,3}(?=[^\s@]{1,64}@)",
    re.IGNORECASE,
)
# `unsub+kari=example.org`, `news-unsubscribe`, `news-leave`
_LOCAL_PART = re.compile(
    r"(?:(?P<list>[\w.+-]{1,64})[-.+])?"
    r"(?:(?:list[-_.]?)?(?:unsub(?:scribe)?|opt[-_.]?out)|abmelde(?:n|ung)|abbestell(?:en|ung)"
    r"|desabonnement|desinscription|afmeld(?:en|ing)|avmeld(?:ing)?|(?<=[-.+])(?:leave|remove))"
    r"(?:[-+_.=](?P<rest>.{1,200}))?",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?:.*[+])?(?P<local>[^=@]{1,64})=(?P<domain>[\w-]+(?:\.[\w-]+)+)")
_MAX_OWN_CHARACTERS = 400  # who writes more has something else to say as well
_MAX_NAME_WORDS = 5
_NOBODY = re.compile(r"\b(?:no|do[-_.]?not|ne)[-_.]?reply", re.IGNORECASE)
_ADDRESSED = ("x-original-to", "delivered-to", "envelope-to", "to")


def unsubscriber(anatomy: Anatomy, naming: Naming) -> tuple[str, str | None] | None:
    """(who leaves, the list that the address names or None); None for any other mail."""
    headers = anatomy.headers
    impression = Impression(headers)
    if _is_of_a_program(anatomy, impression):
        return None
    values = [value for name in _ADDRESSED for value in headers.get_all(name)]
    addressed = [address.rpartition("@") for value in values for address in find_addresses(value)]
    found = next(filter(None, (_LOCAL_PART.fullmatch(local) for local, _, _ in addressed)), None)
    subject = " ".join(impression.subject.split())
    is_asked = _SUBJECT.fullmatch(subject) or (
        not impression.has_bounce_subject and _is_said(subject, anatomy.said)
    )
    if found is None and not is_asked:
        return None
    own = _own_lines(anatomy.said)
    who = naming.verp.first_recipient(values) if naming.verp else None
    who = who or (_encoded(found["rest"]) if found else None)
    said = next(filter(None, [subject if _SUBJECT.fullmatch(subject) else "", *own]), "")
    who = who or _named(said, {host.lower() for _, _, host in addressed})
    who = who or address_of(impression.sender) or find_address(impression.sender)
    return (who, found["list"] if found else None) if who else None


def may_leave(anatomy: Anatomy) -> bool:
    """Whether a mail that is no known wish may be a person's wish all the same."""
    impression = Impression(anatomy.headers)
    is_generated = anatomy.headers.get("auto-submitted").lower().startswith("auto-")
    if is_generated or impression.has_bounce_subject or _is_of_a_program(anatomy, impression):
        return False
    if _NOBODY.search(impression.sender):
        return False
    own = " ".join(_own_lines(anatomy.said))[: 2 * _MAX_OWN_CHARACTERS]
    return bool(_words().hint.search(f"{impression.subject} {own}"))


def _is_of_a_program(anatomy: Anatomy, impression: Impression) -> bool:
    headers = anatomy.headers
    return (
        bool(anatomy.status or anatomy.is_delivery_report or "x-failed-recipients" in headers)
        or impression.is_from_mail_system
        or impression.is_list_mail
        or impression.is_auto_reply
        or impression.has_null_sender
        or headers.get("auto-submitted").lower().startswith("auto-repl")
    )


def _named(said: str, own_hosts: set[str]) -> str | None:
    """The address in a wish, `unsubscribe kari@example.org`, unless it is one of the list's."""
    match = _ABOUT.match(said)
    named = find_address(said[match.end() :]) if match else None
    return named if named and named.rpartition("@")[2].lower() not in own_hosts else None


def _encoded(rest: str | None) -> str | None:
    """The recipient in the rest of an address, `kari=example.org`."""
    match = _ENCODED.fullmatch(rest or "")
    return f"{match['local']}@{match['domain']}" if match else None


class _Words(NamedTuple):
    """`wish` and `subject`, which may be shorter, have courtesies around them."""

    courtesy: re.Pattern[str]
    wish: re.Pattern[str]
    subject: re.Pattern[str]
    end: re.Pattern[str]
    hint: re.Pattern[str]


@cache
def _words() -> _Words:
    known = {
        name: "|".join(line for line in lines.splitlines() if line and not line.startswith("#"))
        for name, lines in read_data("mail/unsubscribe.yaml").items()
    }
    # possessive: a text of courtesies alone would be tried in every way of cutting it up
    courtesies = rf"(?:(?>(?:{known['courtesies']})(?!\w))[\s,.!:;]*+)*+"
    wish, subject = (
        rf"{courtesies}(?:{each})[\s,.!]*{courtesies}"
        for each in (known["wishes"], f"{known['wishes']}|{known['subjects']}")
    )
    parts = (courtesies, wish, subject, known["ends"], known["hints"])
    return _Words(*(re.compile(part, re.IGNORECASE) for part in parts))


def _is_said(subject: str, said: str) -> bool:
    """Whether a person asks for no more mail, in a subject or above the mail that is answered, and
    says nothing else."""
    own = _own_lines(said)
    if sum(map(len, own)) > _MAX_OWN_CHARACTERS:
        return False
    blocks = [" ".join(block.split()) for block in "\n".join(own).split("\n\n") if block.strip()]
    blocks = [block for block in blocks if not _words().courtesy.fullmatch(block)]
    if _words().subject.fullmatch(subject.replace("\u2019", "'")):
        return all(map(_is_wish_or_name, blocks))
    first, *others = blocks or [""]
    return bool(_words().wish.fullmatch(first)) and all(map(_is_wish_or_name, others))


def _own_lines(said: str) -> list[str]:
    """What somebody has written above the mail that is answered."""
    start = said[: 2 * _MAX_OWN_CHARACTERS].replace("\u2019", "'")
    return [
        *takewhile(lambda line: not _words().end.match(line), map(str.strip, start.split("\n")))
    ]


def _is_wish_or_name(block: str) -> bool:
    if _words().subject.fullmatch(block):
        return True
    return len(block.split()) <= _MAX_NAME_WORDS and not any(mark in block for mark in "?:!")
