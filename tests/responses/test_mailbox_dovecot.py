"""Fetching from a real Dovecot, where one is installed."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contactctl.domain.sources import AfterFetch, Mailbox, MailProtocol
from contactctl.responses.mailbox import open_mailbox
from contactctl.responses.mailbox_session import MailboxError
from helpers.dovecot import Dovecot, is_usable, running_dovecot
from helpers.tls_server import CERTIFICATE

pytestmark = pytest.mark.skipif(not is_usable(), reason="no Dovecot 2.3 is installed")

MAILS = [
    b"Subject: one\r\n\r\nfirst\r\n",
    b"Subject: two\r\n\r\n.dots\r\n" + b"x" * 5_000 + b"\r\n",
]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    # not tmp_path: the path of a Unix socket may have about 100 characters
    with TemporaryDirectory() as folder, running_dovecot(Path(folder), MAILS) as server:
        yield server


def mailbox(protocol: MailProtocol, port: int, after: AfterFetch, *, tls: bool = True) -> Mailbox:
    return Mailbox(
        name="bounces",
        protocol=protocol,
        host="localhost",
        port=port,
        user="bounces",
        implicit_tls=tls,
        after_fetch=after,
        processed_folder="Søppel & co",
        ca_file=CERTIFICATE,
    )


def fetch(box: Mailbox, *, commit: bool) -> list[bytes]:
    with open_mailbox(box, "secret", timeout=60) as session:
        mails = list(session.fetch())
        if commit:
            session.commit([mail.receipt for mail in mails])
        return sorted(mail.raw for mail in mails)


@pytest.mark.parametrize("after", [AfterFetch.MARK_SEEN, AfterFetch.MOVE, AfterFetch.DELETE])
def test_imap_changes_on_commit_alone(dovecot: Dovecot, after: AfterFetch) -> None:
    box = mailbox(MailProtocol.IMAP, dovecot.imaps, after)
    assert fetch(box, commit=False) == fetch(box, commit=True) == MAILS
    assert fetch(box, commit=True) == []


def test_imap_keep_changes_nothing(dovecot: Dovecot) -> None:
    box = mailbox(MailProtocol.IMAP, dovecot.imaps, AfterFetch.KEEP)
    assert fetch(box, commit=True) == fetch(box, commit=True) == MAILS


def test_imap_with_starttls(dovecot: Dovecot) -> None:
    box = mailbox(MailProtocol.IMAP, dovecot.imap, AfterFetch.KEEP, tls=False)
    assert fetch(box, commit=False) == MAILS


def test_moved_mails_can_be_found(dovecot: Dovecot) -> None:
    fetch(mailbox(MailProtocol.IMAP, dovecot.imaps, AfterFetch.MOVE), commit=True)
    moved = dovecot.inbox.parent / ".S&APg-ppel &- co"
    assert len([*moved.glob("new/*"), *moved.glob("cur/*")]) == 2


def test_pop3_deletes_on_commit_alone(dovecot: Dovecot) -> None:
    box = mailbox(MailProtocol.POP3, dovecot.pop3s, AfterFetch.DELETE)
    assert fetch(box, commit=False) == fetch(box, commit=True) == MAILS
    assert fetch(box, commit=True) == []


def test_a_wrong_password(dovecot: Dovecot) -> None:
    box = mailbox(MailProtocol.IMAP, dovecot.imaps, AfterFetch.KEEP)
    with pytest.raises(MailboxError, match="refuses the login"), open_mailbox(box, "wrong"):
        pass
