"""What the parts of a mail are for: text for people, reports for programs, the returned mail."""

import re
from dataclasses import dataclass

from contactctl.responses.mail.message import Headers, Part, leaf_parts, parse_mail

_MAX_ORIGINAL_CHARACTERS = 16_000
_DELIVERY_STATUS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = (
    "message/rfc822",
    "message/global",
    "message/rfc822-headers",
    "message/global-headers",
    "message/partial",
    "text/rfc822-headers",
    "text/rfc822",
)
_FILE_OF_A_MAIL = re.compile(r"name\*?\s?=[^;\n]{1,200}\.eml\b", re.IGNORECASE)
_BARE_FEEDBACK = re.compile(r"\s{0,50}(?:[A-Za-z][\w-]{0,60}:[^\n]{0,500}\n){0,9}Feedback-Type:")


@dataclass(slots=True)
class Anatomy:
    """A mail's parts by purpose.

    `said` is the text for people (of `html` where there is no plain text), `status` the text of
    message/delivery-status parts, `feedback` that of a message/feedback-report (None without one),
    `returned` the start of the returned mail, `attached` that mail as a part where it is whole.
    """

    mail: Part
    said: str = ""
    html: str = ""
    status: str = ""
    feedback: str | None = None
    is_receipt: bool = False
    returned: str = ""
    attached: Part | None = None

    @property
    def headers(self) -> Headers:
        """The header fields of the mail itself."""
        return self.mail.headers

    @property
    def is_delivery_report(self) -> bool:
        """Whether the mail is typed as a report on delivery (RFC 6522, RFC 3464)."""
        if self.status:
            return True
        content_type = self.headers.get("content-type").lower()
        return content_type.startswith("multipart/report") and "delivery-status" in content_type


def dissect(mail: Part) -> Anatomy:
    """Sort the parts of a mail by purpose."""
    anatomy = Anatomy(mail)
    for part in leaf_parts(mail):
        _place(part, anatomy)
    anatomy.said = anatomy.said if anatomy.said.strip() else anatomy.html
    anatomy.is_receipt = anatomy.is_receipt or _is_untyped_receipt(anatomy)
    if anatomy.feedback is None and _is_untyped_feedback(anatomy):
        anatomy.feedback = anatomy.said
    return anatomy


def _is_untyped_receipt(anatomy: Anatomy) -> bool:
    """Whether a receipt lost the type of its second part (RFC 8098); a bounce says what failed."""
    said = anatomy.said
    return "/MDN-sent" in said and "\nDisposition:" in said and "\nAction:" not in said


def _is_untyped_feedback(anatomy: Anatomy) -> bool:
    """Whether a feedback report lost the type of its second part."""
    content_type = anatomy.headers.get("content-type").lower()
    return "feedback-report" in content_type and "\nFeedback-Type:" in f"\n{anatomy.said}"


def attached_mail(anatomy: Anatomy) -> Anatomy | None:
    """The attached mail, taken apart like one that arrived by itself."""
    part = anatomy.attached
    return dissect(parse_mail(part.decoded_body())) if part else None


def _place(part: Part, anatomy: Anatomy) -> None:
    content_type = _type_of(part)
    if content_type in _DELIVERY_STATUS:
        anatomy.status += part.text() + "\n\n"
    elif content_type == "message/feedback-report":
        anatomy.feedback = anatomy.feedback or part.text()
    elif content_type == "message/disposition-notification":
        anatomy.is_receipt = True
    elif content_type in _RETURNED:
        anatomy.returned = anatomy.returned or _start(part)
        if content_type == "message/rfc822":
            anatomy.attached = anatomy.attached or part
    elif content_type == "text/html":
        anatomy.html = anatomy.html or part.text()
    elif content_type.startswith(("text/plain", "multipart/")) or "/" not in content_type:
        _place_text(part.text(), anatomy)


def _type_of(part: Part) -> str:
    """The type of a part; some programs attach a mail as any other file."""
    if part.content_type != "application/octet-stream":
        return part.content_type
    fields = (part.headers.get(name) for name in ("content-type", "content-disposition"))
    return "message/rfc822" if any(map(_FILE_OF_A_MAIL.search, fields)) else part.content_type


def _place_text(text: str, anatomy: Anatomy) -> None:
    """Text for people, or a feedback report whose type a server lost."""
    if anatomy.feedback is None and "Feedback-Type:" in text and _BARE_FEEDBACK.match(text):
        anatomy.feedback = text
    else:
        anatomy.said += text + "\n"


def _start(part: Part) -> str:
    text = part.text() if "content-transfer-encoding" in part.headers else ""
    return (text or part.body[:_MAX_ORIGINAL_CHARACTERS].decode("utf-8", "replace"))[
        :_MAX_ORIGINAL_CHARACTERS
    ]
