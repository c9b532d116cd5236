"""A POP3 mailbox (RFC 1939): it knows no marks, so mails either stay or are deleted."""

import poplib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress

from contactctl.domain.mailboxes import AfterFetch, Mailbox
from contactctl.responses.mail import MAX_MAIL_BYTES
from contactctl.responses.mailbox_session import (
    FetchedMail,
    login_refused,
    mailbox_errors,
    tls_context,
    xoauth2_answers,
)

_LINES_OF_A_LARGE_MAIL = 5_000


class Pop3Session:
    """See mailbox_session.MailboxSession."""

    def __init__(self, mailbox: Mailbox, password: str, timeout: float) -> None:
        self._mailbox = mailbox
        self._connection = _connect(mailbox, timeout)
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


def _connect(mailbox: Mailbox, timeout: float) -> poplib.POP3:
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
