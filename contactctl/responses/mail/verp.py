"""Variable envelope return paths: the recipient, encoded in the address that the bounce came to."""

import re
from collections.abc import Iterable

from contactctl.domain.errors import ConfigError
from contactctl.domain.mailboxes import recipient_pattern
from contactctl.responses.mail.addresses import find_addresses


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
