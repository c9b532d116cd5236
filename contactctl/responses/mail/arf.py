"""Complaints: feedback reports (RFC 5965) and what providers sent before there was a format."""

import re

from contactctl.domain.responses import Category
from contactctl.responses.mail.addresses import find_address, find_addresses
from contactctl.responses.mail.anatomy import Anatomy, only_recipient, returned_headers
from contactctl.responses.mail.dates import parse_time
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import Headers
from contactctl.responses.mail.recognise import Impression
from contactctl.responses.mail.verp import VerpPattern

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
_RECIPIENT_HEADERS = ("x-hmxmroriginalrecipient", "x-original-to", "delivered-to")
_RECEIVED_FOR = re.compile(r"\bfor\s{1,9}<?([^\s<>;]{1,300}@[^\s<>;]{1,300})", re.IGNORECASE)
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


def is_complaint(anatomy: Anatomy, impression: Impression) -> bool:
    """Whether a mail is a feedback report, or a complaint as Outlook.com forwards them."""
    if anatomy.feedback is not None:
        return True
    return "staff@" in impression.sender and impression.subject.startswith(_UNTYPED_SUBJECT)


def complained(anatomy: Anatomy, verp: VerpPattern | None) -> tuple[Category | None, list[Failure]]:
    """Category and recipients of a complaint; no category where no recipient spoke."""
    report = FeedbackReport(anatomy.feedback or "")
    recipients = report.recipients() or _hidden_recipient(report, anatomy, verp)
    occurred_at = parse_time(report.arrival)
    return report.category, [
        Failure(recipient, occurred_at=occurred_at) for recipient in recipients
    ]


def _hidden_recipient(
    report: FeedbackReport, anatomy: Anatomy, verp: VerpPattern | None
) -> list[str]:
    """Providers may hide the recipient; then the returned mail tells.

    By its VERP sender, by the fields that the provider's servers added, by its only addressee, or
    by the servers that it passed.
    """
    returned = returned_headers(anatomy.returned)
    senders = (returned.get("return-path"), report.original_sender)
    recipient = (
        (verp.first_recipient(senders) if verp else None)
        or _recipient_in_headers(returned)
        or only_recipient(returned)
        or _recipient_in_trace(returned)
    )
    return [recipient] if recipient else []


def _recipient_in_headers(returned: Headers) -> str | None:
    named = (find_address(returned.get(name)) for name in _RECIPIENT_HEADERS)
    return next((address for address in named if address), None)


def _recipient_in_trace(returned: Headers) -> str | None:
    """`Received: ... for <kari@example.org>`; the last server's field stands first."""
    matches = (_RECEIVED_FOR.search(value) for value in returned.get_all("received"))
    return next((find_address(match[1]) for match in matches if match), None)
