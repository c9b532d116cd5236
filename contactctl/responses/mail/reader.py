"""One mail -> the responses that it reports.

Amazon SES events that SNS sends by mail are JSON as the text of a mail.
"""

import hashlib
from collections.abc import Iterator

from contactctl.domain.responses import (
    Category,
    Event,
    NoResponse,
    Rejection,
    Response,
    Unsubscribe,
    mail_name,
)
from contactctl.domain.urls import host_in_words
from contactctl.responses.classify import Classification, Classifier, Classify
from contactctl.responses.formats.reader import read_document
from contactctl.responses.json_stream import decode_at
from contactctl.responses.mail.anatomy import Anatomy, dissect
from contactctl.responses.mail.bounce import NO_NAMING, Naming, bounced
from contactctl.responses.mail.complaints import complained, is_complaint, may_leave, unsubscriber
from contactctl.responses.mail.failure import Evidence, Failure, Judgement, judge
from contactctl.responses.mail.message import parse_mail, parse_time

MAX_MAIL_BYTES = 10 << 20
_MAX_STORED_DIAGNOSTIC_CHARACTERS = 1_000
# of which any program that writes mails writes one (RFC 5322, 3.6): other text has colons, too
_FIELDS_OF_MAILS = (
    *("from", "date", "subject", "to", "received", "message-id", "return-path", "sender"),
    *("delivered-to", "mime-version", "content-type", "auto-submitted", "x-failed-recipients"),
)


def read_mail(
    raw: bytes, source: str, classifier: Classifier, naming: Naming = NO_NAMING
) -> Iterator[Event]:
    """The responses in one mail: one per failed recipient, or one NoResponse that says what the
    mail is instead (a newsletter, an out-of-office reply, a receipt, a report of success).

    A mail that cannot be read, or a bounce that names no recipient, gives one Rejection; no input
    raises.
    """
    if len(raw) > MAX_MAIL_BYTES:
        yield Rejection(source, f"mail is larger than {MAX_MAIL_BYTES >> 20} MiB")
        return
    try:
        events = _read(raw, source, classifier, naming)
    except Exception as error:  # hostile input: one mail must not stop an ingest
        events = [Rejection(source, f"mail cannot be read ({type(error).__name__})", raw)]
    yield from events


def _read(raw: bytes, source: str, classifier: Classifier, naming: Naming) -> list[Event]:
    anatomy = dissect(parse_mail(raw))
    if not any(name in anatomy.headers for name in _FIELDS_OF_MAILS):
        return [Rejection(source, "empty, or not a mail: no From, Date, Subject or the like", raw)]
    event = sns_event(anatomy)
    if event is not None:
        return read_document(event, source, _provider_judgement(classifier))
    if is_complaint(anatomy):
        return _complaints(raw, source, anatomy, naming)
    if leaving := unsubscriber(anatomy, naming):
        return [_unsubscribe(*leaving, source, anatomy)]
    events = _failures(raw, source, anatomy, naming, classifier)
    if all(isinstance(event, NoResponse) for event in events) and may_leave(anatomy):
        return [Rejection(source, "may ask for no more mail: somebody must read it", raw)]
    return events


def _failures(
    raw: bytes, source: str, anatomy: Anatomy, naming: Naming, classifier: Classifier
) -> list[Event]:
    bounce = bounced(anatomy, naming, classifier)
    if bounce.otherwise:
        return [NoResponse(source, bounce.otherwise)]
    if bounce.rejected:
        return [Rejection(source, bounce.rejected, raw)]
    digest = _mail_digest(anatomy)
    message = mail_name(bounce.message_id, "mail")
    return [
        _response(
            failure,
            judge(Evidence(failure), classifier),
            source,
            _source_key(digest, failure),
            anatomy,
            message,
        )
        for failure in bounce.failures
    ]


def _unsubscribe(who: str, group: str | None, source: str, anatomy: Anatomy) -> Unsubscribe:
    digest = hashlib.blake2b(_mail_digest(anatomy), digest_size=20)
    digest.update(who.lower().encode("utf-8", "replace"))
    at = parse_time(anatomy.headers.get("date"))
    key = f"mail:{digest.hexdigest()}"
    return Unsubscribe(source, key, who, at, group, rule="mail.unsubscribe")


def _complaints(raw: bytes, source: str, anatomy: Anatomy, naming: Naming) -> list[Event]:
    category, failures = complained(anatomy, naming)
    if category is None:
        return [NoResponse(source, "a feedback report that is no complaint")]
    if not failures:
        return [Rejection(source, "a complaint that names no recipient", raw)]
    judgement = Judgement(Classification(category, "feedback-report"))
    digest = _mail_digest(anatomy)
    return [
        _response(failure, judgement, source, _source_key(digest, failure), anatomy)
        for failure in failures
    ]


def _provider_judgement(classifier: Classifier) -> Classify:
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    return classify


def _response(
    failure: Failure,
    judgement: Judgement,
    source: str,
    source_key: str,
    anatomy: Anatomy,
    message: str = "",
) -> Response:
    says = judgement.says
    not_counted = "delayed" if failure.is_delayed else says.not_counted
    words = " ".join(failure.words().split())[:_MAX_STORED_DIAGNOSTIC_CHARACTERS]
    return Response(
        source=source,
        source_key=source_key,
        recipient=failure.recipient,
        original_recipient=failure.original_recipient,
        category=says.category or Category.UNKNOWN,
        counts=not not_counted,
        not_counted=not_counted,
        status=says.status,
        diagnostic=words,
        rule=says.rule,
        host=failure.host or host_in_words(words),
        evidence=str(judgement.decided_by.kind) if judgement.decided_by else "",
        outranked=", ".join(map(str, judgement.outranked)),
        through=_through(failure),
        occurred_at=failure.occurred_at or parse_time(anatomy.headers.get("date")),
        message=message,
    )


def _through(failure: Failure) -> str:
    """The address at which it failed, where the sender wrote to another mailbox: the same name at a
    host of the same domain is no other."""
    original, failed = (failure.original_recipient or "").lower(), failure.recipient.lower()
    if not original or _is_same_mailbox(original, failed):
        return ""
    return failure.recipient


def _is_same_mailbox(one: str, other: str) -> bool:
    name, _, domain = one.rpartition("@")
    other_name, _, other_domain = other.rpartition("@")
    shorter, longer = sorted((f".{domain}", f".{other_domain}"), key=len)
    return name == other_name and longer.endswith(shorter)


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


# Amazon SES events that SNS sends by mail: JSON as the text of a mail


_MAX_JSON_CHARACTERS = 1 << 17


def sns_event(anatomy: Anatomy) -> dict[str, object] | None:
    """The event in a mail from SNS; None for any other mail."""
    if not _is_from_sns(anatomy):
        return None
    # some servers fold long lines with an exclamation mark (RFC 5321's limit on lines)
    text = anatomy.said[:_MAX_JSON_CHARACTERS].replace("!\n ", "").lstrip()
    if not text.startswith("{"):
        return None
    try:
        event, _ = decode_at(text, 0)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _is_from_sns(anatomy: Anatomy) -> bool:
    sender = anatomy.headers.get("from").rstrip("> ").lower()
    return "x-amz-sns-message-id" in anatomy.headers or sender.endswith("@sns.amazonaws.com")
