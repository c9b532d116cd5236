"""`contactctl preview`: what it counts and shows, its keys, and that it writes nothing."""

import re
from pathlib import Path

import pytest
from sqlalchemy import update

from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.store_cli import StoreCli, seeded_cli

KEYS = {"count", "active_total", "left_out", "criteria", "as_of", "preview"}
PREVIEW_KEYS = {
    *("id", "email", "first_name", "last_name", "company", "created"),
    *("last_opportunity", "last_emailed", "last_opened"),
}


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 200)


def test_the_fixed_keys_are_there_and_nothing_is_written(cli: StoreCli) -> None:
    before = dump(cli.store)

    data = cli.json("preview", "--where", "last_opportunity older-than 24 months")

    assert data.keys() >= KEYS
    assert (data["active_total"], data["left_out"]) == (200, {"last_opportunity": 30})
    assert data["criteria"] == {"all": ["last_opportunity older-than 24 months"]}
    assert data["as_of"] == "2026-06-15T12:00:00Z"
    assert data["conditions"] == [
        {
            "text": "last_opportunity older-than 24 months",
            "resolved": "last_opportunity before 2024-06-15",
        }
    ]
    assert dump(cli.store) == before


def test_at_most_thirty_contacts_are_shown_by_id(cli: StoreCli) -> None:
    shown = cli.json("preview", "--where", "id > 100")["preview"]
    few = cli.json("preview", "--where", "id > 197")["preview"]

    assert [row["id"] for row in shown] == list(range(101, 131))
    assert shown[0].keys() >= {"id", "email", "last_opportunity"}
    assert [row["id"] for row in few] == [198, 199, 200]
    assert few[0]["email"] == "chloe.ekstrom.198@mail4.example.com"


def test_inactive_contacts_do_not_count(cli: StoreCli) -> None:
    with cli.store.writing() as connection:
        connection.execute(
            update(tables.contact).where(tables.contact.c.id <= 50).values(status="inactive")
        )

    data = cli.json("preview", "--where", "id <= 60")

    assert (data["count"], data["active_total"]) == (10, 150)
    assert cli.json("preview", "--where", "status = inactive")["count"] == 0


def test_without_criteria_the_prebuilt_ones_are_used_and_said_so(cli: StoreCli) -> None:
    data = cli.json("preview")

    assert data["prebuilt"] is True
    assert (
        data["count"]
        == cli.json("preview", "--where", "last_opportunity before 2024-06-15")["count"]
    )
    assert "Criteria (prebuilt)" in cli("preview").stdout


def test_who_is_left_out_and_how_to_include_them_is_said(cli: StoreCli) -> None:
    shown = cli("preview").stdout

    assert "30 without last_opportunity" in shown
    assert "last_opportunity missing" in shown


@pytest.mark.parametrize("group", ["all", "any"])
def test_what_to_write_into_a_file_includes_them(cli: StoreCli, tmp_path: Path, group: str) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(f"{group}:\n  - last_opportunity older-than 24 months\n")
    shown = " ".join(
        cli("preview", "--criteria", str(file), env={"COLUMNS": "1000"}).stdout.split()
    )
    written = re.search(r"(?:at|below) \S+:2 (?:write|add) (- .*? missing\"?\]?)", shown)

    assert written
    lines = [] if group == "all" else ["  - last_opportunity older-than 24 months"]
    file.write_text("\n".join([f"{group}:", *lines, f"  {written[1]}"]))

    assert (
        cli.json("preview", "--criteria", str(file))["count"] == cli.json("preview")["count"] + 30
    )


@pytest.mark.both_databases
def test_including_the_missing_counts_them(cli: StoreCli) -> None:
    either = ("--where-any", "last_opportunity older-than 24 months")
    missing = ("--where-any", "last_opportunity missing")

    data = cli.json("preview", *either, *missing)

    assert data["count"] == cli.json("preview")["count"] + 30
    assert data["left_out"] == {"last_opportunity": 0}


def test_people_see_the_store_the_share_and_how_many_more(cli: StoreCli) -> None:
    shown = cli("preview", "--where", "id <= 50").stdout

    assert cli.store.identity in shown
    assert "50 of 200 (25.0 %) active contacts match" in shown
    assert "... and 20 more" in shown
    assert "2026-06-15 12:00 UTC" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if cli.store.identity not in line)


def test_relative_dates_count_in_the_configured_time_zone(cli: StoreCli) -> None:
    cli.configure("time_zone: Pacific/Auckland\n")  # where it is the 16th already

    data = cli.json("preview")

    assert data["time_zone"] == "Pacific/Auckland"
    assert data["conditions"][0]["resolved"] == "last_opportunity before 2024-06-16"


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_rows_stream_in_other_formats(cli: StoreCli, format_: str) -> None:
    lines = cli("preview", "--where", "id <= 3", "--format", format_, "--fields", "id,email").lines

    assert len(lines) == (3 if format_ == "jsonl" else 4)
    assert "bo.andersen.1@mail1.example.com" in "\n".join(lines)


def test_criteria_come_from_standard_input_too(cli: StoreCli) -> None:
    assert cli.json("preview", "--criteria", "-", stdin="all: [id <= 7]\n")["count"] == 7


@pytest.mark.both_databases
def test_declared_attributes_select(cli: StoreCli) -> None:
    cli.configure("attributes: {plan: text, orders: number}\n")

    data = cli.json(
        "preview", "--where", "attributes.plan = PRO", "--where", "attributes.orders < 9"
    )

    expected = [n for n in range(1, 201) if n % 10 != 5 and n % 3 == 2 and n % 40 < 9]
    assert data["count"] == len(expected)
    assert [row["id"] for row in data["preview"]] == expected[:30]


def test_what_cannot_be_understood_exits_2_and_selects_nobody(cli: StoreCli) -> None:
    (cli.folder / "some.yaml").write_text("all: [id = 2]\n")
    for flags in [
        ("--where", "nonsense"),
        ("--where", "emial = x"),
        ("--where", "attributes.plan = x"),
        ("--where", "id older-than 2 days"),
        ("--where", "last_opportunity older-than 24 fortnights"),
        ("--where", "group = newslettr"),
        ("--where-not", "group = newslettr"),
        ("--criteria", "missing.yaml"),
        ("--where", "id = 1", "--criteria", "some.yaml"),
        ("--fields", "id,nonsense"),
        ("--confirm", "3"),
    ]:
        result = cli("preview", *flags, "--json")

        assert result.exit_code == 2, flags
        assert result.json["data"] == {}, flags
        assert result.json["errors"][0]["message"], flags


@pytest.mark.both_databases
def test_sql_in_values_is_text(cli: StoreCli) -> None:
    before = dump(cli.store)
    for value in [
        '"\' OR 1=1 --"',
        "'; DROP TABLE contact'",
        '"%"',
        "_",
        "\\",
        "$1",
        ":name",
        "?",
        "{}",
    ]:
        flags = []
        for operator in ("=", "contains", "starts-with"):
            flags += ["--where-any", f"company {operator} {value}"]
        assert cli.json("preview", *flags)["count"] == 0, value
    assert dump(cli.store) == before


@pytest.mark.both_databases
def test_what_was_asked_about_is_shown(cli: StoreCli) -> None:
    cli.configure("attributes: {plan: text, orders: number}\n")
    asked = ("--where", "attributes.orders < 9", "--where-any", "group = newsletter")

    heading, first = cli("preview", *asked).stdout.split("\n\n")[1].splitlines()[:2]
    row = cli.json("preview", *asked)["preview"][0]

    assert heading.split()[:4] == ["ID", "EMAIL", "ORDERS", "GROUP"]
    assert first.split()[2] == str(row["attributes.orders"])
    assert "newsletter" in row["group"]
    assert row.keys() == {*PREVIEW_KEYS, "attributes.orders", "group"}


def test_columns_without_any_value_are_not_shown_unless_asked_for(cli: StoreCli) -> None:
    missing = ("--where", "last_opportunity missing")

    assert "LAST OPPORTUNITY" not in cli("preview", *missing).stdout
    assert "LAST OPPORTUNITY" in cli("preview", *missing, "--fields", "last_opportunity").stdout
    assert cli.json("preview", *missing)["preview"][0].keys() == PREVIEW_KEYS


def test_a_plan_shows_the_same_columns(cli: StoreCli) -> None:
    cli.configure("attributes: {plan: text}\n")

    data = cli.json("deactivate", "--where", "id <= 10", "--plan")

    assert data["preview"][0].keys() == PREVIEW_KEYS


@pytest.mark.both_databases
def test_any_field_can_be_asked_for(cli: StoreCli) -> None:
    cli.configure("attributes: {plan: text}\n")
    fields = (
        "id,email_domain,phone,source,tag,group,attributes.plan,deactivated,responses.transient"
    )

    for command in (("preview",), ("deactivate", "--dry-run")):
        data = cli.json(*command, "--where", "id = 1", "--fields", fields)
        assert list(data["preview"][0]) == fields.split(",")
        assert data["preview"][0]["email_domain"] == "mail1.example.com"
        assert data["preview"][0]["responses.transient"] == 0


@pytest.mark.parametrize("field", ["status = inactive", "deactivation_category = transient"])
@pytest.mark.both_databases
def test_who_asks_about_inactive_contacts_is_told_where_they_are(cli: StoreCli, field: str) -> None:
    assert "`contactctl contacts list`" in cli("preview", "--where", field).stderr
    assert "contacts list" not in cli("preview").stderr


def test_formats_without_a_count_say_that_there_are_more(cli: StoreCli) -> None:
    for format_ in ("csv", "jsonl"):
        shown = cli("preview", "--where", "id > 100", "--format", format_)
        assert "the first 30 of 100; `contactctl contacts export --deliverable`" in shown.stderr
    assert "the first" not in cli("preview", "--where", "id <= 30", "--format", "csv").stderr


def test_the_count_is_repeated_below_the_rows(cli: StoreCli) -> None:
    lines = cli("preview", "--where", "id > 100").stdout.splitlines()
    assert lines[-1] == "100 of 200 (50.0 %) active contacts match."
    assert any(line.startswith("Contacts  100 of 200") for line in lines[:5])
    assert "match." not in cli("preview", "--where", "id > 999").stdout


@pytest.mark.both_databases
def test_a_list_at_a_terminal_shows_a_hundred_and_says_how_many_more(cli: StoreCli) -> None:
    def ids(*args: str, tty: bool) -> list[str]:
        lines = cli("contacts", "list", "--fields", "id", *args, tty=tty).stdout.splitlines()
        return [line for line in lines if line.strip().isdigit()]

    shown = cli("contacts", "list", "--where", "id > 50", tty=True).stdout
    assert "... and 50 more; --all shows them, --limit N the first N" in shown
    assert (len(ids("--all", tty=True)), len(ids("--limit", "150", tty=True))) == (200, 150)
    assert (len(ids(tty=True)), len(ids(tty=False))) == (100, 200)
    assert "more" not in cli("contacts", "list", "--where", "id <= 100", tty=True).stdout
    assert len(cli.json("contacts", "list", tty=True)["contacts"]) == 200
    assert cli("contacts", "list", "--all", "--limit", "3").exit_code == 2
