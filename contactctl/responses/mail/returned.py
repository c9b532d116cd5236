"""The mail that came back: who sent it, and whom it was for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import dedent
from urllib.parse import unquote

from contactctl.responses.mail.addresses import find_address, find_addresses
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


def is_redacted(address: str) -> bool:
    """Whether a provider wrote something else in place of the address (RFC 6590)."""
    return bool(_REDACTED.match(address))


def _lowered(values: Iterable[str]) -> set[str]:
    return {address.lower() for value in values for address in find_addresses(value)}
