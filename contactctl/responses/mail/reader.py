"""One mail -> the responses that it reports."""

import hashlib
from collections.abc import Iterator

from contactctl.domain.responses import Category, Event, Rejection, Response
from contactctl.responses.classify import Classification, Classifier
from contactctl.responses.formats.judgement import Classify
from contactctl.responses.formats.reader import read_document
from contactctl.responses.mail.anatomy import Anatomy, dissect
from contactctl.responses.mail.arf import complained, is_complaint
from contactctl.responses.mail.bounce import bounced
from contactctl.responses.mail.dates import parse_time
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import parse_mail
from contactctl.responses.mail.recognise import Impression
from contactctl.responses.mail.sns import sns_event
from contactctl.responses.mail.verp import VerpPattern

MAX_MAIL_BYTES = 10 << 20
_MAX_STORED_DIAGNOSTIC_CHARACTERS = 1_000


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
        return read_document(event, source, _provider_judgement(classifier))
    judged = _judge(anatomy, classifier, verp)
    if judged is None:
        return []
    if not judged:
        return [Rejection(source, "the report names no recipient", raw)]
    digest = _mail_digest(anatomy)
    return [
        _response(failure, classification, source, _source_key(digest, failure), anatomy)
        for failure, classification in judged
    ]


def _judge(
    anatomy: Anatomy, classifier: Classifier, verp: VerpPattern | None
) -> list[tuple[Failure, Classification]] | None:
    """Each failure with its classification; None for a mail that is no response."""
    impression = Impression(anatomy.headers)
    if is_complaint(anatomy, impression):
        category, failures = complained(anatomy, verp)
        judgement = Classification(category, "feedback-report")
        return None if category is None else [(failure, judgement) for failure in failures]
    failures_of_bounce = bounced(anatomy, impression, verp)
    if failures_of_bounce is None:
        return None
    return [(failure, _classify(failure, classifier)) for failure in failures_of_bounce]


def _classify(failure: Failure, classifier: Classifier) -> Classification:
    """By the server's words, then their codes; by the text for people where those say nothing."""
    said = classifier.classify(diagnostic=failure.diagnostic, status=failure.status)
    if said.by_text or (failure.diagnostic and said.category not in (None, Category.UNKNOWN)):
        return said
    for explanation in failure.explanations:
        explained = classifier.classify(diagnostic=explanation, status=failure.status)
        if explained.by_text:
            return explained
        if said.category in (None, Category.UNKNOWN) and explained.category is not None:
            said = explained
    return said


def _provider_judgement(classifier: Classifier) -> Classify:
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    return classify


def _response(
    failure: Failure, classification: Classification, source: str, source_key: str, anatomy: Anatomy
) -> Response:
    default = Category.COMMUNICATION_FAILURE if failure.is_delayed else Category.UNKNOWN
    not_counted = "delayed" if failure.is_delayed else classification.not_counted
    diagnostic = failure.diagnostic or next(iter(failure.explanations), "")
    return Response(
        source=source,
        source_key=source_key,
        recipient=failure.recipient,
        original_recipient=failure.original_recipient,
        category=classification.category or default,
        counts=not not_counted,
        not_counted=not_counted,
        status=classification.status,
        diagnostic=" ".join(diagnostic.split())[:_MAX_STORED_DIAGNOSTIC_CHARACTERS],
        rule=classification.rule,
        occurred_at=failure.occurred_at or parse_time(anatomy.headers.get("date")),
    )


def _mail_digest(anatomy: Anatomy) -> bytes:
    """Identifies the mail: by its Message-ID, else by its body; and by date and subject.

    White space and mbox's `>From ` do not count, so that a mail out of an mbox, a Maildir or with
    other line ends is the same mail.
    """
    digest = hashlib.blake2b(digest_size=20)
    message_id = anatomy.headers.get("message-id")
    if not message_id:
        digest.update(b"".join(anatomy.mail.body.replace(b"\n>From ", b"\nFrom ").split()))
    for value in (message_id, anatomy.headers.get("date"), anatomy.headers.get("subject")):
        digest.update("".join(value.split()).encode("utf-8", "replace") + b"\0")
    return digest.digest()


def _source_key(mail_digest: bytes, failure: Failure) -> str:
    """Identifies one recipient's report within a mail."""
    digest = hashlib.blake2b(mail_digest, digest_size=20)
    state = "delayed" if failure.is_delayed else "failed"
    for value in (failure.recipient.lower(), state, failure.status, failure.diagnostic):
        digest.update("".join(value.split()).encode("utf-8", "replace") + b"\0")
    return f"mail:{digest.hexdigest()}"
