"""The parts of a bounce: its report on each recipient (RFC 3464), and the mail that came back."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from urllib.parse import unquote

from contactctl.domain.urls import receiving_host
from contactctl.responses.mail.addresses import (
    MAX_RECIPIENTS,
    find_address,
    find_addresses,
    typed_address,
)
from contactctl.responses.mail.anatomy import Anatomy
from contactctl.responses.mail.message import Headers

_HEADER_BLOCK = re.compile(r"^[ \t]{0,8}[A-Za-z][\w-]{0,60}:", re.MULTILINE)
_SENDER_FIELDS = ("from", "sender", "return-path", "reply-to", "errors-to", "x-sender")
_ENVELOPE_FIELDS = ("x-hmxmroriginalrecipient", "x-original-to", "delivered-to", "envelope-to")
_RECEIVED_FOR = re.compile(r"\bfor\s{1,9}<?([^\s<>;]{1,300}@[^\s<>;]{1,300})", re.IGNORECASE)
# `mailto:leave+kari=example.org@news.example.com`, `https://news.example.com/u?e=kari%40example.org`
_IN_MAILTO = re.compile(
    r"mailto:[^+@<>,]{1,64}\+([^=@<>,\s]{1,64})=([\w.-]{3,255})@", re.IGNORECASE
)
_IN_LINK = re.compile(
    r"[?&/=]([^?&/=<>,\s@%]{1,64}(?:@|%40)[\w.-]{1,255}\.\w{2,63})", re.IGNORECASE
)
_MESSAGE_ID = re.compile(r"message-id[ \t]?:\s{0,4}<([^<>\s]{1,250})>", re.IGNORECASE)
_REDACTED = re.compile(r"[\[(<]?(?:redacted|hidden|removed|xxx+|recipient|undisclosed)\b", re.I)


@dataclass(frozen=True, slots=True)
class Returned:
    """The header fields of a returned mail, empty where none came back.

    `recipient_headers` are the lower-case names of fields in which the config says that the
    sender's program names the recipient.
    """

    headers: Headers
    recipient_headers: Sequence[str] = ()

    @classmethod
    def parse(cls, text: str, recipient_headers: Sequence[str] = ()) -> "Returned":
        """From a text in which the first header field begins a block of them."""
        match = _HEADER_BLOCK.search(text)
        block = text[match.start() :].partition("\n\n")[0] if match else ""
        return cls(Headers(dedent(block)), recipient_headers)

    def __bool__(self) -> bool:
        return bool(self.headers)

    @property
    def is_a_mail(self) -> bool:
        """Whether the fields are those of a mail, and not any lines with colons."""
        return "from" in self.headers and ("to" in self.headers or "subject" in self.headers)

    @property
    def senders(self) -> set[str]:
        """Every address that sent it or takes replies, in lower case."""
        return _lowered(value for name in _SENDER_FIELDS for value in self.headers.get_all(name))

    @property
    def addressees(self) -> list[str]:
        """The addresses in To."""
        return find_addresses(", ".join(self.headers.get_all("to")))

    @property
    def copied(self) -> set[str]:
        """The addresses in Cc, in lower case."""
        return _lowered(self.headers.get_all("cc"))

    def named_recipient(self) -> str | None:
        """The recipient whom a field names that is made for one: the config's, those that the
        last server adds, or List-Unsubscribe (RFC 2369, 3.2)."""
        return self._first(self.recipient_headers) or self._first(_ENVELOPE_FIELDS) or self.leaver

    def only_recipient(self) -> str | None:
        """The recipient, where the mail had one and nobody had a copy; else nobody is certain."""
        if self._first(self.recipient_headers):
            return self._first(self.recipient_headers)
        if len(self.addressees) == 1 and not self.copied - _lowered(self.addressees):
            only = self.addressees[0]
            return (self.named_recipient() or only) if is_redacted(only) else only
        return self.named_recipient()

    def recipient_in_trace(self) -> str | None:
        """`Received: ... for <kari@example.org>`; the last server's field stands first."""
        matches = (_RECEIVED_FOR.search(value) for value in self.headers.get_all("received"))
        return next((find_address(match[1]) for match in matches if match), None)

    @property
    def leaver(self) -> str | None:
        """The recipient whom List-Unsubscribe encodes."""
        value = unquote(self.headers.get("list-unsubscribe")[:2_000])
        if match := _IN_MAILTO.search(value):
            return f"{match[1]}@{match[2]}"
        match = _IN_LINK.search(value)
        return find_address(match[1]) if match else None

    def _first(self, names: Sequence[str]) -> str | None:
        found = (find_address(self.headers.get(name)) for name in names if name in self.headers)
        return next((address for address in found if address), None)


def message_id_of_returned(anatomy: Anatomy) -> str:
    """The Message-ID of the mail that came back: its own, or the one that the bounce answers
    (RFC 5322, 3.6.4); empty where neither is given."""
    for text in (anatomy.returned, anatomy.said):
        # a search without case is ten times slower than this
        if (at := text.lower().find("message-id")) >= 0 and (match := _MESSAGE_ID.search(text, at)):
            return match[1]
    return anatomy.headers.get("in-reply-to").strip()


def is_redacted(address: str) -> bool:
    """Whether a provider wrote something else in place of the address (RFC 6590)."""
    return bool(_REDACTED.match(address))


def _lowered(values: Iterable[str]) -> set[str]:
    return {address.lower() for value in values for address in find_addresses(value)}


# Delivery status notifications (RFC 3464): the fields of each recipient.
#
# Read from a message/delivery-status part, or from plain text where a server lost the type


_FIELD = re.compile(
    r"^(Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code|Last-Attempt-Date"
    r"|Arrival-Date|X-Supplementary-Info|X-Actual-Recipient|Remote-MTA|Reporting-MTA|Received-From-MTA)"
    r"[ \t]*+:[ \t]*+(.*+(?:\n[ \t]++\S.*+)*+)",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_COMMENT = re.compile(r"\(([^()]{3,500})\)")
_DELIVERED = ("delivered", "relayed", "expanded", "deliverable")


@dataclass(slots=True)
class RecipientStatus:
    """One recipient's group of fields. `reporter` is the receiving server that wrote the report;
    empty where the sender's own did, or none is known to be the receiver's."""

    fields: dict[str, str] = field(default_factory=dict)
    reporter: str = ""

    @property
    def host(self) -> str:
        """The receiving server, shortened (domain.hosts); empty where none is named."""
        return receiving_host(self.fields.get("remote-mta", "")) or self.reporter

    @property
    def final_recipient(self) -> str | None:
        """The address that the reporting server tried."""
        return self._actual_recipient or typed_address(self.fields.get("final-recipient", ""))

    @property
    def original_recipient(self) -> str | None:
        """The address as the sender wrote it, where the report tells."""
        written = typed_address(self.fields.get("original-recipient", ""))
        if written is None and self._actual_recipient:
            return typed_address(self.fields.get("final-recipient", ""))
        return written

    @property
    def _actual_recipient(self) -> str | None:
        """What sendmail made of the final recipient, an alias; None where that is a program."""
        kind, _, rest = self.fields.get("x-actual-recipient", "").partition(";")
        is_address = kind.strip().lower() == "rfc822" and "|" not in rest
        return typed_address(rest) if is_address else None

    @property
    def recipient(self) -> str | None:
        """The final recipient, else the original one."""
        return self.final_recipient or self.original_recipient

    @property
    def status(self) -> str:
        """The enhanced status code; empty when there is none."""
        match = _STATUS.search(self.fields.get("status", ""))
        return match[1] if match else ""

    @property
    def diagnostic(self) -> str:
        """What the remote server said, without its type; else the comment of the status."""
        code = self.fields.get("diagnostic-code", "") or self._supplementary
        said = _without_type(code)
        if said:
            return said
        match = _COMMENT.search(self.fields.get("status", ""))
        return match[1] if match else ""

    @property
    def _supplementary(self) -> str:
        """Exchange's `< #5.1.1 smtp;550 5.1.1 unknown>`, the reply after the semicolon."""
        said = self.fields.get("x-supplementary-info", "").strip("<> ")
        return said.partition(";")[2] or said

    @property
    def last_attempt(self) -> str:
        """When delivery was tried last."""
        return self.fields.get("last-attempt-date", "")

    @property
    def is_delivered(self) -> bool:
        """Whether this group tells of success, which is no response."""
        action = self.fields.get("action", "").lower()
        return action.startswith(_DELIVERED) or self.status.startswith("2.")

    @property
    def is_delayed(self) -> bool:
        """Whether the server still tries."""
        return self.fields.get("action", "").lower().startswith("delayed")

    @property
    def names_recipient(self) -> bool:
        """Whether the group has a recipient field at all."""
        return "final-recipient" in self.fields or "original-recipient" in self.fields


def recipient_statuses(text: str) -> tuple[list[RecipientStatus], str]:
    """The recipients' groups in `text`, and the report's Arrival-Date (empty when missing)."""
    groups: list[RecipientStatus] = []
    arrival = reporter = ""
    for fields in _groups(text):
        arrival = arrival or fields.get("arrival-date", "")
        reporter = reporter or _receiving_reporter(fields)
        group = RecipientStatus(fields, reporter)
        if group.names_recipient:
            groups.append(group)
        if len(groups) >= MAX_RECIPIENTS:
            break
    return groups, arrival


def _receiving_reporter(fields: dict[str, str]) -> str:
    """The server that wrote the report, if it had the mail from somebody else's."""
    reporting = receiving_host(fields.get("reporting-mta", ""))
    sending = receiving_host(fields.get("received-from-mta", ""))
    return reporting if sending not in ("", reporting) else ""


def _groups(text: str) -> Iterator[dict[str, str]]:
    """Fields up to a blank line, or up to one that the group already has."""
    fields: dict[str, str] = {}
    end = 0
    for match in _FIELD.finditer(text):
        name = match[1].lower()
        is_next = name in fields and not name.endswith("-mta")  # some name several servers
        if fields and (is_next or _has_blank_line(text, end, match.start())):
            yield fields
            fields = {}
        fields.setdefault(name, " ".join(match[2].split()))
        end = match.end()
    if fields:
        yield fields


def _has_blank_line(text: str, start: int, end: int) -> bool:
    return "\n\n" in text[start:end] or "\n \n" in text[start:end]


def _without_type(code: str) -> str:
    """`smtp; 550 no such user` -> `550 no such user`."""
    kind, semicolon, said = code.partition(";")
    is_type = bool(semicolon) and " " not in kind.strip() and len(kind) <= 30
    return said.strip() if is_type else code
