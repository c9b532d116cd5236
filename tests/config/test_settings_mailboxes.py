"""Mailboxes: where they are, and what may be said together."""

from pathlib import Path

import pytest

from contactctl.domain.errors import ConfigError
from contactctl.domain.sources import AfterFetch, Mailbox, MailProtocol


def mailbox(load, url, *options):
    lines = [f"url: {url}", "password_env: PASSWORD", *options]
    yaml = "mailboxes:\n  bounces:\n" + "".join(f"    {line}\n" for line in lines)
    return load(yaml).settings.mailboxes["bounces"]


def error_message(load, *options):
    yaml = "mailboxes:\n  bounces:\n" + "".join(f"    {line}\n" for line in options)
    with pytest.raises(ConfigError) as error:
        load(yaml)
    return error.value.message


def test_an_imap_mailbox_over_tls_marks_mails_as_seen(load):
    assert mailbox(load, "imaps://me%40corp@mail.example.com") == Mailbox(
        name="bounces",
        protocol=MailProtocol.IMAP,
        host="mail.example.com",
        port=993,
        user="me@corp",
        implicit_tls=True,
        folder="INBOX",
        password_env="PASSWORD",
        after_fetch=AfterFetch.MARK_SEEN,
    )


@pytest.mark.parametrize(
    ("url", "protocol", "port", "implicit_tls", "folder"),
    [
        ("imap://me@host/Bounces/In", "imap", 143, False, "Bounces/In"),
        ("imaps://me@host:1993/R%C3%A9ponses", "imap", 1993, True, "Réponses"),
        ("pop3s://me@host", "pop3", 995, True, "INBOX"),
        ("pop3://me@host:1110/", "pop3", 1110, False, "INBOX"),
    ],
)
def test_urls_of_mailboxes(load, url, protocol, port, implicit_tls, folder):
    box = mailbox(load, url)
    assert (box.protocol, box.port, box.implicit_tls, box.folder) == (
        protocol,
        port,
        implicit_tls,
        folder,
    )


def test_mails_move_to_a_folder_of_that_name_or_to_processed(load):
    move = "after_fetch: move"
    assert mailbox(load, "imaps://me@host", move).processed_folder == "Processed"
    moved = mailbox(load, "imaps://me@host", move, "processed_folder: Done")
    assert (moved.after_fetch, moved.processed_folder) == (AfterFetch.MOVE, "Done")


def test_pop3_keeps_mails_unless_told_to_delete_them(load):
    assert mailbox(load, "pop3s://me@host").after_fetch is AfterFetch.KEEP
    deleting = mailbox(load, "pop3s://me@host", "after_fetch: delete")
    assert deleting.after_fetch is AfterFetch.DELETE


def test_files_of_a_mailbox_are_relative_to_the_config(load, project):
    yaml = "mailboxes: {b: {url: imaps://me@host, password_file: pw, ca_file: /etc/ca.pem}}"
    box = load(yaml).settings.mailboxes["b"]
    assert (box.password_file, box.password_env) == (project / "pw", None)
    assert box.ca_file == Path("/etc/ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "5",
        "host",
        "https://me@host",
        "imaps://host",
        "imaps://me@",
        "imaps://me@host:port",
        "imaps://me@host:0",
        "imaps://me@host/INBOX?x=1",
        "'imaps://me@[host'",
    ],
)
def test_urls_that_are_no_mailbox(load, url):
    message = error_message(load, f"url: {url}", "password_env: P")
    assert message.startswith("contactctl.yaml:3: mailboxes.bounces.url: must be a URL such as")


def test_a_password_in_the_url_is_refused_and_not_shown(load):
    message = error_message(load, "url: imaps://me:s3cret@host", "password_env: P")
    assert "no password in the URL" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["password_env: P"], "needs 'url', such as imaps://"),
        (
            ["url: imaps://me@host"],
            "needs one of 'password_file', 'password_env' and 'token_command'",
        ),
        (
            ["url: imaps://me@host", "password_env: P", "password_file: f"],
            "needs one of 'password_file', 'password_env' and 'token_command'",
        ),
        (["url: imaps://me@host", "password_env: pass word"], "name of an environment variable"),
        (["url: pop3s://me@host/INBOX", "password_env: P"], "POP3 has no folders"),
        (
            ["url: pop3s://me@host", "password_env: P", "after_fetch: move"],
            "POP3 cannot move",
        ),
        (
            ["url: imaps://me@host", "password_env: P", "processed_folder: Done"],
            "'processed_folder' needs 'after_fetch: move'",
        ),
    ],
)
def test_options_that_do_not_go_together(load, options, problem):
    assert problem in error_message(load, *options)


def test_a_password_written_in_place_of_a_variable_is_not_shown(load):
    assert "s3 cret" not in error_message(load, "url: imaps://a@b", "password_env: s3 cret")


def test_the_name_of_a_mailbox_can_be_typed(load):
    with pytest.raises(ConfigError, match="a mailbox's name is made of"):
        load("mailboxes: {'my box': {}}")
