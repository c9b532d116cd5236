"""Complaints: feedback reports (RFC 5965) and what providers sent before there was a format."""

import re

from contactctl.domain.responses import Category
from contactctl.responses.mail.addresses import find_address

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
_RECIPIENT_HEADERS = re.compile(
    r"^(?:X-HmXmrOriginalRecipient|X-Original-To|Delivered-To)[ \t]*:(.*)", re.M | re.I
)


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


def is_untyped_complaint(sender: str, subject: str) -> bool:
    """Whether this is a complaint without a feedback report, as Outlook.com sends them."""
    return subject.lower().startswith("complaint about message from") and "staff@" in sender


def complained_recipient(original: str) -> str | None:
    """The recipient that the reported mail's own headers name."""
    match = _RECIPIENT_HEADERS.search(original)
    return find_address(match[1]) if match else None
