"""`responses classify` and `responses rules`, which need no store."""

import gzip
import json
import os
from pathlib import Path
from threading import Thread

import pytest

from helpers.cli import run_cli
from helpers.events import BOUNCE, event, jsonl


def test_classify_needs_no_store(tmp_path: Path) -> None:
    (tmp_path / "bounce.eml").write_text(BOUNCE.format(recipient="kari@example.com"))
    result = run_cli(
        ["responses", "classify", tmp_path / "bounce.eml", "--format", "jsonl"], cwd=tmp_path
    )
    assert result.exit_code == 0
    (row,) = [json.loads(line) for line in result.lines]
    assert row["recipient"] == "kari@example.com"
    assert (row["category"], row["counts"], row["status"]) == ("invalid-address", True, "5.1.1")
    assert {
        "source",
        "original_recipient",
        "diagnostic",
        "rule",
        "occurred_at",
        "source_key",
    } <= set(row)


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_classify_shows_what_it_can_and_ends_with_5(form: str, tmp_path: Path) -> None:
    lines = jsonl(event("c1@example.com")) + "{broken\n"
    args = ["responses", "classify", "-", "--from", "jsonl", "--format", form]
    result = run_cli([*args, "--rejects", tmp_path / "rejects"], stdin=lines, cwd=tmp_path)
    assert result.exit_code == 5
    assert "c1@example.com" in result.stdout
    assert len((tmp_path / "rejects").read_text().splitlines()) == 1


def test_classify_says_what_a_mail_is_instead(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_text("From: ann@example.com\nSubject: Re: hello\n\nThanks.\n")
    args = ["responses", "classify", tmp_path / "mail.eml"]

    assert "not a response" not in run_cli(args, cwd=tmp_path).stderr
    result = run_cli([*args, "--verbose"], cwd=tmp_path)
    assert result.exit_code == 0
    assert f"{tmp_path}/mail.eml: not a response: a reply\n" in result.stderr


def test_refusals_of_the_sender_are_told_as_an_ingest_counts_them(tmp_path: Path) -> None:
    said = "554 5.7.1 Client host [192.0.2.9] blocked using bl.spamcop.net"
    refused = {"email": "c1@example.com", "status": "5.7.1", "diagnostic": said, "id": "1"}
    result = run_cli(["responses", "classify", "-", "--json"], stdin=jsonl(refused), cwd=tmp_path)
    assert result.json["data"]["sender_side"] == 1
    assert "1 response refuses the sender" in result.stderr


def test_a_pipe_with_a_name_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = jsonl(event("c1@example.com"), event("c2@example.com"))
    for written in (lines.encode(), gzip.compress(lines.encode())):
        Thread(target=pipe.write_bytes, args=(written,)).start()
        result = run_cli(["responses", "classify", pipe, "--json"], cwd=tmp_path)
        found = [row["recipient"] for row in result.json["data"]["responses"]]
        assert found == ["c1@example.com", "c2@example.com"]


def test_standard_input_can_be_named_once(tmp_path: Path) -> None:
    assert run_cli(["responses", "classify", "-", "-"], cwd=tmp_path).exit_code == 2


def test_own_rules_come_first(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text(
        "response_rules:\n"
        "  - {id: our-relay, category: blocked, why: quarantine, text: [held in quarantine]}\n"
    )
    rules = run_cli(["responses", "rules", "--json"], cwd=tmp_path).json["data"]["rules"]
    assert (rules[0]["id"], rules[0]["from"], rules[1]["from"]) == (
        "our-relay",
        "config",
        "built in",
    )
    assert len({rule["id"] for rule in rules}) == len(rules)


def test_a_file_of_one_s_own_is_read_by_a_mapping(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("Who,When,Said\nkari@example.org,1.3.2026,552 5.2.2 mailbox full\n")
    refused = run_cli(["responses", "classify", str(rows)])
    assert refused.exit_code == 2
    assert "--map 'COLUMN=email'" in refused.stderr
    options = ["--map", "Who=email", "--map", "Said=diagnostic", "--map", "When=occurred_at"]
    result = run_cli(
        ["responses", "classify", str(rows), *options, "--date-format", "%d.%m.%Y", "--json"]
    )
    [response] = result.json["data"]["responses"]
    assert (response["category"], response["occurred_at"][:10]) == ("transient", "2026-03-01")
    classify_blocked = ["responses", "classify", str(rows), "--map", "Who=email"]
    classify_blocked += ["--category", "blocked"]
    asked = run_cli(classify_blocked)
    assert (asked.exit_code, "is 'When' its time?" in asked.stderr) == (5, True)
    assert "without a time" in run_cli([*classify_blocked, "--map", "When="]).stderr
    combined = run_cli(["responses", "classify", str(rows), "--map", "Who=email", "--from", "ses"])
    assert combined.exit_code == 2


def test_unsubscribes_are_told(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"event": "unsubscribed", "recipient": "kari@example.org", "id": "u1"}')
    result = run_cli(["responses", "classify", str(event), "--json"])
    assert result.json["data"]["unsubscribes"] == 1
    assert "1 unsubscribe read" in run_cli(["responses", "classify", str(event)]).stderr
