"""Email addresses inside header fields and prose, and in variable envelope return paths (VERP)."""

import re
from collections.abc import Iterable

from contactctl.domain.errors import ConfigError
from contactctl.domain.sources import recipient_pattern

MAX_RECIPIENTS = 1_000

# `***@example.org` names nobody: the server keeps the name to itself.
ADDRESS = r"(?!\*{1,64}@)[^\s<>()\[\],;:\"'|@\\]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}"
_ADDRESS = re.compile(ADDRESS)
_LINK = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)
# Chinese, Japanese and Korean set no spaces around an address; logs write `to=` before it.
_SCRIPT = "\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"
_TEXT_AROUND = re.compile(rf"^[{_SCRIPT}]+(?=[!-~]+@)|(?<=[a-z])[{_SCRIPT}]+$", re.IGNORECASE)
_LOG_KEY = re.compile(r"^(?:to|rcpt|recipient|orig_to|addr|address|email|user)=", re.IGNORECASE)
# RFC 6533, 3: characters of an address beyond ASCII in a report that is ASCII.
_XTEXT_CHARACTER = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_XTEXT_BYTE = re.compile(r"\+([0-9A-F]{2})")


def find_address(text: str) -> str | None:
    """The first address in `text`, as written."""
    if "@" not in text:
        return None
    match = _ADDRESS.search(text[:1_000])
    return without_text_around(match[0]) if match else None


def find_addresses(text: str) -> list[str]:
    """The addresses in `text`, each once, in order; at most MAX_RECIPIENTS."""
    if "@" not in text:
        return []
    text = text[:100_000]
    if "://" in text:  # to the page of a postmaster, with whose mail it is about
        text = _LINK.sub(" ", text)
    found = map(without_text_around, _ADDRESS.findall(text))
    return list(dict.fromkeys(found))[:MAX_RECIPIENTS]


def without_text_around(address: str) -> str:
    """`address` without a log's key, and the words that a language without spaces joins to it."""
    if "=" in address:
        address = _LOG_KEY.sub("", address)
    return address if address.isascii() else _TEXT_AROUND.sub("", address)


def typed_address(value: str) -> str | None:
    r"""The address of a DSN field such as `rfc822; kari@example.org` (RFC 3464, 2.3.2).

    Of type `utf-8` too, where `k\x{E5}re@example.org` is kåre (RFC 6533, 3).
    """
    address_type, semicolon, rest = value.partition(";")
    if not semicolon:
        return find_address(address_type)
    if "\\x{" in rest and address_type.strip().lower() == "utf-8":
        rest = _XTEXT_CHARACTER.sub(_character, rest)
    if "@" not in rest and "+40" in rest:  # an xtext (RFC 3461, 4) that nobody decoded
        rest = _XTEXT_BYTE.sub(lambda match: chr(int(match[1], 16)), rest)
    return find_address(rest)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    is_character = 0x80 <= number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_character else match[0]


# Variable envelope return paths: the recipient, encoded in the address that the bounce came to


class VerpPattern:
    """Reads addresses such as `bounce+kari=example.org@news.example.com`."""

    def __init__(self, expression: re.Pattern[str]) -> None:
        self._expression = expression

    @classmethod
    def parse(cls, template: str) -> "VerpPattern":
        """From a template of the config (domain.verp). Raises ConfigError."""
        try:
            return cls(recipient_pattern(template))
        except ValueError as error:
            raise ConfigError(f"verp: {error}") from None

    def recipient(self, address: str) -> str | None:
        """The recipient that `address` encodes; None where it does not fit the template."""
        match = self._expression.fullmatch(address.strip()[:400])
        return f"{match['local']}@{match['domain']}" if match else None

    def first_recipient(self, fields: Iterable[str]) -> str | None:
        """The first recipient that an address in one of several header fields encodes."""
        for address in (address for value in fields for address in find_addresses(value)):
            if recipient := self.recipient(address):
                return recipient
        return None
