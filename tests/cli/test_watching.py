"""Watching over a store: metrics, heartbeats, log lines for programs, pictures."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

import pytest

from contactctl.config.values import web_address
from contactctl.output.formats import exposition
from contactctl.output.view import Metric
from contactctl.store.database.store import Store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts

# one line of the text exposition format
SAMPLE = re.compile(
    r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="(\\["\\n]|[^"\\\n])*",?)*\})? [-+0-9.eE]+\Z'
)


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path):
    seed_contacts(store, 30)

    def run(*args: object) -> CliResult:
        return run_cli([*args, "--database", store_url], cwd=tmp_path)

    return run


@contextmanager
def watchdog(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with that status; its URL, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.both_databases
def test_metrics_are_in_the_exposition_format(cli) -> None:
    cli("deactivate", "--where", "id <= 3", "--confirm", "3")
    cli("sweep", "all", "--yes")
    shown = cli("status", "--format", "prometheus")

    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(SAMPLE.match(line) for line in samples), samples
    assert 'contactctl_contacts{status="inactive"} 3' in samples
    assert 'contactctl_last_done_timestamp_seconds{work="sweep all"} 1781524800' in samples
    assert 'contactctl_deactivations_of_month{month="2026-06"} 3' in samples
    declared = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(declared) == len(set(declared))
    other = cli("runs", "list", "--format", "prometheus")
    assert (other.exit_code, "has no metrics" in other.stderr) == (2, True)


def test_labels_are_escaped() -> None:
    text = exposition([Metric("x", "X.", 0.5, {"work": 'a "b"\\c\nd'})])
    assert text.splitlines()[-1] == r'x{work="a \"b\"\\c\nd"} 0.5'
    assert SAMPLE.match(text.splitlines()[-1])


def test_a_textfile_is_replaced_as_a_whole(cli, tmp_path: Path) -> None:
    target = tmp_path / "contactctl.prom"
    old = "# HELP contactctl_contacts Old.\n"
    target.write_text(old)
    with target.open() as reader:
        assert cli("status", "--textfile", "contactctl.prom", "--quiet").exit_code == 0
        assert reader.read() == old  # who reads it sees one or the other
    assert "contactctl_contacts" in target.read_text()
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["contactctl.prom"]
    if os.name != "nt":
        assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    nowhere = cli("status", "--textfile", "none/contactctl.prom")
    assert (nowhere.exit_code, "No such file" in nowhere.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--textfile", "--picture"])
def test_nothing_of_somebody_else_is_replaced(cli, tmp_path: Path, option: str) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert cli("status", option, "mine.txt").exit_code == 2
    assert (tmp_path / "mine.txt").read_text() == "mine"
    (tmp_path / "there.txt").touch()
    (tmp_path / "link").symlink_to("there.txt")
    assert cli("status", option, "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there.txt").read_text()
    os.mkfifo(tmp_path / "pipe")
    reader = Thread(target=(tmp_path / "pipe").read_bytes)
    reader.start()
    assert cli("status", option, "pipe").exit_code == 0
    reader.join()
    assert (tmp_path / "pipe").is_fifo()  # as /dev/null stays what it is


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_picture_of_the_months(cli, tmp_path: Path) -> None:
    cli("deactivate", "--where", "id <= 3", "--confirm", "3")
    assert cli("status", "--picture", "months.svg").exit_code == 0
    drawn = ElementTree.parse(tmp_path / "months.svg").getroot()
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "2026-06" in texts and "3" in texts


@pytest.mark.parametrize("status", [200, 500])
def test_a_heartbeat_follows_each_sweep(cli, tmp_path: Path, status: int) -> None:
    with watchdog(status) as (url, asked):
        (tmp_path / "contactctl.yaml").write_text(f"heartbeat: {{url: '{url}/ping/secret'}}\n")
        swept = cli("sweep", "all", "--yes")
        cli("sweep", "all", "--dry-run")
        shown = cli("config", "show").stdout

    assert (swept.exit_code, asked) == (0, ["/ping/secret"])
    assert ("warning: the heartbeat was not received: HTTP status 500" in swept.stderr) == (
        status == 500
    )
    assert "secret" not in shown + swept.stderr


def test_a_heartbeat_that_nobody_hears_is_a_warning(cli, tmp_path: Path) -> None:
    with watchdog() as (url, _):
        pass
    (tmp_path / "contactctl.yaml").write_text(f"heartbeat: {{url: '{url}/ping/secret'}}\n")
    swept = cli("sweep", "all", "--yes", "--log")
    assert swept.exit_code == 0
    assert "warning: the heartbeat was not received: Connection refused" in swept.stderr


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "https://user:password@example.com/x",
        "example.com/ping",
        "https://",
        "https:///x",
        "https://example.com/a b",
        "https://example.com/a\nb",
        7,
        None,
    ],
)
def test_what_is_no_address_of_a_watchdog_is_refused_unrepeated(url: object) -> None:
    with pytest.raises(ValueError, match="must be a URL") as refused:
        web_address(url)
    assert "password@" not in str(refused.value)


def test_a_log_line_for_programs(cli) -> None:
    swept = cli("sweep", "all", "--yes", "--log-format", "json")
    assert swept.stdout.count("\n") == 1
    line = json.loads(swept.stdout)
    assert (line["time"], line["level"], line["command"], line["due"]) == (
        "2026-06-15T12:00:00Z",
        "info",
        "sweep all",
        0,
    )
    assert cli("sweep", "all", "--log-format", "json").exit_code == 2
    assert cli("sweep", "all", "--yes", "--log-format", "xml").exit_code == 2
