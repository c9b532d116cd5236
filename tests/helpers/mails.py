"""Mails for the tests, built from a few words."""

from contactctl.domain.responses import Event, NoResponse, Response
from contactctl.responses.classify import default_classifier
from contactctl.responses.mail import Naming, VerpPattern, read_mail

CLASSIFIER = default_classifier()
DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"
DATE = "Tue, 3 Mar 2026 10:15:00 +0100"


def mail(
    body: str,
    *,
    sender: str = DAEMON,
    to: str = "news@sender.example",
    subject: str = "Undelivered Mail Returned to Sender",
    content_type: str = "text/plain; charset=utf-8",
    **fields: str,
) -> bytes:
    """A mail as bytes with LF; keyword `x_failed_recipients` gives `X-Failed-Recipients`."""
    headers = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Date": DATE,
        "Message-Id": "<bounce-1@mx.example.net>",
        "Content-Type": content_type,
    }
    headers |= {name.replace("_", "-").title(): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\n" for name, value in headers.items() if value)
    return f"{head}\n{body}".encode()


def multipart(
    *parts: tuple[str, str], report_type: str = "delivery-status", **kwargs: str
) -> bytes:
    """A multipart/report of (content type, text) parts."""
    body = "".join(f"--bnd\nContent-Type: {type_}\n\n{text}\n" for type_, text in parts)
    content_type = f'multipart/report; report-type={report_type}; boundary="bnd"'
    return mail(f"preamble\n{body}--bnd--\n", content_type=content_type, **kwargs)


def dsn(
    recipient: str = "kari@example.org",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 user unknown",
    original: str = "",
    extra: str = "",
    said: str = "I'm sorry to have to inform you.",
    **kwargs: str,
) -> bytes:
    """A delivery status notification (RFC 3464) about one recipient."""
    group = f"Final-Recipient: rfc822; {recipient}\n"
    group += f"Original-Recipient: rfc822; {original}\n" if original else ""
    group += f"Action: {action}\nStatus: {status}\n"
    group += f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    return multipart(
        ("text/plain", said),
        ("message/delivery-status", f"Reporting-MTA: dns; mx.example.net\n{extra}\n{group}"),
        ("text/rfc822-headers", "From: news@sender.example\nTo: kari@example.org\nSubject: Hi\n"),
        **kwargs,
    )


def arf(feedback_type: str = "abuse", *, fields: str = "", returned: str = "") -> bytes:
    """A feedback report (RFC 5965)."""
    return multipart(
        ("text/plain", "This is an email abuse report."),
        (
            "message/feedback-report",
            f"Feedback-Type: {feedback_type}\nUser-Agent: X/1\nVersion: 1\n{fields}",
        ),
        (
            "message/rfc822",
            returned or "From: news@sender.example\nTo: kari@example.org\n\nhello\n",
        ),
        report_type="feedback-report",
        sender="feedback@provider.example",
        subject="FW: spring sale",
    )


def events(raw: bytes, *, verp: VerpPattern | None = None) -> list[Event]:
    """All that a mail gives; nothing where it says that it is no response."""
    found = read_mail(raw, "mail.eml", CLASSIFIER, Naming(verp))
    return [event for event in found if not isinstance(event, NoResponse)]


def responses(raw: bytes, *, verp: VerpPattern | None = None) -> list[Response]:
    """The responses of a mail, which must give nothing else."""
    found = events(raw, verp=verp)
    assert all(isinstance(event, Response) for event in found), found
    return [event for event in found if isinstance(event, Response)]


def response(raw: bytes, *, verp: VerpPattern | None = None) -> Response:
    """The only response of a mail."""
    (only,) = responses(raw, verp=verp)
    return only
