"""Which recipients a bounce is about: by its report, else by its header fields and prose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from contactctl.responses.classify import Classifier
from contactctl.responses.mail.addresses import (
    MAX_RECIPIENTS,
    VerpPattern,
    find_address,
    find_addresses,
)
from contactctl.responses.mail.anatomy import Anatomy, attached_mail
from contactctl.responses.mail.failure import Failure
from contactctl.responses.mail.message import first_time
from contactctl.responses.mail.prose import Prose, without_name
from contactctl.responses.mail.recognise import (
    BOUNCE,
    Impression,
    Nature,
    leads_to_a_link,
    tells_of_delay,
    tells_of_delivery,
)
from contactctl.responses.mail.reports import (
    RecipientStatus,
    Returned,
    message_id_of_returned,
    recipient_statuses,
)

_VERP_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "to")
_OWN_FIELDS = ("to", "delivered-to", "envelope-to")
_MAX_NESTED_MAILS = 3


@dataclass(frozen=True, slots=True)
class Naming:
    """How a sender names recipients: in the address that bounces come to, and in header fields."""

    verp: VerpPattern | None = None
    recipient_headers: Sequence[str] = ()


NO_NAMING = Naming()


@dataclass(frozen=True, slots=True)
class Bounce:
    """The failed recipients of a bounce, each once; or else what the mail is instead
    (`otherwise`), or why nobody could be read out of it (`rejected`). `message_id` is that of the
    mail that came back, empty where none is named."""

    failures: Sequence[Failure] = ()
    message_id: str = ""
    otherwise: str = ""
    rejected: str = ""


def bounced(anatomy: Anatomy, naming: Naming, classifier: Classifier) -> Bounce:
    """What a mail, or the bounce attached to it, reports."""
    for _ in range(_MAX_NESTED_MAILS):
        inner = _attached_bounce(anatomy, classifier)
        if inner is None:
            break
        anatomy = inner
    return _Reading(anatomy, naming, classifier).bounce()


def _attached_bounce(anatomy: Anatomy, classifier: Classifier) -> Anatomy | None:
    """The bounce that a mail system passes on as an attachment."""
    if anatomy.status or anatomy.attached is None:
        return None
    if not Impression(anatomy.headers).is_from_mail_system:
        return None
    inner = attached_mail(anatomy)
    if inner is None:
        return None
    reading = _Reading(inner, NO_NAMING, classifier)
    is_bounce = Impression(inner.headers).is_from_mail_system and reading.nature.is_bounce
    return inner if inner.is_delivery_report or is_bounce else None


class _Reading:
    """One mail, read as a bounce."""

    def __init__(self, anatomy: Anatomy, naming: Naming, classifier: Classifier) -> None:
        self._anatomy = anatomy
        self._naming = naming
        self._classifier = classifier
        self._impression = Impression(anatomy.headers)
        self._failed_recipients = find_addresses(anatomy.headers.get("x-failed-recipients"))
        self._own = {
            address.lower()
            for name in _OWN_FIELDS
            for value in anatomy.headers.get_all(name)
            for address in find_addresses(value)
        }

    @cached_property
    def _returned(self) -> Returned:
        """The mail that came back: attached, else below the text."""
        names = self._naming.recipient_headers
        attached = Returned.parse(self._anatomy.returned, names)
        return attached or Returned.parse(Prose(self._anatomy.said).returned, names)

    @cached_property
    def _prose(self) -> Prose:
        """The text, read for the recipients that it names."""
        returned = self._returned
        own = self._own | returned.senders
        addressees = {address.lower() for address in returned.addressees} - own
        own -= {address.lower() for address in self._failed_recipients}
        return Prose(self._anatomy.said, own, addressees)

    def bounce(self) -> Bounce:
        """What the mail reports."""
        if not self.nature.is_bounce:
            return self._otherwise()
        groups, arrival = recipient_statuses(self._anatomy.status or self._anatomy.said)
        if self._tells_of_success(groups):
            return Bounce(otherwise="a report of success")
        failures = self._by_report(groups, arrival) or self._by_prose()
        failures = self._with_verp(_each_once(failures))
        if not failures:
            return self._of_nobody(is_report=bool(groups))
        return Bounce(failures, message_id_of_returned(self._anatomy))

    def _tells_of_success(self, groups: list[RecipientStatus]) -> bool:
        if groups:
            return all(group.is_delivered for group in groups)
        return self._impression.tells_of_success or tells_of_delivery(self._prose.text)

    def _of_nobody(self, *, is_report: bool) -> Bounce:
        if self._impression.is_list_mail and not is_report:
            return Bounce(otherwise="list mail")
        if self._is_own_affair() and not is_report:
            return Bounce(otherwise="about its reader's own mailbox")
        return Bounce(rejected="a bounce that names no recipient")

    @cached_property
    def nature(self) -> Nature:
        """Whether the mail is a bounce."""
        if self._anatomy.is_receipt and not self._impression.rejects(self._anatomy.said):
            return Nature(False, "a read receipt")
        if self._anatomy.is_delivery_report or self._failed_recipients:
            return BOUNCE
        return self._impression.nature(self._anatomy.said, self)

    def _otherwise(self) -> Bounce:
        """Not a bounce; but somebody must look where a mail system wrote in unknown words."""
        if self.nature.is_doubtful and not self._is_own_affair():
            return Bounce(rejected="a null sender, and not known to be a bounce")
        return Bounce(otherwise=self.nature.otherwise)

    def came_back(self) -> bool:
        """Whether the sender's own mail came back, and the text names whom it was for; a person's
        program that answers names the person."""
        if not self._returned.is_a_mail:
            return False
        named = {each.address.lower() for each in self._prose.entries + self._prose.mentions}
        addressees = {address.lower() for address in self._returned.addressees}
        if not self._impression.is_from_mail_system:
            addressees.discard((find_address(self._impression.sender) or "").lower())
        return bool(named & addressees)

    def own_came_back(self) -> bool:
        """As `came_back`, and the returned mail is by somebody of the reader's domain."""
        own, senders = map(_domains, (self._own, self._returned.senders))
        return bool(own & senders) and self.came_back()

    def names_entry(self) -> bool:
        """Whether an address opens a line, as failed ones do."""
        return bool(self._prose.entries)

    def names_one(self) -> bool:
        """Whether the text names one address only, and it opens a line."""
        named = {each.address.lower() for each in self._prose.entries + self._prose.mentions}
        return len(named) == 1 and self.names_entry()

    def calls_by_name(self) -> bool:
        """Whether the text names an address, and calls its owner by the name that is in it."""
        text = self._prose.text
        return any(without_name(text, each.address) != text for each in self._prose.mentions)

    def gives_reason(self) -> bool:
        """Whether an address is named, and a reason that a rule of classification knows."""
        is_named = self._prose.entries or self._prose.mentions
        return bool(is_named and self._classifier.by_words(self._prose.text))

    def _is_own_affair(self) -> bool:
        """Whether a mail is about its reader's own mailbox, with a link for it, or about that of
        the person who sent it: it names no other address."""
        prose, sender = self._prose, find_address(self._impression.sender) or ""
        named = {each.address.lower() for each in prose.entries + prose.mentions}
        if named:
            local, _, domain = sender.lower().partition("@")
            return named <= {sender.lower(), f"{local.partition('+')[0]}@{domain}"}
        return leads_to_a_link(prose.text)

    def _by_report(self, groups: list[RecipientStatus], arrival: str) -> list[Failure]:
        failed = [group for group in groups if not group.is_delivered]
        prose = Prose(self._anatomy.said, self._own)
        failures = [
            _failure_of_group(group, prose, first_time(group.last_attempt, arrival))
            for group in failed
            if group.recipient
        ]
        if failures or len(failed) != 1:
            return failures
        # one report without a usable address, and one recipient in the returned mail: the same
        only = self._returned.only_recipient()
        if only is None:
            return []
        occurred_at = first_time(failed[0].last_attempt, arrival)
        failure = _failure_of_group(failed[0], prose, occurred_at)
        return [replace(failure, recipient=only)]

    def _by_prose(self) -> list[Failure]:
        is_delayed = tells_of_delay(self._impression.subject, self._prose.text)
        return [
            Failure(
                recipient,
                original_recipient=_led_from(self._prose, recipient),
                prose=self._prose,
                is_delayed=is_delayed,
            )
            for recipient in self._recipients_in_prose()
        ]

    def _recipients_in_prose(self) -> list[str]:
        """The best source that names any: the header field, opened lines, sentences, the returned
        mail."""
        prose = self._prose
        recipients = self._failed_recipients
        if not recipients or (prose.names_addressees and not prose.addresses(recipients)):
            recipients = [entry.address for entry in prose.entries] or recipients
        recipients = recipients or [entry.address for entry in prose.mentions]
        recipients = recipients or [entry.address for entry in prose.own_entries]
        if not recipients and (only := self._returned.only_recipient()):
            recipients = [only]
        return recipients[:MAX_RECIPIENTS]

    def _with_verp(self, failures: list[Failure]) -> list[Failure]:
        """With VERP, the address that the bounce came to tells whom the lost mail was for."""
        verp = self._naming.verp
        if verp is None or len(failures) > 1:
            return failures
        headers = self._anatomy.headers
        recipient = verp.first_recipient(
            value for name in _VERP_FIELDS for value in headers.get_all(name)
        )
        if recipient is None:
            return failures
        if not failures:
            return [Failure(recipient, original_recipient=recipient, prose=self._prose)]
        return [replace(failures[0], original_recipient=recipient)]


def _domains(addresses: Iterable[str]) -> set[str]:
    return {address.rpartition("@")[2] for address in addresses}


def _led_from(prose: Prose, recipient: str) -> str | None:
    said = prose.about(recipient)
    return said.led_from if said else None


def _failure_of_group(
    group: RecipientStatus, prose: Prose, occurred_at: datetime | None
) -> Failure:
    recipient = group.recipient or ""
    return Failure(
        recipient=recipient,
        original_recipient=group.original_recipient or _led_from(prose, recipient),
        status=group.status,
        diagnostic=group.diagnostic,
        prose=prose,
        is_delayed=group.is_delayed,
        occurred_at=occurred_at,
        host=group.host,
    )


def _each_once(failures: list[Failure]) -> list[Failure]:
    """One failure per recipient; a final one before a delay."""
    by_recipient: dict[str, Failure] = {}
    for failure in failures:
        key = failure.recipient.lower()
        known = by_recipient.get(key)
        if known is None or (known.is_delayed and not failure.is_delayed):
            by_recipient[key] = failure
    return list(by_recipient.values())
