"""What sessions with a mailbox share: their form, their errors, and TLS."""

import imaplib
import poplib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from contactctl.domain.errors import ContactctlError
from contactctl.domain.sources import Mailbox

_MAX_QUOTED_CHARACTERS = 200
# Gmail's and Microsoft 365's servers
_WITHOUT_PASSWORDS = (".office365.com", ".outlook.com", ".gmail.com", ".googlemail.com")
_AGAIN = "run it again: mails that were not finished are read again, nothing is recorded twice"


class MailboxError(ContactctlError):
    """A mailbox cannot be reached, refuses the login, or breaks off."""

    code = "mailbox"


class FetchedMail(NamedTuple):
    """`source` names the mail in reports; `receipt` is for `commit`.

    `raw` holds the first 10 MiB at most: the report of a bounce comes before the mail it returns.
    """

    source: str
    raw: bytes
    receipt: str


class MailboxSession(Protocol):
    """An open mailbox."""

    def fetch(self) -> Iterator[FetchedMail]:
        """Every mail to be read, one at a time. Raises MailboxError."""

    def commit(self, receipts: Iterable[str]) -> None:
        """Mark, move or delete mails, once their responses are committed. Raises MailboxError.

        IMAP does so at once, POP3 when the session is closed in order.
        """

    def close(self) -> None:
        """End the session in order."""

    def abandon(self) -> None:
        """Drop the connection; what POP3 has not yet deleted stays."""


@contextmanager
def mailbox_errors(mailbox: Mailbox) -> Iterator[None]:
    """Every failure of a connection as a MailboxError in plain words."""
    where = f"mailbox {mailbox.name}: {mailbox.host}:{mailbox.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        reason = f"certificate is not trusted ({error.verify_message})"
        raise MailboxError(f"{where}: {reason}", hint="set ca_file to its authority") from error
    except TimeoutError as error:
        raise MailboxError(f"{where}: no answer in time", hint=_AGAIN) from error
    except socket.gaierror as error:
        raise MailboxError(f"{where}: unknown host", hint="check the url") from error
    except (imaplib.IMAP4.error, poplib.error_proto, OSError, EOFError, ValueError) as error:
        raise MailboxError(f"{where}: {quoted(error)}", hint=_AGAIN) from error


def quoted(error: BaseException) -> str:
    """A server's words out of an error, or the error's kind."""
    words = getattr(error, "strerror", None) or (error.args[0] if error.args else "")
    return on_one_line(words) or type(error).__name__


def on_one_line(words: object) -> str:
    """A server's words, on one line and not too many."""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable[:_MAX_QUOTED_CHARACTERS].strip()


def login_refused(mailbox: Mailbox, error: BaseException) -> MailboxError:
    """The error for a refused user or password."""
    message = f"mailbox {mailbox.name}: {mailbox.host} refuses the login of {mailbox.user}"
    return MailboxError(f"{message}: {quoted(error)}", hint=_login_hint(mailbox))


def _login_hint(mailbox: Mailbox) -> str:
    if mailbox.token_command is not None:
        return "check the user, and that the token is of the scope for IMAP or POP3 and not expired"
    if mailbox.host.lower().endswith(_WITHOUT_PASSWORDS):
        return (
            "this host takes access tokens in place of passwords (OAuth 2.0): in place of the"
            " password give token_command, a command that prints one"
        )
    return "check the user and the password"


def xoauth2_answers(user: str, token: str) -> Callable[[bytes], bytes]:
    """What is sent for the mechanism XOAUTH2: the token, and nothing once it has been refused."""
    answers = [f"user={user}\1auth=Bearer {token}\1\1".encode()]
    return lambda _challenge: answers.pop() if answers else b""


def tls_context(mailbox: Mailbox) -> ssl.SSLContext:
    """Verifies host and certificate against `ca_file`, or against the system's authorities."""
    return ssl.create_default_context(cafile=mailbox.ca_file)
