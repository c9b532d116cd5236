"""Mails from an IMAP or POP3 mailbox over TLS; only `commit` changes the mailbox.

IMAP (RFC 9051, RFC 3501): mails are fetched by UID without marking them as seen. POP3 (RFC 1939)
knows no marks, so mails either stay or are deleted.
"""

import base64
import imaplib
import poplib
import re
from array import array
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from contactctl.domain.sources import AfterFetch, Mailbox, MailProtocol
from contactctl.responses.mail import MAX_MAIL_BYTES
from contactctl.responses.mailbox_session import (
    FetchedMail,
    MailboxError,
    MailboxSession,
    login_refused,
    mailbox_errors,
    on_one_line,
    tls_context,
    xoauth2_answers,
)

_UIDS_A_COMMAND = 200
_MAILS_A_SEARCH = 10_000
_SHOWN_FOLDERS = 12
_FOLDER_AT_END = re.compile(rb'(?:"([^"]+)"|([^\s"]+))$')  # of an answer to LIST
_CHECK = "check the folder at the end of the url, and processed_folder"
_SEARCHES = {
    AfterFetch.KEEP: "UNDELETED",
    AfterFetch.MARK_SEEN: "UNSEEN UNDELETED",
    AfterFetch.MOVE: "UNDELETED",
    AfterFetch.DELETE: "UNDELETED",
}


class ImapSession:
    """See mailbox_session.MailboxSession."""

    def __init__(self, mailbox: Mailbox, password: str, timeout: float) -> None:
        self._mailbox = mailbox
        self._connection = _connect_imap(mailbox, timeout)
        try:
            self._log_in(password)
            self._mail_count = self._select()
        except BaseException:
            self.abandon()
            raise

    def fetch(self) -> Iterator[FetchedMail]:
        with mailbox_errors(self._mailbox):
            uids = self._search()
        for uid in uids:
            with mailbox_errors(self._mailbox):
                raw = self._fetch_one(uid)
            if raw is not None:
                source = f"imap://{self._mailbox.host}/{self._mailbox.folder}/;UID={uid}"
                yield FetchedMail(source, raw, str(uid))

    def commit(self, receipts: Iterable[str]) -> None:
        uids = list(receipts)
        with mailbox_errors(self._mailbox):
            for start in range(0, len(uids), _UIDS_A_COMMAND):
                self._finish(",".join(uids[start : start + _UIDS_A_COMMAND]))

    def close(self) -> None:
        self._connection.logout()

    def abandon(self) -> None:
        with suppress(OSError, imaplib.IMAP4.error):
            self._connection.shutdown()

    def _log_in(self, password: str) -> None:
        user = self._mailbox.user
        try:
            if self._mailbox.token_command is not None:
                self._connection.authenticate("XOAUTH2", xoauth2_answers(user, password))
            elif "AUTH=PLAIN" in self._connection.capabilities:
                token = f"\0{user}\0{password}".encode()
                self._connection.authenticate("PLAIN", lambda _: token)
            else:
                self._connection.login(_in_quotes(user), password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeEncodeError) as error:
            raise login_refused(self._mailbox, error) from None
        self._capabilities = self._ask("CAPABILITY", *self._connection.capability()).upper().split()

    def _select(self) -> int:
        """Open the folder, read-only where nothing may change; the number of its mails."""
        folder = self._mailbox.folder
        readonly = self._mailbox.after_fetch is AfterFetch.KEEP
        answer, data = self._connection.select(folder_argument(folder), readonly=readonly)
        if answer != "OK":
            raise self._no_folder(folder, data)
        return int(data[0] or 0)

    def _no_folder(self, folder: str, said: list[Any]) -> MailboxError:
        """With the names of folders that there are: they may begin with INBOX, or be translated."""
        answer, lines = self._connection.list('""', "*")
        names = [_FOLDER_AT_END.search(line) for line in lines if isinstance(line, bytes)]
        shown = [name[1] or name[2] for name in names[:_SHOWN_FOLDERS] if name]
        known = on_one_line(b", ".join(shown)) if answer == "OK" else ""
        words = on_one_line(said[-1] or "") if said else ""
        return MailboxError(
            f"mailbox {self._mailbox.name}: no folder {folder!r}{words and f': {words}'}",
            hint=f"check its name; folders there: {known}" if known else _CHECK,
        )

    def _search(self) -> "array[int]":
        """The UIDs of all mails to read, in parts: imaplib bounds the length of an answer."""
        criterion = _SEARCHES[self._mailbox.after_fetch]
        uids = array("L")
        for first in range(1, self._mail_count + 1, _MAILS_A_SEARCH):
            last = min(first + _MAILS_A_SEARCH - 1, self._mail_count)
            answer, lines = self._connection.uid("SEARCH", f"{first}:{last} {criterion}")
            self._ask("SEARCH", answer, lines)
            # a server may tell them in several answers
            uids.extend(int(uid) for line in lines for uid in (line or b"").split())
        return uids

    def _fetch_one(self, uid: int) -> bytes | None:
        """The mail's first bytes; None where it has vanished since the search. Without any where
        the server cannot give it, so that one damaged mail does not keep back the others."""
        wanted = f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)"
        answer, data = self._connection.uid("FETCH", str(uid), wanted)
        mails: list[bytes] = [part[1] for part in data if isinstance(part, tuple)]
        if mails:
            return mails[-1]
        is_there = answer != "OK" or any(b"UID %d " % uid in (part or b"") for part in data)
        return b"" if is_there else None

    def _finish(self, uid_set: str) -> None:
        match self._mailbox.after_fetch:
            case AfterFetch.MARK_SEEN:
                self._uid("STORE", uid_set, "+FLAGS.SILENT", r"(\Seen)")
            case AfterFetch.MOVE:
                self._move(uid_set)
            case AfterFetch.DELETE:
                self._delete(uid_set)

    def _move(self, uid_set: str) -> None:
        folder = folder_argument(self._mailbox.processed_folder)
        command = "MOVE" if "MOVE" in self._capabilities else "COPY"
        answer, data = self._connection.uid(command, uid_set, folder)
        if answer != "OK" and b"TRYCREATE" in (data[-1] or b""):
            made, words = self._connection.create(folder)
            if made != "OK":
                raise self._no_folder(self._mailbox.processed_folder, words)
            answer, data = self._connection.uid(command, uid_set, folder)
        if answer != "OK":
            raise self._no_folder(self._mailbox.processed_folder, data)
        if command == "COPY":
            self._delete(uid_set)

    def _delete(self, uid_set: str) -> None:
        r"""Without UIDPLUS the mails stay, flagged \Deleted: EXPUNGE would take others' with it."""
        self._uid("STORE", uid_set, "+FLAGS.SILENT", r"(\Seen \Deleted)")
        if "UIDPLUS" in self._capabilities:
            self._uid("EXPUNGE", uid_set)

    def _uid(self, command: str, *arguments: str) -> str:
        return self._ask(command, *self._connection.uid(command, *arguments))

    @staticmethod
    def _ask(command: str, answer: str, data: list[Any]) -> str:
        words = data[-1].decode(errors="replace") if data and isinstance(data[-1], bytes) else ""
        if answer != "OK":
            raise imaplib.IMAP4.error(f"{command} refused: {words}")
        return words


class _PlainImap(imaplib.IMAP4):
    """For STARTTLS; with a limit on what one answer may hold."""

    def read(self, size: int) -> bytes:
        return super().read(_within_limit(size))


class _TlsImap(imaplib.IMAP4_SSL):
    """TLS from the first byte; with a limit on what one answer may hold."""

    def read(self, size: int) -> bytes:
        return super().read(_within_limit(size))


def folder_argument(name: str) -> str:
    """A folder's name in quotes and modified UTF-7 (RFC 3501, 5.1.3)."""
    runs = re.split(r"([^\x20-\x7e]+)", name)
    encoded = [
        _in_modified_base64(run) if position % 2 else run.replace("&", "&-")
        for position, run in enumerate(runs)
    ]
    return _in_quotes("".join(encoded))


def _in_modified_base64(run: str) -> str:
    text = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=")
    return f"&{text.replace('/', ',')}-"


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _within_limit(size: int) -> int:
    if size > MAX_MAIL_BYTES:
        raise imaplib.IMAP4.abort(f"answer of {size} bytes, more than asked for")
    return size


def _connect_imap(mailbox: Mailbox, timeout: float) -> imaplib.IMAP4:
    context = tls_context(mailbox)
    if mailbox.implicit_tls:
        return _TlsImap(mailbox.host, mailbox.port, ssl_context=context, timeout=timeout)
    connection = _PlainImap(mailbox.host, mailbox.port, timeout=timeout)
    try:
        connection.starttls(context)
    except BaseException:
        connection.shutdown()
        raise
    return connection


# A POP3 mailbox (RFC 1939): it knows no marks, so mails either stay or are deleted


_LINES_OF_A_LARGE_MAIL = 5_000


class Pop3Session:
    """See mailbox_session.MailboxSession."""

    def __init__(self, mailbox: Mailbox, password: str, timeout: float) -> None:
        self._mailbox = mailbox
        self._connection = _connect_pop3(mailbox, timeout)
        try:
            self._log_in(password)
            self._numbers = self._list_uidls()
        except BaseException:
            self.abandon()
            raise

    def fetch(self) -> Iterator[FetchedMail]:
        with mailbox_errors(self._mailbox):
            sizes = self._list_sizes()
        for uidl, number in self._numbers.items():
            with mailbox_errors(self._mailbox):
                raw = self._fetch_one(number, sizes.get(number, 0))
            yield FetchedMail(f"pop3://{self._mailbox.host}/;UIDL={uidl}", raw, uidl)

    def commit(self, receipts: Iterable[str]) -> None:
        if self._mailbox.after_fetch is not AfterFetch.DELETE:
            return
        with mailbox_errors(self._mailbox):
            for uidl in receipts:
                self._connection.dele(self._numbers[uidl])

    def close(self) -> None:
        self._connection.quit()

    def abandon(self) -> None:
        """Without QUIT the server deletes nothing (RFC 1939, 6)."""
        with suppress(OSError):
            self._connection.close()

    def _log_in(self, password: str) -> None:
        try:
            if self._mailbox.token_command is not None:
                self._log_in_with_token(password)
                return
            self._connection.user(self._mailbox.user)
            self._connection.pass_(password)
        except poplib.error_proto as error:
            raise login_refused(self._mailbox, error) from None

    def _log_in_with_token(self, token: str) -> None:
        """Two steps, as Microsoft wants it; a server that refuses says why before it ends."""
        answer = xoauth2_answers(self._mailbox.user, token)
        self._connection._shortcmd("AUTH XOAUTH2")  # type: ignore[attr-defined]
        encoded = b64encode(answer(b"")).decode()
        if not self._connection._shortcmd(encoded).startswith(b"+OK"):  # type: ignore[attr-defined]
            self._connection._shortcmd("")  # type: ignore[attr-defined]

    def _list_uidls(self) -> dict[str, int]:
        lines = (line.split(maxsplit=1) for line in self._connection.uidl()[1])
        return {uidl.decode(errors="replace"): int(number) for number, uidl in lines}

    def _list_sizes(self) -> dict[int, int]:
        lines = (line.split() for line in self._connection.list()[1])
        return {int(number): int(size) for number, size, *_ in lines}

    def _fetch_one(self, number: int, size: int) -> bytes:
        if size > MAX_MAIL_BYTES:
            lines = self._connection.top(number, _LINES_OF_A_LARGE_MAIL)[1]
        else:
            lines = self._connection.retr(number)[1]
        return b"\r\n".join([*lines, b""])[:MAX_MAIL_BYTES]


def _connect_pop3(mailbox: Mailbox, timeout: float) -> poplib.POP3:
    # poplib refuses lines of more than 2,048 bytes; mails have them
    poplib._MAXLINE = MAX_MAIL_BYTES  # type: ignore[attr-defined]
    context = tls_context(mailbox)
    if mailbox.implicit_tls:
        return poplib.POP3_SSL(mailbox.host, mailbox.port, timeout=timeout, context=context)
    connection = poplib.POP3(mailbox.host, mailbox.port, timeout=timeout)
    try:
        connection.stls(context)
    except BaseException:
        connection.close()
        raise
    return connection


# Mails from an IMAP or POP3 mailbox over TLS; only `commit` changes the mailbox.
#
# Whatever happens before it, the next fetch finds the same mails again


TIMEOUT_SECONDS = 30.0


@contextmanager
def open_mailbox(
    mailbox: Mailbox, password: str, *, timeout: float = TIMEOUT_SECONDS
) -> Iterator[MailboxSession]:
    """A session that is closed in order, or abandoned if the block raises.

    `timeout` is in seconds, for each answer of the server. Raises MailboxError.
    """
    with mailbox_errors(mailbox):
        session = _connect(mailbox, password, timeout)
    try:
        yield session
    except BaseException:
        session.abandon()
        raise
    with mailbox_errors(mailbox):
        session.close()


def _connect(mailbox: Mailbox, password: str, timeout: float) -> MailboxSession:
    if set(password + mailbox.user) & set("\r\n\0"):
        hint = "one line, without line breaks"
        raise MailboxError(f"mailbox {mailbox.name}: user or password has a line break", hint=hint)
    session = ImapSession if mailbox.protocol is MailProtocol.IMAP else Pop3Session
    return session(mailbox, password, timeout)
