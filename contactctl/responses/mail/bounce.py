"""Which recipients a bounce is about: by its report, else by its header fields and prose."""

from dataclasses import replace
from datetime import datetime

from contactctl.responses.mail.addresses import MAX_RECIPIENTS, find_addresses
from contactctl.responses.mail.anatomy import Anatomy, only_recipient, returned_headers
from contactctl.responses.mail.dates import first_time
from contactctl.responses.mail.dsn import RecipientStatus, recipient_statuses
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.prose import Prose
from contactctl.responses.mail.recognise import Impression, tells_of_delay, tells_of_delivery
from contactctl.responses.mail.verp import VerpPattern

_VERP_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "to")


def bounced(
    anatomy: Anatomy, impression: Impression, verp: VerpPattern | None
) -> list[Failure] | None:
    """The failed recipients, each once; None for a mail that is no bounce.

    Empty where a mail typed as a delivery report names nobody.
    """
    failed_recipients = find_addresses(anatomy.headers.get("x-failed-recipients"))
    is_typed = anatomy.is_delivery_report or bool(failed_recipients)
    if anatomy.is_receipt or not (is_typed or impression.is_bounce(anatomy.said)):
        return None
    senders = {address.lower() for address in find_addresses(anatomy.headers.get("to"))}
    prose = Prose(anatomy.said, senders)
    groups, arrival = recipient_statuses(anatomy.status or anatomy.said)
    if _tells_of_success(groups, prose):
        return None
    failures = [
        _failure_of_group(group, prose, first_time(group.last_attempt, arrival))
        for group in groups
        if not group.is_delivered and group.recipient
    ]
    if not failures:
        is_delayed = tells_of_delay(impression.subject, prose.text)
        failures = [
            Failure(recipient, prose=prose, is_delayed=is_delayed)
            for recipient in _recipients_in_prose(prose, failed_recipients, anatomy)
        ]
    failures = _with_verp(_each_once(failures), prose, anatomy, verp)
    return failures if failures or anatomy.is_delivery_report else None


def _tells_of_success(groups: list[RecipientStatus], prose: Prose) -> bool:
    if groups:
        return all(group.is_delivered for group in groups)
    return tells_of_delivery(prose.text)


def _failure_of_group(
    group: RecipientStatus, prose: Prose, occurred_at: datetime | None
) -> Failure:
    return Failure(
        recipient=group.recipient or "",
        original_recipient=group.original_recipient,
        status=group.status,
        diagnostic=group.diagnostic,
        prose=prose,
        is_delayed=group.is_delayed,
        occurred_at=occurred_at,
    )


def _recipients_in_prose(prose: Prose, failed_recipients: list[str], anatomy: Anatomy) -> list[str]:
    """The best source that names any: opened lines, the header field, sentences, returned mail."""
    recipients = [entry.address for entry in prose.entries]
    recipients = recipients or failed_recipients or [entry.address for entry in prose.mentions]
    if not recipients:
        only = only_recipient(returned_headers(anatomy.returned or prose.returned))
        recipients = [only] if only else []
    return recipients[:MAX_RECIPIENTS]


def _each_once(failures: list[Failure]) -> list[Failure]:
    """One failure per recipient; a final one before a delay."""
    by_recipient: dict[str, Failure] = {}
    for failure in failures:
        key = failure.recipient.lower()
        known = by_recipient.get(key)
        if known is None or (known.is_delayed and not failure.is_delayed):
            by_recipient[key] = failure
    return list(by_recipient.values())


def _with_verp(
    failures: list[Failure], prose: Prose, anatomy: Anatomy, verp: VerpPattern | None
) -> list[Failure]:
    """With VERP, the address that the bounce came to tells whom the lost mail was for."""
    if verp is None or len(failures) > 1:
        return failures
    recipient = verp.first_recipient(
        value for name in _VERP_FIELDS for value in anatomy.headers.get_all(name)
    )
    if recipient is None:
        return failures
    if not failures:
        return [Failure(recipient, original_recipient=recipient, prose=prose)]
    return [replace(failures[0], original_recipient=recipient)]
