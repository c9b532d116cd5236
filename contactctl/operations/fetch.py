"""Responses from a mailbox: its mails are marked, moved or deleted once they are recorded."""

from collections.abc import Iterator, Mapping

from contactctl.config.settings import Settings
from contactctl.domain.errors import ConfigError, UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.domain.mailboxes import Mailbox
from contactctl.domain.responses import Event, Rejection
from contactctl.domain.run_kinds import IngestRun
from contactctl.operations import waits
from contactctl.operations.ingest import (
    IngestResult,
    OnReject,
    ingest,
)
from contactctl.operations.read_responses import ResponseReader
from contactctl.operations.session import Session
from contactctl.responses.mailbox import open_mailbox
from contactctl.responses.mailbox_session import MailboxSession

_LONGEST_PASSWORD = 10_000  # a device has no end


def find_mailbox(settings: Settings, name: str | None) -> Mailbox:
    """The mailbox of that name; without one the only mailbox there is."""
    boxes = settings.mailboxes
    if not boxes:
        raise UsageError("the config has no mailbox", hint="name one below `mailboxes:`")
    if name is None:
        if len(boxes) > 1:
            raise UsageError("which mailbox?", hint=f"one of {', '.join(sorted(boxes))}")
        return next(iter(boxes.values()))
    if name not in boxes:
        hint = did_you_mean(name, list(boxes)) or f"one of {', '.join(sorted(boxes))}"
        raise UsageError(f"no mailbox '{name}' in the config", hint=hint)
    return boxes[name]


def read_password(mailbox: Mailbox, environ: Mapping[str, str]) -> str:
    """The password, from its file or its environment variable. Raises ConfigError."""
    if mailbox.password_file is None:
        variable = mailbox.password_env or ""
        if not environ.get(variable):
            raise ConfigError(
                f"mailbox {mailbox.name}: {variable} is not set",
                hint="it must contain the password; or use password_file",
            )
        return environ[variable]
    try:
        with mailbox.password_file.open(encoding="utf-8") as file:
            first_line = file.readline(_LONGEST_PASSWORD).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"mailbox {mailbox.name}: {mailbox.password_file}: {reason}",
            hint="password_file contains the password in its first line",
        ) from error
    if not first_line:
        raise ConfigError(f"mailbox {mailbox.name}: {mailbox.password_file} is empty")
    return first_line


def fetch(
    session: Session,
    mailbox: Mailbox,
    password: str,
    on_reject: OnReject,
    *,
    wait_seconds: float = waits.FOR_INGEST_S,
) -> IngestResult:
    """Ingest what the mailbox holds. Raises MailboxError, BusyError."""
    reader = ResponseReader(session.settings)
    with open_mailbox(mailbox, password) as opened:
        mails = _FetchedMails(opened)
        return ingest(
            session,
            mails.events(reader),
            on_reject,
            details=IngestRun(mailbox=mailbox.name),
            after_commit=mails.commit,
            wait_seconds=wait_seconds,
        )


class _FetchedMails:
    """The mails of an open mailbox; `commit` deals with those that have been read to their end.

    One that cannot be read stays as it is: the mailbox may hold the only copy.
    """

    def __init__(self, opened: MailboxSession) -> None:
        self._opened = opened
        self._finished: list[str] = []

    def events(self, reader: ResponseReader) -> Iterator[Event]:
        """The events of every mail."""
        for mail in self._opened.fetch():
            is_rejected = False
            for event in reader.read_mails([(mail.source, mail.raw)]):
                is_rejected |= isinstance(event, Rejection)
                yield event
            if not is_rejected:
                self._finished.append(mail.receipt)

    def commit(self) -> None:
        """Mark, move or delete them, as the config says."""
        self._opened.commit(self._finished)
        self._finished.clear()
