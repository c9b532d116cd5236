"""Where contacts and responses come from besides files: databases, providers and mailboxes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from contactctl.domain.lazy import dataclass

FOR_LATE_COMMITS = timedelta(minutes=10)
FOR_LATE_EVENTS = timedelta(hours=2)
PROVIDERS = ("sendgrid", "mailgun", "postmark", "sparkpost", "mailjet", "brevo", "ses", "sqs")
AMAZON = ("ses", "sqs")


class Missing(StrEnum):
    """What becomes of contacts that a source no longer has."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True)
class WriteBack:
    """The column of a table of the source that is to say who is active here, and its values."""

    table: str
    column: str
    active: str = "active"
    inactive: str = "inactive"


@dataclass(frozen=True)
class DatabaseSource:
    """A query on another database whose rows are contacts; `key` is the column that names each.

    `url` as that of the store. `cursor` is the column that grows with every change, or empty; rows
    from up to `overlap` before the last one read are read again, for what was committed late.
    `columns` maps columns to fields; what else says how rows are read is as for an import
    (operations.importing.options).
    """

    name: str
    url: str
    query: str
    key: str
    cursor: str = ""
    overlap: timedelta = FOR_LATE_COMMITS
    missing: Missing = Missing.KEEP
    write_back: WriteBack | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    inactive_when: Sequence[str] = ()
    date_formats: Sequence[str] = ()
    separators: Mapping[str, str] = field(default_factory=dict)
    nulls: Sequence[str] = ()
    empty_clears: bool = False
    update_only: bool = False


@dataclass(frozen=True)
class Secret:
    """Where a key or a password is: exactly one of a file, an environment variable, and a command
    that prints it (a token that is made anew each time)."""

    file: Path | None = None
    env: str | None = None
    command: str | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.file, self.env, self.command)) != 1:
            raise ValueError("exactly one")


@dataclass(frozen=True)
class ProviderSource:
    """A provider's API, of which responses are fetched and whose suppressions follow the store.

    `secret` is None for Amazon, which has its own ways. `url` replaces the API's usual address,
    `names` fill its paths (domain, stream); `lists` are those to fetch, empty for all. `region` and
    `queue_url` are Amazon's. Events from up to `overlap` before the last fetch are read again.
    `rate`: at most so many requests a second.
    """

    name: str
    provider: str
    secret: Secret | None = None
    url: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    lists: Sequence[str] = ()
    region: str = ""
    queue_url: str = ""
    overlap: timedelta = FOR_LATE_EVENTS
    rate: float | None = None


Source = DatabaseSource | ProviderSource


def earlier(value: Any, by: timedelta) -> Any:
    """A cursor's value so much earlier, in the form it has; one that is not a time as it is."""
    moment = _moment(value)
    return value if moment is None else _like(value, moment - by)


def not_to_come(value: Any, now: datetime) -> Any:
    """A cursor's value, but never a time after `now`: one row dated ahead must not hide others.

    A time without an offset is taken as UTC: that can only make a later run read more again.
    """
    moment = _moment(value)
    if moment is None:
        return value
    at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if at <= now:
        return value
    return _like(
        value, now.astimezone(moment.tzinfo) if moment.tzinfo else now.replace(tzinfo=None)
    )


def kept_cursor(value: Any) -> str | int | float:
    """A value as JSON can keep it, and as the database reads it again."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str) or len(value) < len("2026-01-01"):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _like(value: Any, moment: datetime) -> Any:
    """The moment in the form of a value: a date, or text with the same mark before the time.

    Text is compared as text in SQLite, so that nothing may stand in another place."""
    if isinstance(value, datetime):
        return moment
    if isinstance(value, date):
        return moment.date()
    day = moment.strftime("%Y-%m-%d")
    if len(value) == len(day):
        return day
    zone = value[19:].lstrip(".0123456789") if moment.tzinfo else ""
    return f"{day}{value[10]}{moment:%H:%M:%S}{zone}"


# A mailbox that responses are fetched from


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
