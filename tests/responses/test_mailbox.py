"""Fetching against small servers of our own, over TLS; against Dovecot where it is installed."""

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from contactctl.domain.sources import AfterFetch, Mailbox, MailProtocol
from contactctl.responses.mail import MAX_MAIL_BYTES
from contactctl.responses.mailbox import folder_argument, open_mailbox
from contactctl.responses.mailbox_session import FetchedMail, MailboxError, login_refused
from helpers.imap_server import DAMAGED, NIL, ImapServer
from helpers.pop3_server import Pop3Server
from helpers.tls_server import CERTIFICATE, TlsServer, running

MAILS = [b"Subject: one\r\n\r\nfirst\r\n", b"Subject: two\r\n\r\n.dots\r\n..two\r\n"]


def mailbox_at(server: TlsServer, after: AfterFetch = AfterFetch.KEEP, **changes) -> Mailbox:
    protocol = MailProtocol.IMAP if isinstance(server, ImapServer) else MailProtocol.POP3
    return Mailbox(
        **{
            "name": "bounces",
            "protocol": protocol,
            "host": "localhost",
            "port": server.port,
            "user": "bounces",
            "implicit_tls": server.implicit_tls,
            "after_fetch": after,
            "ca_file": CERTIFICATE,
        }
        | changes
    )


def fetch(mailbox: Mailbox, *, commit: bool, password: str = "secret") -> list[FetchedMail]:
    with open_mailbox(mailbox, password, timeout=60) as session:
        mails = list(session.fetch())
        if commit:
            session.commit([mail.receipt for mail in mails])
        return mails


ServerClass = Callable[..., TlsServer]
BOTH = pytest.mark.parametrize("server_class", [ImapServer, Pop3Server])


@BOTH
@pytest.mark.parametrize("implicit_tls", [True, False])
def test_mails_come_as_they_are(server_class: ServerClass, implicit_tls: bool) -> None:
    with running(server_class(MAILS, implicit_tls=implicit_tls)) as server:
        mails = fetch(mailbox_at(server), commit=False)
    assert [mail.raw for mail in mails] == MAILS
    assert len({mail.source for mail in mails}) == 2
    assert all("secret" not in mail.source for mail in mails)


@BOTH
def test_an_empty_mailbox(server_class: ServerClass) -> None:
    with running(server_class([])) as server:
        assert fetch(mailbox_at(server), commit=True) == []


@pytest.mark.parametrize(
    ("server_class", "after"),
    [(ImapServer, after) for after in AfterFetch if after is not AfterFetch.KEEP]
    + [(Pop3Server, AfterFetch.DELETE)],
)
def test_without_commit_the_next_fetch_finds_the_same_mails(
    server_class: ServerClass, after: AfterFetch
) -> None:
    with running(server_class(MAILS)) as server:
        first = fetch(mailbox_at(server, after), commit=False)
        second = fetch(mailbox_at(server, after), commit=True)
        third = fetch(mailbox_at(server, after), commit=False)
    assert [mail.raw for mail in first] == [mail.raw for mail in second] == MAILS
    assert third == []


@pytest.mark.parametrize(
    ("server_class", "after"), [(ImapServer, AfterFetch.MARK_SEEN), (Pop3Server, AfterFetch.DELETE)]
)
def test_a_crash_between_fetch_and_commit_leaves_everything(
    server_class: ServerClass, after: AfterFetch
) -> None:
    with running(server_class(MAILS)) as server:
        with (
            pytest.raises(ZeroDivisionError),
            open_mailbox(mailbox_at(server, after), "secret") as session,
        ):
            next(iter(session.fetch()))
            raise ZeroDivisionError
        assert len(fetch(mailbox_at(server, after), commit=True)) == 2
    assert not any(command.startswith("QUIT") for command in server.log[:-1])


def test_a_crash_after_pop3_commit_deletes_nothing() -> None:
    with running(Pop3Server(MAILS)) as server:
        mailbox = mailbox_at(server, AfterFetch.DELETE)
        with pytest.raises(ZeroDivisionError), open_mailbox(mailbox, "secret") as session:
            session.commit([mail.receipt for mail in session.fetch()])
            raise ZeroDivisionError
        assert len(server.mails) == 2


def test_keep_changes_nothing_and_finds_mails_again() -> None:
    with running(ImapServer(MAILS)) as server:
        assert fetch(mailbox_at(server), commit=True) == fetch(mailbox_at(server), commit=True)
        assert all(not mail.flags for mail in server.folders["INBOX"])
        assert any(command.startswith("EXAMINE") for command in server.log)
    with running(Pop3Server(MAILS)) as server:
        assert len(fetch(mailbox_at(server), commit=True)) == len(server.mails) == 2


def test_marked_mails_stay() -> None:
    with running(ImapServer(MAILS)) as server:
        fetch(mailbox_at(server, AfterFetch.MARK_SEEN), commit=True)
        assert [mail.flags for mail in server.folders["INBOX"]] == [{"\\Seen"}, {"\\Seen"}]


def test_only_committed_mails_are_touched() -> None:
    with running(ImapServer(MAILS)) as server:
        with open_mailbox(mailbox_at(server, AfterFetch.DELETE), "secret") as session:
            session.commit([next(iter(session.fetch())).receipt])
        assert [mail.raw for mail in server.folders["INBOX"]] == MAILS[1:]


@pytest.mark.parametrize(
    "capabilities",
    ["IMAP4rev1 MOVE UIDPLUS", "IMAP4rev1 UIDPLUS", "IMAP4rev1 AUTH=PLAIN UIDPLUS"],
)
def test_moved_mails_are_in_the_processed_folder(capabilities: str) -> None:
    with running(ImapServer(MAILS, capabilities=capabilities)) as server:
        mailbox = mailbox_at(server, AfterFetch.MOVE, processed_folder="Søppel & co")
        fetch(mailbox, commit=True)
        assert [mail.raw for mail in server.folders["S&APg-ppel &- co"]] == MAILS
        assert server.folders["INBOX"] == []


@pytest.mark.parametrize("after", [AfterFetch.DELETE, AfterFetch.MOVE])
def test_without_uidplus_mails_of_others_are_not_expunged(after: AfterFetch) -> None:
    with running(ImapServer(MAILS, capabilities="IMAP4rev1")) as server:
        fetch(mailbox_at(server, after), commit=True)
        assert all("\\Deleted" in mail.flags for mail in server.folders["INBOX"])
        assert not any("EXPUNGE" in command for command in server.log)
        assert fetch(mailbox_at(server, after), commit=False) == []


@BOTH
def test_a_mail_beyond_the_limit_comes_with_its_beginning(server_class: ServerClass) -> None:
    large = b"Subject: large\r\n\r\n" + (b"x" * 998 + b"\r\n") * (MAX_MAIL_BYTES // 1000 + 1)
    with running(server_class([large])) as server:
        [mail] = fetch(mailbox_at(server), commit=False)
    assert mail.raw.startswith(b"Subject: large\r\n\r\nxxx")
    assert len(mail.raw) <= MAX_MAIL_BYTES


def test_long_lines_come_whole() -> None:
    line = b"References: " + b"<id@example.org> " * 1_000
    with running(Pop3Server([line + b"\r\n\r\n"])) as server:
        assert fetch(mailbox_at(server), commit=False)[0].raw.startswith(line)


def test_more_mails_than_one_search_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contactctl.responses.mailbox._MAILS_A_SEARCH", 2)
    monkeypatch.setattr("contactctl.responses.mailbox._UIDS_A_COMMAND", 2)
    mails = [b"Subject: %d\r\n\r\n" % number for number in range(5)]
    with running(ImapServer(mails)) as server:
        mailbox = mailbox_at(server, AfterFetch.MARK_SEEN)
        assert [mail.raw for mail in fetch(mailbox, commit=True)] == mails
        assert fetch(mailbox, commit=False) == []


def test_an_imap_server_cannot_send_more_than_was_asked_for() -> None:
    server = ImapServer(MAILS, claimed_size=MAX_MAIL_BYTES + 1)
    with running(server), pytest.raises(MailboxError, match="more than asked for"):
        fetch(mailbox_at(server), commit=False)


@BOTH
def test_a_wrong_password_is_named_but_not_shown(server_class: ServerClass) -> None:
    with running(server_class(MAILS)) as server, pytest.raises(MailboxError) as caught:
        fetch(mailbox_at(server), commit=False, password="hunter2")
    assert "refuses the login of bounces" in caught.value.message
    assert caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.message.isprintable()


@BOTH
def test_an_access_token_in_place_of_a_password(server_class: ServerClass) -> None:
    with running(server_class(MAILS, password="ya29.token")) as server:
        mailbox = replace(mailbox_at(server), password_env=None, token_command="print-token")
        assert len(fetch(mailbox, commit=False, password="ya29.token")) == 2
        with pytest.raises(MailboxError) as caught:
            fetch(mailbox, commit=False, password="old")
    assert "refuses the login of bounces" in caught.value.message
    assert "token" in caught.value.hint


@pytest.mark.parametrize("host", ["outlook.office365.com", "imap.gmail.com", "pop.gmail.com"])
def test_where_passwords_are_refused_the_hint_says_what_is_taken(host: str) -> None:
    mailbox = Mailbox("b", MailProtocol.IMAP, host, 993, "me", password_env="P")
    refused = login_refused(mailbox, ValueError("AUTHENTICATE failed"))
    assert "token_command" in refused.hint


@BOTH
def test_a_certificate_that_nobody_vouches_for(server_class: ServerClass) -> None:
    with running(server_class(MAILS)) as server, pytest.raises(MailboxError) as caught:
        fetch(mailbox_at(server, ca_file=None), commit=False)
    assert "certificate is not trusted" in caught.value.message
    assert "ca_file" in caught.value.hint


@BOTH
def test_a_certificate_for_another_host(server_class: ServerClass) -> None:
    with running(server_class(MAILS)) as server, pytest.raises(MailboxError, match="certificate"):
        fetch(mailbox_at(server, host="127.0.0.1"), commit=False)


@pytest.mark.parametrize(
    ("server_class", "moment"),
    [(ImapServer, "FETCH"), (ImapServer, "SEARCH"), (Pop3Server, "RETR"), (Pop3Server, "UIDL")],
)
def test_a_broken_connection(server_class: ServerClass, moment: str) -> None:
    server = server_class(MAILS, break_off_at=moment)
    with running(server), pytest.raises(MailboxError) as caught:
        fetch(mailbox_at(server), commit=False)
    assert "nothing is recorded twice" in caught.value.hint


@pytest.mark.parametrize("command", ["STORE", "SEARCH"])
def test_a_refused_command_is_an_error(command: str) -> None:
    server = ImapServer(MAILS, refuse=command)
    with running(server), pytest.raises(MailboxError, match=f"{command}.*not allowed"):
        fetch(mailbox_at(server, AfterFetch.MARK_SEEN), commit=True)


def test_a_mail_that_the_server_cannot_give_does_not_keep_back_the_others() -> None:
    with running(ImapServer([MAILS[0], DAMAGED, NIL, MAILS[1]])) as server:
        mails = fetch(mailbox_at(server), commit=False)
    assert [mail.raw for mail in mails] == [MAILS[0], b"", b"", MAILS[1]]


def test_a_folder_that_cannot_be_made_is_an_error_with_the_names_of_those_there_are() -> None:
    with running(ImapServer(MAILS, prefix="INBOX.")) as server:
        server.folders["INBOX.Old mails"] = []
        mailbox = mailbox_at(server, AfterFetch.MOVE, processed_folder="Done")
        with pytest.raises(MailboxError, match="'Done': Invalid mailbox name") as caught:
            fetch(mailbox, commit=True)
    assert caught.value.hint.endswith("folders there: INBOX, INBOX.Old mails")


def test_a_missing_folder() -> None:
    with running(ImapServer(MAILS)) as server, pytest.raises(MailboxError, match="no folder 'X'"):
        fetch(mailbox_at(server, folder="X"), commit=False)


@pytest.mark.parametrize("protocol", MailProtocol)
def test_a_silent_server(protocol: MailProtocol) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mailbox = Mailbox("bounces", protocol, "localhost", port, "bounces", ca_file=CERTIFICATE)
        with (
            pytest.raises(MailboxError, match="no answer in time"),
            open_mailbox(mailbox, "secret", timeout=0.05),
        ):
            pass


@pytest.mark.parametrize("protocol", MailProtocol)
def test_nobody_listens(protocol: MailProtocol) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    mailbox = Mailbox("bounces", protocol, "localhost", port, "bounces", ca_file=CERTIFICATE)
    with pytest.raises(MailboxError, match="refused"), open_mailbox(mailbox, "secret"):
        pass


def test_a_line_break_in_the_password_is_no_second_command() -> None:
    with running(ImapServer(MAILS)) as server, pytest.raises(MailboxError, match="line break"):
        fetch(mailbox_at(server), commit=False, password="x\r\na DELETE INBOX")
    assert server.log == []


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("INBOX", '"INBOX"'),
        ('a "b" \\c', '"a \\"b\\" \\\\c"'),
        ("Søppel", '"S&APg-ppel"'),
        ("A & B", '"A &- B"'),
        ("台北", '"&U,BTFw-"'),
    ],
)
def test_folder_names_are_in_modified_utf7(name: str, argument: str) -> None:
    """The last one is the example of RFC 3501, 5.1.3."""
    assert folder_argument(name) == argument
