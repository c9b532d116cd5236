"""A mailbox that responses are fetched from."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class MailProtocol(StrEnum):
    """How a mailbox is read."""

    IMAP = "imap"
    POP3 = "pop3"


class AfterFetch(StrEnum):
    """What happens to a mail once its responses are committed."""

    KEEP = "keep"
    MARK_SEEN = "mark-seen"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True)
class Mailbox:
    """Where and how to read mails, always over TLS: from the first byte, or STARTTLS / STLS.

    The password is in `password_file` or in the environment variable `password_env`, or
    `token_command` prints an OAuth 2.0 access token; exactly one of the three is set. `folder` and
    `processed_folder` are used only by IMAP. `ca_file` replaces the system's certificate
    authorities.
    """

    name: str
    protocol: MailProtocol
    host: str
    port: int
    user: str
    implicit_tls: bool = True
    folder: str = "INBOX"
    password_file: Path | None = None
    password_env: str | None = None
    token_command: str | None = None
    after_fetch: AfterFetch = AfterFetch.KEEP
    processed_folder: str = "Processed"
    ca_file: Path | None = None


# Variable envelope return paths: the recipient's address within that of the bounce's receiver


EXAMPLE = "bounce+{local}={domain}@returns.example.com"
_TEMPLATE = re.compile(r"[^{}@\s]*\{local\}[^{}@\s]+\{domain\}[^{}@\s]*@[^{}@\s]+")
_PIECES = {
    "{local}": r"(?P<local>[^\s@<>]{1,128})",
    "{domain}": r"(?P<domain>[\w.-]{1,255})",
    "*": r"[^\s@]{0,128}",
}


def is_template(text: str) -> bool:
    """Whether the text has `{local}` and then `{domain}` once each before its @, kept apart."""
    return _TEMPLATE.fullmatch(text) is not None


def recipient_pattern(template: str) -> re.Pattern[str]:
    """What finds `local` and `domain` in an address of the template; ValueError for no template."""
    if not is_template(template):
        raise ValueError(f"{template!r} is not an address pattern such as {EXAMPLE}")
    pieces = re.split(r"(\{local\}|\{domain\}|\*)", template)
    expression = "".join(_PIECES.get(piece) or re.escape(piece) for piece in pieces)
    return re.compile(expression, re.IGNORECASE)
