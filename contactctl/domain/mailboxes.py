"""A mailbox that responses are fetched from."""

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

    The password is in `password_file` or in the environment variable `password_env`; exactly one
    of the two is set. `folder` and `processed_folder` are used only by IMAP. `ca_file`
    replaces the system's certificate authorities.
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
    after_fetch: AfterFetch = AfterFetch.KEEP
    processed_folder: str = "Processed"
    ca_file: Path | None = None
