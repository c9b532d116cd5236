"""One mail -> the responses that it reports."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from contactctl.domain.responses import Category, Event, Rejection, Response
from contactctl.responses.classify import Classification, Classifier
from contactctl.responses.mail.addresses import MAX_RECIPIENTS, find_addresses
from contactctl.responses.mail.anatomy import Anatomy, dissect, only_recipient, returned_headers
from contactctl.responses.mail.arf import FeedbackReport, complained_recipient, is_untyped_complaint
from contactctl.responses.mail.dates import first_time
from contactctl.responses.mail.dsn import RecipientStatus, recipient_statuses
from contactctl.responses.mail.message import parse_mail
from contactctl.responses.mail.prose import Prose
from contactctl.responses.mail.recognise import Impression, tells_of_delay, tells_of_delivery
from contactctl.responses.mail.sns import sns_event
from contactctl.responses.mail.verp import VerpPattern
from contactctl.responses.providers import amazon_ses

MAX_MAIL_BYTES = 10 << 20
_MAX_STORED_DIAGNOSTIC_CHARACTERS = 1_000
_VERP_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "to")


@dataclass(frozen=True, slots=True)
class _Failure:
    """One failed recipient before classification.

    `diagnostic` is what a server said about it, `prose` the text for people.
    """

    recipient: str
    original_recipient: str | None = None
    status: str = ""
    diagnostic: str = ""
    prose: Prose | None = None
    is_delayed: bool = False
    occurred_at: datetime | None = None

    @property
    def explanation(self) -> str:
        """What the text for people says about the recipient."""
        return self.prose.about(self.recipient) if self.prose else ""


def read_mail(
    raw: bytes, source: str, classifier: Classifier, *, verp: VerpPattern | None = None
) -> Iterator[Event]:
    """The responses in one mail: none, one, or one per failed recipient.

    Nothing comes of mails that are no response (newsletters, out-of-office replies, receipts,
    reports of success). A mail that cannot be read, or a report that names no recipient, gives one
    Rejection; no input raises.
    """
    if len(raw) > MAX_MAIL_BYTES:
        yield Rejection(source, f"mail is larger than {MAX_MAIL_BYTES >> 20} MiB")
        return
    try:
        events = _read(raw, source, classifier, verp)
    except Exception as error:  # hostile input: one mail must not stop an ingest
        events = [Rejection(source, f"mail cannot be read ({type(error).__name__})", raw)]
    yield from events


def _read(raw: bytes, source: str, classifier: Classifier, verp: VerpPattern | None) -> list[Event]:
    anatomy = dissect(parse_mail(raw))
    if not anatomy.headers:
        return [Rejection(source, "empty, or no mail: it has no header fields", raw)]
    event = sns_event(anatomy)
    if event is not None:
        return _read_event(event, source, classifier)
    impression = Impression(anatomy.headers)
    if anatomy.feedback is not None or is_untyped_complaint(impression.sender, impression.subject):
        failures, category = _complaint(anatomy, verp)
        if category is None:
            return []
        fixed = Classification(category, "feedback-report")
        classified = [(failure, fixed) for failure in failures]
    else:
        found = _failures(anatomy, impression, verp)
        if found is None:
            return []
        failures = _each_once(found)
        classified = [(failure, _classify(failure, classifier)) for failure in failures]
    if not failures:
        return [Rejection(source, "the report names no recipient", raw)]
    digest = _mail_digest(anatomy)
    return [
        _response(source, digest, _dated(failure, anatomy), classification)
        for failure, classification in classified
    ]


def _dated(failure: _Failure, anatomy: Anatomy) -> _Failure:
    if failure.occurred_at:
        return failure
    return replace(failure, occurred_at=first_time(anatomy.headers.get("date")))


def _each_once(failures: list[_Failure]) -> list[_Failure]:
    """One failure per recipient: the first that a report gives."""
    by_recipient: dict[str, _Failure] = {}
    for failure in failures:
        by_recipient.setdefault(failure.recipient.lower(), failure)
    return list(by_recipient.values())


def _read_event(event: dict[str, object], source: str, classifier: Classifier) -> list[Event]:
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    return list(amazon_ses.read(event, source, classify))


# --- complaints ---


def _complaint(
    anatomy: Anatomy, verp: VerpPattern | None
) -> tuple[list[_Failure], Category | None]:
    report = FeedbackReport(anatomy.feedback or "")
    returned = returned_headers(anatomy.returned)
    recipient = (
        report.recipient()
        or _verp_recipient(verp, [returned.get("return-path"), report.original_sender])
        or complained_recipient(anatomy.returned)
        or only_recipient(returned)
    )
    occurred_at = first_time(report.arrival, anatomy.headers.get("date"))
    failures = [_Failure(recipient, occurred_at=occurred_at)] if recipient else []
    return failures, report.category


# --- bounces ---


def _failures(
    anatomy: Anatomy, impression: Impression, verp: VerpPattern | None
) -> list[_Failure] | None:
    """The failed recipients of a bounce; None for a mail that is no response."""
    if anatomy.is_receipt:
        return None
    senders = {address.lower() for address in find_addresses(anatomy.headers.get("to"))}
    prose = Prose(anatomy.said, senders)
    failed_header = find_addresses(anatomy.headers.get("x-failed-recipients"))
    is_typed = anatomy.is_delivery_report or bool(failed_header)
    if not is_typed and not impression.is_bounce(anatomy.said):
        return None
    groups, arrival = recipient_statuses(anatomy.status or anatomy.said)
    if groups and all(group.is_delivered for group in groups):
        return None
    failures = [
        _failure_of_group(group, prose, first_time(group.last_attempt, arrival))
        for group in groups
        if not group.is_delivered and (group.final_recipient or group.original_recipient)
    ]
    if not failures:
        if not groups and tells_of_delivery(prose.text):
            return None
        failures = _failures_of_prose(prose, failed_header, senders, anatomy, impression)
    failures = _with_verp(failures, anatomy, verp)
    return failures if failures or anatomy.is_delivery_report else None


def _failure_of_group(
    group: RecipientStatus, prose: Prose, occurred_at: datetime | None
) -> _Failure:
    final, original = group.final_recipient, group.original_recipient
    recipient = final or original or ""
    return _Failure(
        recipient=recipient,
        original_recipient=original,
        status=group.status,
        diagnostic=group.diagnostic,
        prose=prose,
        is_delayed=group.is_delayed,
        occurred_at=occurred_at,
    )


def _failures_of_prose(
    prose: Prose,
    failed_header: list[str],
    senders: set[str],
    anatomy: Anatomy,
    impression: Impression,
) -> list[_Failure]:
    recipients = [entry.address for entry in prose.entries]
    if failed_header and all(recipient.lower() in senders for recipient in recipients):
        recipients = failed_header
    recipients = recipients or [entry.address for entry in prose.mentions]
    if not recipients:
        only = only_recipient(returned_headers(anatomy.returned or prose.returned))
        recipients = [only] if only else []
    is_delayed = tells_of_delay(impression.subject, prose.text)
    return [
        _Failure(recipient, prose=prose, is_delayed=is_delayed)
        for recipient in recipients[:MAX_RECIPIENTS]
    ]


# --- VERP ---


def _verp_recipient(verp: VerpPattern | None, fields: list[str]) -> str | None:
    if verp is None:
        return None
    for address in (address for value in fields for address in find_addresses(value)):
        if recipient := verp.recipient(address):
            return recipient
    return None


def _with_verp(
    failures: list[_Failure], anatomy: Anatomy, verp: VerpPattern | None
) -> list[_Failure]:
    """With VERP, the mail's own recipient tells whom the lost mail was for."""
    values = [value for name in _VERP_FIELDS for value in anatomy.headers.get_all(name)]
    recipient = _verp_recipient(verp, values)
    if recipient is None or len(failures) > 1:
        return failures
    if not failures:
        return [_Failure(recipient, prose=Prose(anatomy.said))]
    return [replace(failures[0], original_recipient=recipient)]


# --- responses ---


def _classify(failure: _Failure, classifier: Classifier) -> Classification:
    """By the server's words, then their codes; by the text for people where those say nothing."""
    said = classifier.classify(diagnostic=failure.diagnostic, status=failure.status)
    if said.by_text or (failure.diagnostic and said.category not in (None, Category.UNKNOWN)):
        return said
    explained = classifier.classify(diagnostic=failure.explanation, status=failure.status)
    if explained.category is None:
        return said
    return explained


def _response(
    source: str, mail_digest: bytes, failure: _Failure, classification: Classification
) -> Response:
    default = Category.COMMUNICATION_FAILURE if failure.is_delayed else Category.UNKNOWN
    not_counted = "delayed" if failure.is_delayed else classification.not_counted
    diagnostic = " ".join((failure.diagnostic or failure.explanation).split())
    return Response(
        source=source,
        source_key=_source_key(mail_digest, failure),
        recipient=failure.recipient,
        original_recipient=failure.original_recipient,
        category=classification.category or default,
        counts=not not_counted,
        not_counted=not_counted,
        status=classification.status,
        diagnostic=diagnostic[:_MAX_STORED_DIAGNOSTIC_CHARACTERS],
        rule=classification.rule,
        occurred_at=failure.occurred_at,
    )


def _mail_digest(anatomy: Anatomy) -> bytes:
    """Identifies the mail: by its Message-ID, else by date, subject and body.

    White space and mbox's `>From` do not count, so that a mail read from an mbox, a Maildir or with
    other line ends is the same mail.
    """
    digest = hashlib.blake2b(digest_size=20)
    message_id = anatomy.headers.get("message-id")
    if not message_id:
        digest.update(b"".join(anatomy.mail.body.replace(b"\n>From ", b"\nFrom ").split()))
    for value in (message_id, anatomy.headers.get("date"), anatomy.headers.get("subject")):
        digest.update("".join(value.split()).encode("utf-8", "replace") + b"\0")
    return digest.digest()


def _source_key(mail_digest: bytes, failure: _Failure) -> str:
    digest = hashlib.blake2b(mail_digest, digest_size=20)
    state = "delayed" if failure.is_delayed else "failed"
    for value in (failure.recipient.lower(), state, failure.status, failure.diagnostic):
        digest.update("".join(value.split()).encode("utf-8", "replace") + b"\0")
    return f"mail:{digest.hexdigest()}"
