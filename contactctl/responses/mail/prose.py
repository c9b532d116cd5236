"""Bounces in free text: which recipients failed, and what is said about each.

Servers write for people here, each in its own dialect. Common to nearly all: the failed address
opens a line, and what is said about it follows, up to the next address or the returned mail.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, takewhile

from contactctl.responses.mail.addresses import (
    ADDRESS,
    MAX_RECIPIENTS,
    find_addresses,
    without_text_around,
)
from contactctl.responses.mail.notices import without_notices
from contactctl.responses.mail.replies import quoted_replies

MAX_PROSE_CHARACTERS = 32_000
_MAX_SECTION_CHARACTERS = 1_500
_MAX_OPENING_LINES = 12
_HEADER_LINES_OF_A_MAIL = 3
_MAX_HEADER_LINES = 60
_FIELDS_OF_A_MAIL = ("from:", "message-id:", "mime-version:", "received:")
_HELP_ADDRESSES = (
    "postmaster@",
    "mailer-daemon@",
    "support@",
    "abuse@",
    "help@",
    "helpdesk@",
    "unblock@",
    "delist",
)
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
    *("begin 600 ", "begin 644 ", "begin 666 "),  # uuencoded
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
_IN_BRACKETS = re.compile(rf"[\"')\]]{{0,2}}[ \t]{{0,3}}<({ADDRESS})>")
_OWN_ENTRY = re.compile(rf"(?:<{ADDRESS}>|{ADDRESS}):")
_NO_RECIPIENT_LINE = re.compile(
    r"\b(?:mail from|from|sender|reply-to|x-sender|absender|expéditeur|remitente|mittente|remetente"
    r"|afzender|message-?id|identificativo messaggio)\s?[:=]|\bproveniente da\b",
    re.IGNORECASE,
)
_ENVELOPE_RECIPIENT = re.compile(r"\brcpt(?: to)?\s?:", re.IGNORECASE)
# Servers name the address that an alias or a forwarding led from: Exim `generated from`, Postfix
# and sendmail `expanded from`. Exim may keep secret where it led to.
_LED_FROM = re.compile(
    rf"\((?:ultimately )?(?:generated|expanded) from:? {{1,3}}<?({ADDRESS})>?\)", re.IGNORECASE
)
_UNDISCLOSED = "an undisclosed address"

_REASON = re.compile(
    r"\b(?:reasons?|error|message|grund|fehler|raison|motivo|causa|reden)[ \t]?:[ \t]*+\n"
    r"(?:[ \t]*+\n)?([ \t]*+\S[^\n]*+(?:\n[ \t]*+\S[^\n]*+)*+)",
    re.IGNORECASE,
)
# sendmail says so below any refusal that it quotes: of a recipient, or of anything else
_OWN_LAST_WORD = re.compile(
    r"^(<<< .*\n)(?:554 .{0,320}Service unavailable[ \t]*$"
    r"|(55[01] (?:5\.1\.1 )?<\S{3,320}>\.\.\. )User unknown[ \t]*$)",
    re.MULTILINE,
)


@dataclass(slots=True)
class Entry:
    """One failed address, and what the text says about it."""

    address: str
    lines: list[str] = field(default_factory=list)
    reason_comes_first: bool = False
    led_from: str | None = None  # the address that the mail was for before it was forwarded

    @property
    def opening(self) -> str:
        """The first paragraph about this address; other remarks come later."""
        said = "\n".join(self.lines[:_MAX_OPENING_LINES])
        return said.lstrip().partition("\n\n")[0]

    @property
    def section(self) -> str:
        """The lines about this address as one bounded text."""
        return "\n".join(self.lines)[:_MAX_SECTION_CHARACTERS]


class Prose:
    """A bounce's free text, split where the returned mail begins, without notices.

    `own` are lower-case addresses of the sender's side, which are no recipients. `addressees` are
    those whom the returned mail was for: where the text names any of them, it is about them alone.
    """

    def __init__(
        self, text: str, own: Collection[str] = (), addressees: Collection[str] = ()
    ) -> None:
        self._whole = text
        self._own = own
        self._addressees = addressees

    @property
    def _halves(self) -> tuple[list[str], list[str]]:
        return _halves(self._whole)

    @property
    def _said(self) -> list[str]:
        return self._halves[0]

    @cached_property
    def text(self) -> str:
        """What the server says."""
        return "\n".join(self._said)

    def has(self, test: Callable[[str], bool]) -> bool:
        """Whether the whole text, returned mail and all, passes a test."""
        return test(self._whole)

    @property
    def reasons(self) -> list[str]:
        """The paragraphs that `for the following reason:` announces, the last first: what stands
        before is often what may be the matter in general."""
        return [match[1] for match in _REASON.finditer(self.text)][::-1] if ":" in self.text else []

    @property
    def returned(self) -> str:
        """The text from where the returned mail begins."""
        return "\n".join(self._halves[1])

    @cached_property
    def entries(self) -> list[Entry]:
        """The addresses that open a line."""
        return _without_help(_entries(self._said, self._own))

    @cached_property
    def mentions(self) -> list[Entry]:
        """The addresses inside sentences and SMTP dialogues."""
        return self._addressed(_mentions(self._said, self._own))

    @cached_property
    def own_entries(self) -> list[Entry]:
        """Addresses of the sender's side that the text treats as failed: `<returns@shop.example>:`
        with a server's reply. Whoever writes to themselves is a recipient too."""
        every = _entries(self._said, ())
        return [
            each
            for each in every
            if _OWN_ENTRY.match(each.opening) and quoted_replies(each.opening)
        ]

    def _addressed(self, entries: list[Entry]) -> list[Entry]:
        known = [each for each in entries if each.address.lower() in self._addressees]
        return known or _without_help(entries)

    @property
    def names_addressees(self) -> bool:
        """Whether an address that opens a line is one that the returned mail was for."""
        return self.addresses([entry.address for entry in self.entries])

    def addresses(self, recipients: Iterable[str]) -> bool:
        """Whether the returned mail was for any of some recipients."""
        return any(recipient.lower() in self._addressees for recipient in recipients)

    def about(self, address: str) -> Entry | None:
        """What is said about one address; None where the text does not name it."""
        key = address.lower()
        return self._entry_by_address.get(key) or self._mention_by_address.get(key)

    @property
    def is_about_one(self) -> bool:
        """Whether the whole text speaks of no more than one failed address."""
        return len(self.entries) <= 1

    @cached_property
    def _entry_by_address(self) -> dict[str, Entry]:
        return {entry.address.lower(): entry for entry in self.entries}

    @cached_property
    def _mention_by_address(self) -> dict[str, Entry]:
        return {entry.address.lower(): entry for entry in _mentions(self._said, ())}


def without_name(text: str, address: str) -> str:
    """`kari was not found at example.org`, as Exchange writes in each of its languages, with the
    user in place of the name."""
    name, _, domain = address.partition("@")
    if text.count(domain) <= text.count(f"@{domain}"):
        return text
    named, place = (
        re.compile(rf"(?<![\w.@+-]){re.escape(word)}(?![a-z\d_@+-]|\.\w)", re.IGNORECASE)
        for word in (name, domain)
    )
    return "\n".join(
        named.sub(" user ", line) if place.search(line) else line for line in text.split("\n")
    )


@lru_cache(maxsize=4)  # the same text is read for its own words, and for the returned mail
def _halves(whole: str) -> tuple[list[str], list[str]]:
    """The lines that the server says, without notices, and those of the returned mail."""
    text = whole[:MAX_PROSE_CHARACTERS]
    lines = (_OWN_LAST_WORD.sub(r"\1\2", text) if "<<< " in text else text).splitlines()
    end = _start_of_returned_mail(lines)
    return without_notices(lines[:end]), lines[end:]


def _start_of_returned_mail(lines: list[str]) -> int:
    header_lines = start = 0
    for number, line in enumerate(lines):
        if not line:
            header_lines = 0
        elif line.strip(_DECORATION).lower().startswith(_RETURNED_MAIL) or _FOOTER.match(line):
            return number
        elif ":" in line and _HEADER_LINE.match(line):
            start = start if header_lines else number
            header_lines += 1
            if header_lines == _HEADER_LINES_OF_A_MAIL and _is_head_of_a_mail(lines, start):
                return start
        elif not line[0].isspace():
            header_lines = 0
    return len(lines)


def _is_head_of_a_mail(lines: list[str], start: int) -> bool:
    """Whether lines up to a blank one have a field without which there is no mail."""
    head = takewhile(str.strip, islice(lines, start, start + _MAX_HEADER_LINES))
    return any(line.lower().startswith(_FIELDS_OF_A_MAIL) for line in head)


def _entries(lines: list[str], ignored: Collection[str]) -> list[Entry]:
    """Addresses at the start of a line, each with its lines.

    In SMTP transcripts (`550 <kari@example.org>... User unknown`) the reason stands before.
    """
    entries: dict[str, Entry] = {}
    current: Entry | None = None
    before: list[str] = []
    for line in lines:
        match = _ENTRY.match(line) if "@" in line else None
        origin = _LED_FROM.search(line) if "@" in line else None
        if origin and before and before[-1].strip() == _UNDISCLOSED:
            current = entries.setdefault(origin[1].lower(), Entry(origin[1]))
            continue
        goes_on = match and match["code"] and current and _is_continued(current, line)
        if match is None or goes_on or _address_of(line, match).lower() in ignored:
            before.append(line)
            if current:
                current.lines.append(line)
                current.led_from = current.led_from or (origin and origin[1])
            continue
        address = _address_of(line, match)
        current = entries.setdefault(address.lower(), Entry(address))
        current.led_from = current.led_from or (origin and origin[1])
        current.lines.extend([*before, line] if match["code"] else [line])
        before = []
        if match["code"]:
            current.reason_comes_first = True
            current = None
        if len(entries) >= MAX_RECIPIENTS:
            break
    return list(entries.values())


def _is_continued(entry: Entry, line: str) -> bool:
    """Whether a line only goes on with a reply: `host mx.example.org said:`, wrapped there."""
    return line[0].isspace() and entry.lines[-1].rstrip().endswith(":")


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
            if address.lower() not in ignored and len(entries) < MAX_RECIPIENTS:
                entries.setdefault(address.lower(), Entry(address, _from_paragraph(lines, number)))
    return list(entries.values())


def _from_paragraph(lines: list[str], number: int) -> list[str]:
    """The lines from the start of the paragraph that the line `number` stands in."""
    start = number
    while start > 0 and number - start < _MAX_OPENING_LINES and lines[start - 1].strip():
        start -= 1
    return lines[start : number + 40]


def _address_of(line: str, entry: re.Match[str]) -> str:
    """The address that opens a line; of `kari@old.example <kari@example.org>` the second."""
    in_brackets = _IN_BRACKETS.match(line, entry.end())
    address = in_brackets[1] if in_brackets else entry["address"]
    return without_text_around(address.rstrip("."))


def _addresses_of(line: str) -> list[str]:
    command = _ENVELOPE_RECIPIENT.search(line)
    addresses = find_addresses(line[command.end() :] if command else line)
    return addresses[:1] if command else addresses


def _without_help(entries: list[Entry]) -> list[Entry]:
    """Without the addresses to write to for help, where others are named."""
    return [
        each for each in entries if not each.address.lower().startswith(_HELP_ADDRESSES)
    ] or entries
