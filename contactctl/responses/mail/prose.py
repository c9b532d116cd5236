"""Bounces in free text: which recipients failed, and what is said about each.

Servers write for people here, each in its own dialect. Common to nearly all: the failed address
opens a line, and what is said about it follows, up to the next address or the returned mail.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from contactctl.responses.mail.addresses import (
    ADDRESS,
    MAX_RECIPIENTS,
    find_addresses,
    without_text_around,
)

MAX_PROSE_CHARACTERS = 32_000
_MAX_SECTION_CHARACTERS = 1_500
_MAX_OPENING_LINES = 12
_HEADER_LINES_OF_A_MAIL = 3
_HELP_ADDRESSES = ("postmaster@", "mailer-daemon@", "support@", "abuse@", "helpdesk@")
_DECORATION = " \t-=_*|+>#.:"

# Where the returned mail begins; what follows are the sender's own words.
_RETURNED_MAIL = (
    "this is a copy of",
    "below is a copy",
    "below this line is a copy",
    "enclosed is a copy",
    "a copy of the",
    "copy of the original",
    "the header of the original",
    "the headers of the original",
    "original message",
    "original mail",
    "your original message",
    "message header",
    "message text follows",
    "unsent message follows",
    "returned message",
    "undelivered message",
    "forwarded message",
    "ursprüngliche nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "исходное сообщение",
    "return-path:",
    "received: from",
    "received: by",
    "dkim-signature:",
)
# Scanners and gateways add words about spam and viruses that say nothing about the failure.
_FOOTER = re.compile(
    r"--[ ]?$|(?:this |the )?(?:e-?mail|message|mail) (?:has been|was|is) (?:checked|scanned)"
    r"|(?:checked|scanned) (?:by|for) |virus-free|diese (?:e-?mail|nachricht) wurde .{0,20}geprüft",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(
    r"(?:from|to|cc|date|subject|message-id|mime-version|content-[a-z-]{1,40}|user-agent|sender"
    r"|reply-to|x-[a-z0-9-]{1,60}):",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    r"[\s>*|•·\-]{0,60}"
    r"(?P<code>[245]\d\d(?:[ -][245]\.\d\.\d)? )?"
    r"(?:(?:failed |final |original )?(?:recipient|address|recipient address)s?\s?: {0,20})?"
    rf"[\"'<(\[]{{0,3}}(?:mailto:)?(?P<address>{ADDRESS})",
    re.IGNORECASE,
)
_NO_RECIPIENT_LINE = re.compile(r"\b(?:mail from|from|sender|reply-to|x-sender)\s?:", re.IGNORECASE)
_ENVELOPE_RECIPIENT = re.compile(r"\brcpt(?: to)?\s?:", re.IGNORECASE)


@dataclass(slots=True)
class Entry:
    """One failed address, and what the text says about it."""

    address: str
    lines: list[str] = field(default_factory=list)

    @property
    def opening(self) -> str:
        """The first paragraph about this address; notices and footers come later."""
        said = "\n".join(self.lines[:_MAX_OPENING_LINES])
        return said.lstrip().partition("\n\n")[0]

    @property
    def section(self) -> str:
        """The lines about this address as one bounded text."""
        return "\n".join(self.lines)[:_MAX_SECTION_CHARACTERS]


class Prose:
    """A bounce's free text, split where the returned mail begins.

    `senders` are lower-case addresses that are taken for recipients only where no others are.
    """

    def __init__(self, text: str, senders: Collection[str] = ()) -> None:
        self._whole = text
        self._senders = senders

    @cached_property
    def _halves(self) -> tuple[list[str], list[str]]:
        lines = self._whole[:MAX_PROSE_CHARACTERS].splitlines()
        end = _start_of_returned_mail(lines)
        return lines[:end], lines[end:]

    @property
    def _said(self) -> list[str]:
        return self._halves[0]

    @cached_property
    def text(self) -> str:
        """What the server says."""
        return "\n".join(self._said)

    @property
    def returned(self) -> str:
        """The text from where the returned mail begins."""
        return "\n".join(self._halves[1])

    @cached_property
    def entries(self) -> list[Entry]:
        """The addresses that open a line, other than senders."""
        return _entries(self._said, self._senders)

    @cached_property
    def mentions(self) -> list[Entry]:
        """The addresses inside sentences and SMTP dialogues."""
        return _mentions(self._said, self._senders) or _mentions(self._said, ())

    def about(self, address: str) -> list[str]:
        """What is said about one address: its own lines, then, where it is alone, all the text."""
        key = address.lower()
        entry = self._entry_by_address.get(key)
        if entry:
            closest = [entry.opening, entry.section]
            return closest if len(self.entries) > 1 else [*closest, self.text]
        mention = self._mention_by_address.get(key)
        return [mention.section, self.text] if mention else [self.text]

    @cached_property
    def _entry_by_address(self) -> dict[str, Entry]:
        return {entry.address.lower(): entry for entry in self.entries}

    @cached_property
    def _mention_by_address(self) -> dict[str, Entry]:
        return {entry.address.lower(): entry for entry in self.mentions}


def _start_of_returned_mail(lines: list[str]) -> int:
    header_lines = 0
    for number, line in enumerate(lines):
        if not line:
            header_lines = 0
        elif line.strip(_DECORATION).lower().startswith(_RETURNED_MAIL) or _FOOTER.match(line):
            return number
        elif _HEADER_LINE.match(line):
            header_lines += 1
            if header_lines == _HEADER_LINES_OF_A_MAIL:
                return number - _HEADER_LINES_OF_A_MAIL + 1
        elif not line[0].isspace():
            header_lines = 0
    return len(lines)


def _entries(lines: list[str], ignored: Collection[str]) -> list[Entry]:
    """Addresses at the start of a line, each with its lines.

    In SMTP transcripts (`550 <kari@example.org>... User unknown`) the reason stands before.
    """
    entries: dict[str, Entry] = {}
    current: Entry | None = None
    before: list[str] = []
    for line in lines:
        match = _ENTRY.match(line) if "@" in line else None
        if match is None or _is_ignored(match["address"], ignored):
            before.append(line)
            if current:
                current.lines.append(line)
            continue
        address = without_text_around(match["address"].rstrip("."))
        current = entries.setdefault(address.lower(), Entry(address))
        current.lines.extend([*before, line] if match["code"] else [line])
        before = []
        if match["code"]:
            current = None
        if len(entries) >= MAX_RECIPIENTS:
            break
    return list(entries.values())


def _mentions(lines: list[str], ignored: Collection[str]) -> list[Entry]:
    """Addresses inside lines; those of an SMTP RCPT command alone where there is one."""
    candidates = [
        (number, line)
        for number, line in enumerate(lines)
        if "@" in line and (not _NO_RECIPIENT_LINE.search(line) or _ENVELOPE_RECIPIENT.search(line))
    ]
    commands = [(number, line) for number, line in candidates if _ENVELOPE_RECIPIENT.search(line)]
    entries: dict[str, Entry] = {}
    for number, line in commands or candidates:
        for address in _addresses_of(line):
            if not _is_ignored(address, ignored) and len(entries) < MAX_RECIPIENTS:
                entries.setdefault(address.lower(), Entry(address, lines[number : number + 40]))
    return list(entries.values())


def _addresses_of(line: str) -> list[str]:
    command = _ENVELOPE_RECIPIENT.search(line)
    addresses = find_addresses(line[command.end() :] if command else line)
    return addresses[:1] if command else addresses


def _is_ignored(address: str, ignored: Collection[str]) -> bool:
    """Whether an address is one to write to for help, or among `ignored`."""
    address = address.lower()
    return address in ignored or (bool(ignored) and address.startswith(_HELP_ADDRESSES))
