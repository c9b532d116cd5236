"""Complaints: feedback reports (RFC 5965) and what providers sent before there was a format."""

import re

from contactctl.domain.responses import Category
from contactctl.responses.mail.addresses import find_address
from contactctl.responses.mail.anatomy import Anatomy, only_recipient, returned_headers
from contactctl.responses.mail.dates import parse_time
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import Headers
from contactctl.responses.mail.recognise import Impression
from contactctl.responses.mail.verp import VerpPattern

_FIELD = re.compile(r"^([A-Za-z][\w-]{1,60})[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
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
_UNTYPED_SUBJECT = "complaint about message from"


class FeedbackReport:
    """The fields of a message/feedback-report part."""

    def __init__(self, text: str) -> None:
        self.fields: dict[str, str] = {}
        for match in _FIELD.finditer(text[:50_000]):
            self.fields.setdefault(match[1].lower(), " ".join(match[2].split()))

    @property
    def feedback_type(self) -> str:
        """The lower-case feedback type; empty when the report has none."""
        return self.fields.get("feedback-type", "").lower().strip()

    @property
    def category(self) -> Category | None:
        """The category of the report; None where no recipient spoke; else a complaint."""
        return _CATEGORY_BY_FEEDBACK_TYPE.get(self.feedback_type, Category.SPAM_COMPLAINT)

    @property
    def original_sender(self) -> str:
        """The envelope sender of the reported mail, which may encode the recipient."""
        return self.fields.get("original-mail-from", "")

    @property
    def arrival(self) -> str:
        """When the reported mail arrived."""
        return self.fields.get("arrival-date", "") or self.fields.get("received-date", "")

    def recipient(self) -> str | None:
        """The recipient who complained, where the report names one."""
        named = (find_address(self.fields.get(name, "")) for name in _RECIPIENT_FIELDS)
        return next((address for address in named if address), None)


def is_complaint(anatomy: Anatomy, impression: Impression) -> bool:
    """Whether a mail is a feedback report, or a complaint as Outlook.com forwards them."""
    if anatomy.feedback is not None:
        return True
    return "staff@" in impression.sender and impression.subject.startswith(_UNTYPED_SUBJECT)


def complained(anatomy: Anatomy, verp: VerpPattern | None) -> tuple[Category | None, list[Failure]]:
    """Category and recipient of a complaint; no category where no recipient spoke.

    Providers may hide the recipient; then the returned mail tells: its VERP sender, the fields that
    its servers added, or its only addressee.
    """
    report = FeedbackReport(anatomy.feedback or "")
    returned = returned_headers(anatomy.returned)
    senders = (returned.get("return-path"), report.original_sender)
    recipient = (
        report.recipient()
        or (verp.first_recipient(senders) if verp else None)
        or _recipient_in_headers(returned)
        or only_recipient(returned)
    )
    if recipient is None:
        return report.category, []
    return report.category, [Failure(recipient, occurred_at=parse_time(report.arrival))]


def _recipient_in_headers(returned: Headers) -> str | None:
    named = (find_address(returned.get(name)) for name in _RECIPIENT_HEADERS)
    return next((address for address in named if address), None)
