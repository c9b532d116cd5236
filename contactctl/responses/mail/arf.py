"""Complaints: feedback reports (RFC 5965) and what providers sent before there was a format."""

import re

from contactctl.domain.responses import Category
from contactctl.responses.mail.addresses import find_addresses
from contactctl.responses.mail.anatomy import Anatomy
from contactctl.responses.mail.bounce import Naming
from contactctl.responses.mail.dates import parse_time
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import Headers
from contactctl.responses.mail.returned import Returned, is_redacted

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
