"""`contacts sync`, `responses fetch` of a provider and `suppressions push`, as they are called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contactctl.store.database.store import Store
from contactctl.store.source_database import Reading
from helpers.api_server import Answer, ApiServer, Asked, api_server
from helpers.sources import Crm, break_off, make_crm
from helpers.store_cli import StoreCli

pytestmark = pytest.mark.both_databases

DAY = "2026-05-01 10:00:00"


@pytest.fixture
def crm(store_url: str, tmp_path: Path) -> Crm:
    made = make_crm(store_url, tmp_path)
    made.put(*((n, f"c{n}@x.no", "N", DAY) for n in range(10)))
    return made


@pytest.fixture
def cli(store: Store, store_url: str, crm: Crm, tmp_path: Path) -> StoreCli:
    made = StoreCli(store, store_url, tmp_path)
    made.configure(
        "sources:\n"
        "  crm:\n"
        f"    url: '{crm.url}'\n"
        f"    query: SELECT id, mail, name, updated_at FROM {crm.table}\n"
        "    key: id\n"
        "    map: {mail: email, name: first_name}\n"
        "    cursor: updated_at\n"
        "    missing: deactivate\n"
        f"    write_back: {{table: {crm.table}, column: mail_status}}\n"
    )
    return made


def test_a_sync_from_cron_and_at_a_terminal(cli: StoreCli, crm: Crm) -> None:
    dry = cli.json("contacts", "sync", "crm", "--dry-run")
    assert (dry["created"], dry["run"], dry["gone"]) == (10, None, 0)
    (refused,) = cli.errors("contacts", "sync", "crm", exit_code=4)
    assert "--yes" in refused["hint"]
    first = cli.json("contacts", "sync", "crm", "--yes")
    assert (first["created"], first["gone"]) == (10, 0)
    crm.execute("DELETE FROM {t} WHERE id < 2")
    shown = cli.json("contacts", "sync", "crm", "--dry-run")
    assert (shown["gone"], shown["gone_run"]) == (2, None)
    declined = cli("contacts", "sync", "crm", tty=True, stdin="3\n")
    assert declined.exit_code == 4
    typed = cli("contacts", "sync", "crm", tty=True, stdin="2\n")
    assert (typed.exit_code, "c0@x.no" in typed.stderr) == (0, True)
    crm.execute("DELETE FROM {t} WHERE id < 8")
    over = cli("contacts", "sync", "crm", "--yes", "--json")
    assert (over.exit_code, over.json["data"]["gone_state"]) == (4, "planned")
    assert "runs apply" in over.json["errors"][0]["hint"]
    script = cli("contacts", "sync", "crm", "--yes", "--write-back", "print").stdout
    assert script.startswith("UPDATE ")
    written = cli("contacts", "sync", "crm", "--yes", "--write-back", "execute", "--json")
    assert written.json["data"]["written_back"] == 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere",), "no database 'nowhere'"),
        (("crm", "--write-back", "both"), "--write-back 'both' is unknown"),
        (("crm", "--dry-run", "--write-back", "print"), "cannot be combined"),
    ],
)
def test_mistakes_of_a_sync(cli: StoreCli, args: tuple[str, ...], words: str) -> None:
    (error,) = cli.errors("contacts", "sync", *args, exit_code=2)
    assert words in error["message"]


def test_a_source_that_breaks_off_is_told_and_the_next_sync_is_whole(
    cli: StoreCli, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.execute("CREATE INDEX by_moment ON {t} (updated_at)")
    crm.execute("UPDATE {t} SET mail_status = ?", ("x" * 2000,))
    path = Path(crm.url.removeprefix("sqlite:///"))
    whole = path.read_bytes() if path.exists() else b""
    stream = Reading._stream

    def broken(self: Reading, _at_a_time: int, *what: Any) -> Iterator[Any]:
        for rows in stream(self, 2, *what):
            break_off(self, "cut")
            yield rows

    with monkeypatch.context() as patched:
        patched.setattr(Reading, "_stream", broken)
        (error,) = cli.errors("contacts", "sync", "crm", "--yes", exit_code=1)
        assert error["message"].startswith("source crm: ")
        assert any(words in error["hint"] for words in ("look at the server", "not an intact"))
    if whole:
        path.write_bytes(whole)
    result = cli.json("contacts", "sync", "crm", "--yes")
    assert (result["created"], result["gone"]) == (8, 0)  # two had come before the break
    assert cli.json("status")["active"] == 10


@pytest.fixture
def api() -> Iterator[ApiServer]:
    def postmark(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer({"Suppressions": []})
        bounce = {
            "ID": 1,
            "Type": "HardBounce",
            "Email": "c1@x.no",
            "BouncedAt": "2026-06-15T08:00:00Z",
            "Details": "smtp;550 5.1.1 no such user",
        }
        listed = [
            {
                "EmailAddress": "c9@x.no",
                "SuppressionReason": "ManualSuppression",
                "Origin": "Customer",
                "CreatedAt": "2026-06-15T08:00:00Z",
            }
        ]
        return Answer({"Bounces": [bounce], "Suppressions": listed, "TotalCount": 1})

    with api_server(postmark) as server:
        yield server


def test_a_provider_is_fetched_from_and_told(cli: StoreCli, api: ApiServer, tmp_path: Path) -> None:
    cli.json("contacts", "sync", "crm", "--yes")
    (tmp_path / "key").write_text("k\n")
    with (tmp_path / "contactctl.yaml").open("a") as config:
        config.write(f"  pm: {{provider: postmark, key_file: key, api_url: '{api.url}'}}\n")
        config.write("limits: {max_percent: 100}\nthresholds: {invalid-address: {count: 1}}\n")
    fetched = cli.json("responses", "fetch", "pm")
    assert (fetched["recorded"], fetched["deactivated"]) == (2, 2)
    again = cli.json("responses", "fetch", "pm")
    assert again["run"] is None
    diff = cli.json("suppressions", "diff", "pm")
    assert diff == {"source": "pm", "both": 1, "here": 1, "there": 0, "unknown": 0}
    dry = cli.json("suppressions", "push", "pm", "--dry-run")
    assert (dry["adding"], dry["removing"], dry["run"]) == (2, 0, None)
    pushed = cli.json("suppressions", "push", "pm", "--confirm", 2)
    assert pushed["changed"] == 2
    told = [each.body for each in api.asked if each.method == "POST"]
    assert told == [{"Suppressions": [{"EmailAddress": "c1@x.no"}, {"EmailAddress": "c9@x.no"}]}]
    nothing = cli.json("suppressions", "push", "pm", "--confirm", 0)
    assert nothing["count"] == 0


def test_a_key_that_cannot_be_had(cli: StoreCli, tmp_path: Path) -> None:
    with (tmp_path / "contactctl.yaml").open("a") as config:
        config.write("  a: {provider: sendgrid, key_env: NO_SUCH_KEY}\n")
        config.write("  b: {provider: sendgrid, token_command: 'false'}\n")
        config.write("  c: {provider: sendgrid, token_command: 'no-such-program x'}\n")
    for name, words in (("a", "NO_SUCH_KEY is not set"), ("b", "has failed"), ("c", "No such")):
        (error,) = cli.errors("responses", "fetch", name, exit_code=2)
        assert words in error["message"]


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("{provider: sendgird, key_env: K}", "did you mean 'sendgrid'"),
        ("{provider: sendgrid}", "needs one of 'key_file', 'key_env' and 'token_command'"),
        ("{provider: ses, key_env: K}", "Amazon's own ways"),
        ("{provider: sqs}", "'queue_url' is needed"),
        ("{provider: sendgrid, key_env: K, query: SELECT 1}", "'query' needs a database"),
        ("{url: 'sqlite:///x.db', query: SELECT 1, key: id, stream: s}", "'stream' needs"),
        ("{url: 'sqlite:///x.db', key: id}", "needs 'query'"),
        ("{provider: sendgrid, key_env: K, api_url: 'http://api.x.no'}", "must be an address"),
    ],
)
def test_mistakes_in_the_config_of_a_source(cli: StoreCli, yaml: str, words: str) -> None:
    cli.configure(f"sources:\n  s: {yaml}\n")
    (error,) = cli.errors("status", exit_code=2)
    assert words in error["message"]
    assert ":2" in error["message"]
