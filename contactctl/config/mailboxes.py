"""The config of a mailbox: the parts of its URL, and which keys go together."""

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from contactctl.domain.mailboxes import AfterFetch, Mailbox, MailProtocol

_EXAMPLE = "imaps://user@host/INBOX or pop3s://user@host"

_SCHEMES = {
    "imaps": (MailProtocol.IMAP, True, 993),
    "imap": (MailProtocol.IMAP, False, 143),
    "pop3s": (MailProtocol.POP3, True, 995),
    "pop3": (MailProtocol.POP3, False, 110),
}
_POSSIBLE = {
    MailProtocol.IMAP: tuple(AfterFetch),
    MailProtocol.POP3: (AfterFetch.KEEP, AfterFetch.DELETE),
}
_USUAL = {MailProtocol.IMAP: AfterFetch.MARK_SEEN, MailProtocol.POP3: AfterFetch.KEEP}


class MailboxUrl(NamedTuple):
    """The parts of a mailbox's URL."""

    protocol: MailProtocol
    implicit_tls: bool
    host: str
    port: int
    user: str
    folder: str


def parse_mailbox_url(value: Any) -> MailboxUrl:
    """`imaps://user@host[:port][/FOLDER]`, also imap, pop3s, pop3; ValueError otherwise.

    A password in the URL is refused, and never part of the error's text.
    """
    parts = _split(value)
    protocol, implicit_tls, usual_port = _SCHEMES[parts.scheme]
    folder = unquote(parts.path.strip("/"))
    if folder and protocol is MailProtocol.POP3:
        raise ValueError("POP3 has no folders: write pop3s://user@host")
    return MailboxUrl(
        protocol=protocol,
        implicit_tls=implicit_tls,
        host=parts.hostname or "",
        port=parts.port or usual_port,
        user=unquote(parts.username or ""),
        folder=folder or "INBOX",
    )


def make_mailbox(
    name: str,
    *,
    url: MailboxUrl | None = None,
    after_fetch: AfterFetch | None = None,
    processed_folder: str | None = None,
    ca_file: Path | None = None,
    **secret: Any,
) -> Mailbox:
    """The mailbox; ValueError if keys are missing or cannot be combined."""
    if url is None:
        raise ValueError(f"needs 'url', such as {_EXAMPLE}")
    if len(secret) != 1:
        raise ValueError("needs one of 'password_file', 'password_env' and 'token_command'")
    after_fetch = after_fetch or _USUAL[url.protocol]
    if after_fetch not in _POSSIBLE[url.protocol]:
        raise ValueError(f"POP3 cannot {after_fetch}: 'after_fetch' must be keep or delete")
    if processed_folder and after_fetch is not AfterFetch.MOVE:
        raise ValueError("'processed_folder' needs 'after_fetch: move'")
    return Mailbox(
        name=name,
        protocol=url.protocol,
        host=url.host,
        port=url.port,
        user=url.user,
        implicit_tls=url.implicit_tls,
        folder=url.folder,
        after_fetch=after_fetch,
        processed_folder=processed_folder or "Processed",
        ca_file=ca_file,
        **secret,
    )


def _split(value: Any) -> SplitResult:
    problem = f"must be a URL such as {_EXAMPLE}"
    if not isinstance(value, str):
        raise ValueError(problem)
    try:
        parts = urlsplit(value)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(problem) from None
    if parts.password is not None:
        raise ValueError("no password in the URL: use 'password_file' or 'password_env'")
    complete = parts.scheme in _SCHEMES and parts.hostname and parts.username and port_is_sane
    if not complete or parts.query or parts.fragment:
        raise ValueError(problem)
    return parts
