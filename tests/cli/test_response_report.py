"""`responses report`, from provider events to rows, exit codes and a picture."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from contactctl.store.database.store import Store
from helpers.sessions import NOW
from helpers.store_cli import StoreCli

pytestmark = pytest.mark.both_databases

AN_HOUR_AGO = NOW - timedelta(hours=1)


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    """200 contacts at well.no, of whom one complained; 10 at ill.no, of whom 4 bounced."""
    cli = StoreCli(store, store_url, tmp_path)
    cli.configure("incident_guard: {more_than: 1000}")
    people = [f"c{n}@well.no" for n in range(200)] + [f"c{n}@ill.no" for n in range(10)]
    (tmp_path / "people.csv").write_text("\n".join(["email", *people]))
    cli.json("contacts", "import", tmp_path / "people.csv")
    events = [mailgun("delivered", email) for email in people[:206]]
    events += [mailgun("failed", email, host="mx1.ill.no") for email in people[206:]]
    events += [mailgun("complained", people[0]), mailgun("failed", "x@nobody.no")]
    events += [mailgun("delivered", people[1], at=NOW - timedelta(days=40))]
    events += [mailgun("failed", people[2], severity="temporary")]
    (tmp_path / "events.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in events))
    cli.json("responses", "ingest", tmp_path / "events.jsonl")
    cli.json("responses", "ingest", tmp_path / "events.jsonl")
    return cli


def mailgun(
    event: str, email: str, *, at: Any = AN_HOUR_AGO, host: str = "", severity: str = "permanent"
) -> dict[str, object]:
    status = {"code": 550, "message": "5.1.1 user unknown", "mx-host": host}
    stamp = at.timestamp()
    known = {"event": event, "recipient": email, "timestamp": stamp, "severity": severity}
    return known | {
        "id": f"{event}-{email.replace('@', '-')}-{stamp}",
        "reason": "bounce",
        "delivery-status": status,
    }


def rows(cli: StoreCli, *options: str) -> Mapping[str, tuple[int, int, int]]:
    found = cli.json("responses", "report", *options)["rows"]
    return {row["name"]: (row["delivered"], row["bounced"], row["complained"]) for row in found}


def test_rows_by_domain_host_category_and_day(cli: StoreCli) -> None:
    by_domain = rows(cli)
    assert by_domain == {"ill.no": (6, 4, 0), "well.no": (200, 0, 1)}
    assert next(iter(by_domain)) == "ill.no"
    assert rows(cli, "--by", "host") == {"ill.no": (6, 4, 0), None: (200, 0, 1)}
    assert rows(cli, "--by", "category") == {
        "invalid-address": (6, 4, 0),
        "spam-complaint": (200, 0, 1),
    }
    assert rows(cli, "--by", "day") == {"2026-06-15": (206, 4, 1)}
    assert rows(cli, "--since", "60d")["well.no"] == (201, 0, 1)
    assert rows(cli, "--since", "2026-06-15T12:00:00Z") == {}
    report = cli.json("responses", "report")
    assert report["total"]["complaint_rate"] == pytest.approx(100 / 206, abs=1e-4)
    assert (report["unmatched"], report["exceeded"]) == (1, [])


def test_a_rate_over_the_limit_ends_with_4_and_still_shows_the_rows(cli: StoreCli) -> None:
    limit = ("--fail-above", "complaints=0.3%", "--fail-above", "bounces=5")
    report = cli.json("responses", "report", *limit, exit_code=4)
    assert [(each["limit"], each["name"]) for each in report["exceeded"]] == [
        ("complaints=0.3%", "all"),
        ("complaints=0.3%", "well.no"),
    ]
    assert len(report["rows"]) == 2
    cli.json("responses", "report", "--fail-above", "complaints=1%")
    shown = cli("responses", "report", *limit)
    assert shown.exit_code == 4
    assert "error: all: 1 complaint (0.49 %), over complaints=0.3%" in shown.stderr
    assert "ill.no" in shown.stdout
    assert "#####" in shown.stdout


def test_the_picture_is_well_formed_and_replaces_only_a_picture(cli: StoreCli) -> None:
    for _ in range(2):
        cli.json("responses", "report", "--picture", "report.svg")
    drawn = ElementTree.fromstring((cli.folder / "report.svg").read_text())
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "ill.no" in texts
    (cli.folder / "mine.svg").write_text("<svg/>")
    errors = cli.errors("responses", "report", "--picture", "mine.svg", exit_code=2)
    assert "contains something else" in errors[0]["message"]
    assert (cli.folder / "mine.svg").read_text() == "<svg/>"
    assert cli.errors("responses", "report", "--picture", "no/where.svg", exit_code=2)


def test_a_mistake_is_told(cli: StoreCli) -> None:
    assert cli.errors("responses", "report", "--fail-above", "complaint=1", exit_code=2)
    assert cli.errors("responses", "report", "--since", "7 months", exit_code=2)
    assert cli.errors("responses", "report", "--by", "country", exit_code=2)


def test_an_empty_store_has_nothing_to_report(store: Store, store_url: str, tmp_path: Path) -> None:
    cli = StoreCli(store, store_url, tmp_path)
    assert cli.json("responses", "report", "--fail-above", "complaints=0")["rows"] == []
    assert "no delivery and no response" in cli("responses", "report").stdout
