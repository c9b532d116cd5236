"""Mails from an IMAP or POP3 mailbox over TLS; only `commit` changes the mailbox.

Whatever happens before it, the next fetch finds the same mails again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from contactctl.domain.mailboxes import Mailbox, MailProtocol
from contactctl.responses.mailbox_imap import ImapSession
from contactctl.responses.mailbox_pop3 import Pop3Session
from contactctl.responses.mailbox_session import MailboxError, MailboxSession, mailbox_errors

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
