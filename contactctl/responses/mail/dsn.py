"""Delivery status notifications (RFC 3464): the fields of each recipient.

Read from a message/delivery-status part, or from plain text where a server lost the type.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from contactctl.domain.hosts import receiving_host
from contactctl.responses.mail.addresses import MAX_RECIPIENTS, typed_address

_FIELD = re.compile(
    r"^(Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code|Last-Attempt-Date"
    r"|Arrival-Date|X-Supplementary-Info|X-Actual-Recipient|Remote-MTA|Reporting-MTA|Received-From-MTA)"
    r"[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)",
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
