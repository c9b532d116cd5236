"""`responses fetch` from a mailbox: nothing of it is touched before the responses are recorded."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contactctl.domain.sources import Mailbox, MailProtocol
from contactctl.operations.ingest import INGESTING
from contactctl.operations.secrets import read_password
from contactctl.store.database.locks import exclusive
from contactctl.store.database.store import Store
from helpers.cli import CliResult, run_cli
from helpers.imap_server import ImapServer, Mail
from helpers.responses import insert_contact
from helpers.tls_server import CERTIFICATE, TlsServer, running

BOUNCE = b"""From: MAILER-DAEMON@mx.example.net\r
Subject: Undelivered Mail Returned to Sender\r
Date: Mon, 1 Jun 2026 10:00:00 +0000\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.net\r
\r
Final-Recipient: rfc822; c1@example.com\r
Action: failed\r
Status: 5.1.1\r
--b--\r
"""
OTHER = b"Subject: hello\r\n\r\nno bounce\r\n"

Fetch = Callable[..., CliResult]


@pytest.fixture
def server() -> Iterator[TlsServer]:
    with running(ImapServer([BOUNCE, OTHER])) as started:
        yield started


@pytest.fixture
def fetch(server: TlsServer, store: Store, store_url: str, tmp_path: Path) -> Fetch:
    """Runs `responses fetch ARGS` on a store with one contact, and that mailbox."""
    config = tmp_path / "contactctl.yaml"
    config.write_text(
        "thresholds: {invalid-address: {count: 1}}\n"
        "limits: {max_percent: 100}\n"
        "mailboxes:\n"
        f"  bounces: {{url: 'imaps://bounces@localhost:{server.port}/INBOX', password_env: SECRET,"
        f" ca_file: '{CERTIFICATE}', after_fetch: move}}\n"
    )
    with store.writing() as connection:
        insert_contact(connection, 1)

    def call(*args: object, env: dict[str, str] | None = None) -> CliResult:
        options = ["--config", config, "--database", store_url, "--json", "--quiet"]
        environment = {"SECRET": "secret"} if env is None else env
        return run_cli(["responses", "fetch", *args, *options], env=environment)

    return call


def test_mails_are_recorded_and_then_moved(fetch: Fetch) -> None:
    first = fetch("bounces")
    assert first.exit_code == 0
    data = first.json["data"]
    assert (data["recorded"], data["deactivated"]) == (1, 1)
    again = fetch().json["data"]
    assert (again["recorded"], again["duplicates"]) == (0, 0)


@pytest.mark.both_databases
def test_mails_stay_where_nothing_could_be_recorded(fetch: Fetch, store: Store) -> None:
    with exclusive(store, INGESTING):
        assert fetch("--wait", 0).exit_code == 6
    assert fetch().json["data"]["recorded"] == 1


@pytest.mark.parametrize(
    ("args", "env", "words"),
    [
        (["bounce"], None, "no mailbox or provider 'bounce'"),
        ([], {}, "SECRET is not set"),
        ([], {"SECRET": "not-the-one"}, "refuses the login"),
    ],
)
def test_errors_name_the_mailbox(
    fetch: Fetch, args: list[str], env: dict[str, str] | None, words: str
) -> None:
    result = fetch(*args, env=env)
    assert result.exit_code in (1, 2)
    assert words in result.json["errors"][0]["message"]
    assert "not-the-one" not in result.stdout


@pytest.mark.parametrize("after_fetch", ["delete", "move", "mark-seen"])
def test_a_mail_that_cannot_be_read_stays(
    fetch: Fetch, server: ImapServer, tmp_path: Path, after_fetch: str
) -> None:
    config = tmp_path / "contactctl.yaml"
    config.write_text(
        config.read_text().replace("after_fetch: move", f"after_fetch: {after_fetch}")
    )
    unreadable = Mail(99, b"\r\nno header at all\r\n")
    server.folders["INBOX"].append(unreadable)

    for recorded in (1, 0):
        result = fetch()
        data = result.json["data"]
        assert (result.exit_code, data["recorded"], data["rejected"]) == (5, recorded, 1)
    assert unreadable in server.folders["INBOX"]
    assert unreadable.flags == set()


def test_the_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\r\nsecond\n")
    box = Mailbox("bounces", MailProtocol.IMAP, "host", 993, "me", password_file=file)

    assert read_password(box, {}) == "secret"
    endless = replace(box, password_file=Path("/dev/zero"))
    assert len(read_password(endless, {})) <= 10_000
