"""Variable envelope return paths: the recipient, encoded in the address that the bounce came to."""

import re
from collections.abc import Iterable

from contactctl.domain.errors import ConfigError
from contactctl.responses.mail.addresses import find_addresses

_PLACEHOLDERS = {"{local}": r"(?P<local>[^\s@<>]{1,128})", "{domain}": r"(?P<domain>[\w.-]{1,255})"}


class VerpPattern:
    """Reads addresses such as `bounce+kari=example.org@news.example.com`."""

    def __init__(self, expression: re.Pattern[str]) -> None:
        self._expression = expression

    @classmethod
    def parse(cls, template: str) -> "VerpPattern":
        """From a template such as `bounce+{local}={domain}@news.example.com`.

        `{local}` and `{domain}` stand once each; `*` stands for anything. Raises ConfigError.
        """
        hint = "for example: bounce+{local}={domain}@news.example.com"
        for placeholder in _PLACEHOLDERS:
            if template.count(placeholder) != 1:
                raise ConfigError(f"verp: {template!r} needs {placeholder} once", hint=hint)
        pieces = re.split(r"(\{[^{}]*\}|\*)", template)
        if any(piece.startswith("{") and piece not in _PLACEHOLDERS for piece in pieces):
            raise ConfigError(f"verp: {template!r} has an unknown placeholder", hint=hint)
        if "@" not in template:
            raise ConfigError(f"verp: {template!r} is no address", hint=hint)
        return cls(re.compile("".join(_expression_of(piece) for piece in pieces), re.IGNORECASE))

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


def _expression_of(piece: str) -> str:
    if piece == "*":
        return r"[^\s@]{0,128}"
    return _PLACEHOLDERS.get(piece) or re.escape(piece)
