"""`responses`, `explain` and `rules what-if` on the command line, on both databases."""

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from contactctl.operations import reading as read_responses
from contactctl.operations.ingest_rows import ReadBatch
from contactctl.operations.reading import ReadingTask, read_aside
from contactctl.store.database.store import Store
from helpers.cli import CliResult, run_cli
from helpers.events import BOUNCE, event, jsonl
from helpers.responses import insert_contact, insert_group, insert_member

CONFIG = """
thresholds:
  invalid-address: {count: 1}
  transient: {count: 3, within: 30 days, days_apart: 0}
  spam-complaint: {count: 1}
handling:
  transient: {reactivate_after: 10 days}
incident_guard: {more_than: 4}
limits: {max_percent: 50}
"""

Cli = Callable[..., CliResult]


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> Cli:
    """Runs a command on a store with six contacts, the first two in the group News."""
    (tmp_path / "contactctl.yaml").write_text(CONFIG)
    with store.writing() as connection:
        for contact_id in range(1, 7):
            insert_contact(connection, contact_id)
        insert_group(connection, 1, "News")
        for contact_id in (1, 2):
            insert_member(connection, contact_id, 1)

    def call(*args: object, **values: Any) -> CliResult:
        return run_cli([*args, "--database", store_url, "--quiet"], cwd=tmp_path, **values)

    return call


def test_ingest_says_what_it_did(cli: Cli) -> None:
    events = [
        event("c1@example.com", "invalid-address", id="1"),
        event("c2@example.com", id="2"),
        event("c2@example.com", channel="sms", id="3"),
        event("nobody@example.com", id="4"),
        event("c3@example.com", "opened"),
    ]
    first = cli("responses", "ingest", "-", "--json", stdin=jsonl(*events))
    assert first.exit_code == 0
    data = first.json["data"]
    expected = {
        "run": 1,
        "read": 5,
        "no_response": 0,
        "recorded": 4,
        "duplicates": 0,
        "unmatched": 1,
        "not_counted": 1,
        "sender_side": [],
        "held": 0,
        "taken_back": 0,
        "rejected": 0,
        "activities": 1,
        "by_category": {"invalid-address": 1, "transient": 3},
        "deactivated": 1,
        "threshold_runs": [2],
        "waiting_run": None,
    }
    assert expected.items() <= data.items()
    again = cli("responses", "ingest", "-", "--json", stdin=jsonl(*events)).json["data"]
    assert (again["recorded"], again["duplicates"], again["by_category"]) == (0, 4, {})


def test_ingest_says_how_much_it_has_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    nothing = cli("responses", "ingest", tmp_path / "none.jsonl")
    assert (nothing.exit_code, nothing.lines[0].split()) == (0, ["Mails", "and", "events", "0"])
    mails = tmp_path / "mails"
    mails.mkdir()
    for name in "abc":
        (mails / f"{name}.eml").write_text("From: news@example.com\nSubject: June\n\nHi\n")
    shown = cli("responses", "ingest", mails)
    assert shown.lines[0].endswith("  3, 3 of them not a response")


def test_what_cannot_be_read_is_kept_aside_and_the_rest_recorded(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(
        jsonl(event("c1@example.com", id="1")) + "{broken\n" + jsonl(event("", id="2"))
    )
    result = cli(
        "responses", "ingest", tmp_path / "events.jsonl", "--rejects", tmp_path / "r", "--json"
    )
    assert result.exit_code == 5
    assert (result.json["data"]["recorded"], result.json["data"]["rejected"]) == (1, 2)
    assert [error["code"] for error in result.json["errors"]] == ["reject", "reject"]
    kept = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert [each["source"].rpartition(":")[2] for each in kept] == ["2", "3"]
    assert (tmp_path / "r").stat().st_mode & 0o077 == 0


def test_a_large_file_is_ingested_as_a_small_one_is(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read by a process of its own; nobody notices."""
    path = tmp_path / "events.jsonl"
    good = [event(f"c{number}@example.com", id=str(number)) for number in range(1, 7)]
    path.write_text(jsonl(*good[:3]) + "{broken\n" + jsonl(*good[3:]))
    started: list[ReadingTask] = []

    def noted(task: ReadingTask) -> Generator[ReadBatch]:
        started.append(task)
        return read_aside(task)

    monkeypatch.setattr(read_responses, "read_aside", noted)
    monkeypatch.setattr(read_responses, "_READ_ASIDE_BYTES", 1)
    aside = cli("responses", "ingest", path, "--rejects", tmp_path / "r", "--json")
    monkeypatch.undo()
    again = cli("responses", "ingest", path, "--rejects", tmp_path / "r2", "--json")
    assert len(started) == 1
    assert aside.exit_code == again.exit_code == 5
    assert aside.json["errors"] == again.json["errors"]
    assert (tmp_path / "r").read_text() == (tmp_path / "r2").read_text()
    data = aside.json["data"]
    assert (data["recorded"], data["rejected"]) == (6, 1)
    assert (again.json["data"]["recorded"], again.json["data"]["duplicates"]) == (0, 6)


def test_a_missing_path_is_refused_before_anything_is_recorded(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(jsonl(event("c1@example.com")))
    result = cli("responses", "ingest", tmp_path / "events.jsonl", tmp_path / "none", "--json")
    assert (result.exit_code, result.json["errors"][0]["code"]) == (2, "input")
    assert cli("responses", "list", "--json").json["data"]["responses"] == []


def test_a_mistyped_format_is_refused_before_a_run_starts(cli: Cli) -> None:
    result = cli("responses", "ingest", "-", "--from", "postmrk", "--json", stdin="{}")
    assert result.exit_code == 2
    assert result.json["errors"][0]["hint"] == "did you mean 'postmark'?"
    assert cli("runs", "list", "--json").json["data"]["runs"] == []


@pytest.mark.both_databases
def test_over_the_limits_the_plan_waits_and_can_be_applied(cli: Cli) -> None:
    events = [event(f"c{n}@example.com", "invalid-address") for n in range(1, 5)]
    result = cli("responses", "ingest", "-", "--json", stdin=jsonl(*events))
    assert result.exit_code == 4
    data = result.json["data"]
    assert (data["recorded"], data["deactivated"], data["waiting_run"]) == (4, 0, 2)
    assert result.json["errors"][0]["code"] == "over-limit"
    assert cli("status", "--json").json["data"]["inactive"] == 0
    shown = cli("runs", "show", 2, "--json").json["data"]
    assert (shown["state"], shown["planned"]) == ("planned", 4)
    assert "over the limit" in shown["message"]
    (due,) = shown["by_rule"]
    assert (due["action"], due["category"], due["group"]) == ("deactivate", "invalid-address", None)
    assert (due["contacts"], due["threshold"]) == (4, "1")
    assert "invalid-address  deactivate 4 (threshold: 1)" in cli("runs", "show", 2).stdout
    assert "c4@example.com" in cli("explain", "c4@example.com").stdout
    expected = cli("explain", "c4@example.com", "--json").json["data"]["next"]
    assert [each["action"] for each in expected] == ["wait-for-confirmation"]
    again = cli("responses", "ingest", "-", "--json", stdin=jsonl(event("c1@example.com", id="x")))
    assert (again.exit_code, again.json["data"]["waiting_run"]) == (0, 2)
    said = [
        cli("responses", "ingest", "-", "--quiet", stdin=jsonl(*each)).stderr
        for each in (
            [event("c2@example.com", id="y")],
            [event(f"c{n}@example.com", "spam-complaint") for n in range(1, 5)],
        )
    ]
    assert "a threshold is reached, and held by run 2, which waits" in said[0]
    assert "who has reached a threshold is deactivated after run 2, which waits" in said[1]
    assert cli("runs", "apply", 2, "--confirm", 4, "--json").exit_code == 4
    applied = cli("runs", "apply", 2, "--confirm", 4, "--limit-override", 4, "--json")
    assert (applied.exit_code, applied.json["data"]["deactivated"]) == (0, 4)


@pytest.mark.both_databases
def test_held_responses_are_listed_and_decided_about(cli: Cli) -> None:
    events = [event(f"c{n}@example.com", "blocked") for n in range(1, 6)]
    result = cli("responses", "ingest", "-", stdin=jsonl(*events))
    assert "incident 1: 5 blocked responses of the domain example.com held" in result.stderr
    assert len(cli("responses", "list", "--held", "--json").json["data"]["responses"]) == 5
    assert cli("responses", "release").exit_code == 2
    assert cli("responses", "discard", "--all", "--run", 1).exit_code == 2
    released = cli("responses", "release", "--run", 1, "--json").json["data"]
    assert (released["responses"], released["deactivated"]) == (5, 0)
    assert cli("responses", "discard", "--all").exit_code == 4


@pytest.mark.both_databases
def test_held_responses_to_addresses_without_a_contact_are_listed_by_domain(cli: Cli) -> None:
    addresses = [*(f"c{n}@nobody.example" for n in range(1, 6)), "a@bücher.example"]
    events = [event(address, "blocked") for address in addresses]
    cli("responses", "ingest", "-", stdin=jsonl(*events, event("c9@nobody.example")))

    def listed(*options: str) -> int:
        result = cli("responses", "list", "--unmatched", *options, "--json")
        return len(result.json["data"]["responses"])

    assert (listed(), listed("--held")) == (7, 5)
    for domain in ("nobody.example", "Nobody.Example", "@nobody.example"):
        assert (listed("--domain", domain), listed("--held", "--domain", domain)) == (6, 5)
    for domain in ("BÜCHER.example", "xn--bcher-kva.example"):
        assert (listed("--domain", domain), listed("--held", "--domain", domain)) == (1, 0)
    for domain in ("example.com", "example", "", "nobody.example or"):
        assert listed("--domain", domain) == 0


@pytest.mark.parametrize("domain", ["", " ", "@", "other.example"])
@pytest.mark.both_databases
def test_a_domain_without_held_responses_decides_about_none(cli: Cli, domain: str) -> None:
    events = [event(f"c{n}@example.com", "blocked") for n in range(1, 6)]
    cli("responses", "ingest", "-", stdin=jsonl(*events))
    assert cli("responses", "release", "--domain", domain).exit_code == 4
    assert len(cli("responses", "list", "--held", "--json").json["data"]["responses"]) == 5


@pytest.mark.both_databases
def test_list_filters(cli: Cli) -> None:
    events = [
        event("c1@example.com", id="1", occurred_at="2026-05-01T00:00:00Z"),
        event("c1@example.com", "spam-complaint", id="2"),
        event("c2@example.com", channel="sms", id="3"),
        event("nobody@example.com", id="4"),
    ]
    cli("responses", "ingest", "-", stdin=jsonl(*events))

    def keys(*options: object) -> list[str]:
        rows = cli("responses", "list", *options, "--json").json["data"]["responses"]
        return [row["source_key"].split(":")[1] for row in rows]

    assert keys() == ["2", "3", "1"]
    assert keys("--email", "C1@example.com") == ["2", "1"]
    assert keys("--since", "2026-06-01") == ["2", "3"]
    assert keys("--category", "spam-complaint") == ["2"]
    assert keys("--not-counted") == ["3"]
    assert keys("--unmatched") == ["4"]
    assert keys("--domain", "example.org") == []
    assert keys("--limit", 1) == ["2"]
    assert cli("responses", "list", "--category", "spam").exit_code == 2
    refused = cli("responses", "list", "--since", "yesterday")
    assert refused.exit_code == 2
    assert "'yesterday' is not a date" in refused.stderr


def test_a_maildirs_mails_are_moved_once_they_are_recorded(cli: Cli, tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    for part in ("new", "cur"):
        (maildir / part).mkdir(parents=True)
        (maildir / part / "1.mail").write_text(BOUNCE.format(recipient=f"{part}@example.com"))
    (maildir / "new" / "2.mail").write_text("Subject: hello\n\nno bounce at all\n")
    target = tmp_path / "done"
    result = cli("responses", "ingest", maildir, "--move-to", target, "--json")
    assert (result.exit_code, result.json["data"]["unmatched"]) == (0, 2)
    assert list(maildir.rglob("*.mail")) == []
    assert sorted(path.name for path in (target / "cur").iterdir()) == [
        "1.1.mail",
        "1.mail",
        "2.mail",
    ]
    assert cli("responses", "ingest", tmp_path, "--move-to", target).exit_code == 2


def test_a_failed_ingest_moves_no_mail(cli: Cli, store: Store, tmp_path: Path) -> None:
    from contactctl.operations.ingest import INGESTING
    from contactctl.store.database.locks import exclusive

    (tmp_path / "Maildir" / "new").mkdir(parents=True)
    mail = tmp_path / "Maildir" / "new" / "1.mail"
    mail.write_text(BOUNCE.format(recipient="c1@example.com"))
    with exclusive(store, INGESTING):
        args = ("responses", "ingest", tmp_path / "Maildir", "--move-to", tmp_path / "done")
        assert cli(*args, "--wait", 0).exit_code == 6
    assert mail.exists()


def test_explain_tells_what_happened_what_counts_and_what_comes_next(cli: Cli) -> None:
    events = [event("c1@example.com", id=n, group="news") for n in range(3)]
    cli("responses", "ingest", "-", stdin=jsonl(*events))
    data = cli("explain", "c1@example.com", "--json").json["data"]
    assert data["status"] == "inactive"
    assert data["groups"] == [{"name": "News", "state": "follows"}]
    kinds = [each["kind"] for each in data["timeline"]]
    assert kinds == ["created", "joined", "response", "response", "response", "deactivated"]
    transient = next(each for each in data["counts"] if each["category"] == "transient")
    assert (transient["counted"], transient["threshold"], transient["open"]) == (3, 3, True)
    (step,) = data["next"]
    assert (step["action"], step["at"]) == ("reactivate", "2026-06-25T12:00:00Z")


def test_explain_says_that_a_complaint_blocks_reactivation(cli: Cli) -> None:
    events = [event("c1@example.com", id=n) for n in range(3)]
    cli("responses", "ingest", "-", stdin=jsonl(*events, event("c1@example.com", "spam-complaint")))
    shown = cli("explain", 1).stdout
    assert "the handling rule cannot end this" in shown
    assert cli("explain", "nobody@example.com").exit_code == 1


def test_explain_without_anything_to_come(cli: Cli) -> None:
    assert "Nothing, unless more responses arrive." in cli("explain", "c5@example.com").stdout


@pytest.mark.both_databases
def test_what_if_counts_and_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    for email in ("c1@example.com", "c2@example.com"):
        cli("responses", "ingest", "-", stdin=jsonl(event(email), event(email, group="News", id=1)))
    (tmp_path / "other.yaml").write_text(
        "thresholds: {transient: {count: 1}}\n"
        "groups: {news: {deactivate: group, thresholds: {transient: {count: 1}}}}\n"
    )
    data = cli("rules", "what-if", tmp_path / "other.yaml", "--json").json["data"]
    assert (data["contacts"], data["active"], data["contacts_in_force"]) == (2, 2, 0)
    assert [(row["group"], row["category"], row["contacts"]) for row in data["by_scope"]] == [
        (None, "transient", 2),
        ("News", "transient", 2),
    ]
    assert cli("status", "--json").json["data"]["inactive"] == 0
    assert cli("rules", "what-if", tmp_path / "none.yaml").exit_code == 2


@pytest.mark.both_databases
def test_what_if_counts_handling_rules_too(cli: Cli, tmp_path: Path) -> None:
    three = [event("c1@example.com", id=number) for number in range(3)]
    cli("responses", "ingest", "-", stdin=jsonl(*three))
    assert cli("contacts", "show", "c1@example.com", "--json").json["data"]["status"] == "inactive"
    (tmp_path / "other.yaml").write_text("handling: {transient: {reactivate_after: 2 days}}\n")
    later = {"CONTACTCTL_NOW": "2026-06-18T12:00:00Z"}
    result = cli("rules", "what-if", tmp_path / "other.yaml", "--json", env=later)
    data = result.json["data"]
    assert (data["handled"], data["handled_in_force"]) == (1, 0)
    assert data["by_scope"] == [
        {
            "action": "reactivate",
            "group": None,
            "category": "transient",
            "contacts": 1,
            "contacts_in_force": 0,
        }
    ]
    assert cli("contacts", "show", "c1@example.com", "--json").json["data"]["status"] == "inactive"


def test_explain_says_what_decided_and_what_failed_behind_an_alias(
    cli: Cli, tmp_path: Path
) -> None:
    bounce = BOUNCE.format(recipient="member@example.net").replace(
        "Action:", "Original-Recipient: rfc822; c1@example.com\nAction:"
    )
    bounce = bounce.replace("Status: 5.1.1", "Status: 5.7.1")
    (tmp_path / "bounce.eml").write_text(bounce)

    assert cli("responses", "ingest", tmp_path / "bounce.eml").exit_code == 0

    timeline = cli("explain", "c1@example.com", "--json").json["data"]["timeline"]
    (text,) = [each["text"] for each in timeline if each["kind"] == "response"]
    assert "failed through this address, at another" in text
    assert "decided by reply, over code: status-5.7.1 (blocked)" in text
    (row,) = cli("responses", "list", "--json").json["data"]["responses"]
    assert (row["evidence"][:5], row["through"]) == ("reply", True)


def test_files_with_names_that_are_not_utf_8(cli: Cli, tmp_path: Path) -> None:
    mail = tmp_path / "caf\udce9.eml"
    mail.write_text(BOUNCE.format(recipient="c1@example.com"))

    assert cli("responses", "ingest", mail).exit_code == 0
    assert cli("responses", "ingest", tmp_path / "no\udce9").exit_code == 2
    people = tmp_path / "caf\udce9.csv"
    people.write_text("email\nc1@example.com\n")
    assert cli("contacts", "import", people).exit_code == 0
