"""From provider events and imports to contacts who do not read what they get."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.cli import run_cli
from helpers.sessions import NOW
from helpers.store_cli import StoreCli

COUNTS = "email,mails_received,mails_since_engaged"


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return StoreCli(store, store_url, tmp_path)


def write_events(folder: Path, events: list[dict[str, object]]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return path


def sendgrid(event: str, email: str, at: datetime, **values: object) -> dict[str, object]:
    stamp = int(at.timestamp())
    known = {"event": event, "email": email, "timestamp": stamp, "sg_message_id": f"m{stamp}"}
    return known | {"sg_event_id": f"{event}{email}{stamp}".replace("@", "-")} | values


def add_contacts(cli: StoreCli, text: str, *options: str) -> None:
    path = cli.folder / "people.csv"
    path.write_text(text)
    cli.json("contacts", "import", path, *options)


def counts(cli: StoreCli) -> dict[str, tuple[int, int]]:
    rows = cli.json("contacts", "list", "--fields", COUNTS)["contacts"]
    return {row["email"]: (row["mails_received"], row["mails_since_engaged"]) for row in rows}


@pytest.mark.both_databases
def test_ten_mails_never_opened_are_found_and_deactivated(cli: StoreCli) -> None:
    add_contacts(cli, "email\nnever@x.no\nreader@x.no\nproxy@x.no\nnew@x.no\n")
    events = [
        sendgrid("delivered", f"{name}@x.no", NOW - timedelta(days=day))
        for name, first in (("never", 1), ("reader", 1), ("proxy", 1), ("new", 10))
        for day in range(first, 11)
    ]
    opened = NOW - timedelta(hours=1)
    events += [
        sendgrid("open", "reader@x.no", opened),
        sendgrid("open", "proxy@x.no", opened, sg_machine_open=True),
        sendgrid("click", "proxy@x.no", NOW - timedelta(days=1, seconds=-4)),
    ]
    path = write_events(cli.folder, events)
    cli.json("responses", "ingest", path)
    cli.json("responses", "ingest", path)
    assert counts(cli) == {
        "never@x.no": (10, 10),
        "reader@x.no": (10, 0),
        "proxy@x.no": (10, 10),
        "new@x.no": (1, 1),
    }
    found = cli.json("preview", "--prebuilt", "unengaged")
    assert (found["count"], found["prebuilt"]) == (2, True)
    assert cli.json("preview", "--where", "mails_since_engaged >= 10")["count"] == 2
    cli.configure("limits: {max_percent: 100}")
    cli.json("deactivate", "--prebuilt", "unengaged", "--confirm", "2")
    left = cli.json("contacts", "list", "--where", "status = active")["contacts"]
    assert [row["email"] for row in left] == ["reader@x.no", "new@x.no"]
    assert left[0]["last_engaged"] == left[0]["last_opened"] != left[0]["last_machine_opened"]


@pytest.mark.both_databases
def test_an_import_says_how_many_mails_another_program_has_sent(cli: StoreCli) -> None:
    text = "email,Sends Since Last Engagement,total\na@x.no,12,40\nb@x.no,,\n"
    since = "Sends Since Last Engagement=mails_since_engaged"
    maps = ("--map", since, "--map", "total=mails_received")
    add_contacts(cli, text, *maps)
    assert counts(cli) == {"a@x.no": (40, 12), "b@x.no": (0, 0)}
    later = NOW + timedelta(hours=1)
    after = {"CONTACTCTL_NOW": (NOW + timedelta(hours=3)).isoformat()}
    path = write_events(cli.folder, [sendgrid("delivered", "a@x.no", later)])
    cli.json("responses", "ingest", path, env=after)
    assert counts(cli)["a@x.no"] == (41, 13)
    path = write_events(cli.folder, [sendgrid("click", "a@x.no", later + timedelta(seconds=2))])
    cli.json("responses", "ingest", path, env=after)
    assert counts(cli)["a@x.no"] == (41, 13)
    add_contacts(cli, text.replace("12", "3"), *maps)
    assert counts(cli)["a@x.no"] == (40, 3)
    path = write_events(cli.folder, [sendgrid("open", "a@x.no", later + timedelta(hours=1))])
    cli.json("responses", "ingest", path, env=after)
    assert counts(cli)["a@x.no"] == (40, 0)


@pytest.mark.both_databases
def test_a_click_of_an_import_outlives_a_later_one_of_a_machine(cli: StoreCli) -> None:
    add_contacts(cli, "email,last_clicked\na@x.no,2020-05-01T10:00:00Z\n")
    at = NOW - timedelta(days=1)
    for event in (
        sendgrid("click", "a@x.no", at + timedelta(seconds=5)),
        sendgrid("delivered", "a@x.no", at),
    ):
        cli.json("responses", "ingest", write_events(cli.folder, [event]))
    (found,) = cli.json("contacts", "list")["contacts"]
    assert found["last_clicked"] == found["last_engaged"] == "2020-05-01T10:00:00Z"


@pytest.mark.both_databases
def test_an_import_of_a_later_opening_counts_again(cli: StoreCli) -> None:
    add_contacts(cli, "email\na@x.no\n")
    days = [sendgrid("delivered", "a@x.no", NOW - timedelta(days=day)) for day in range(4)]
    cli.json("responses", "ingest", write_events(cli.folder, days))
    opened = (NOW - timedelta(days=2)).astimezone(UTC).isoformat()
    add_contacts(cli, f"email,last_opened\na@x.no,{opened}\n")
    assert counts(cli) == {"a@x.no": (4, 2)}


def test_a_count_is_a_whole_number(cli: StoreCli) -> None:
    for cell in ["-1", "1.5", "many", "10000000000", "1e3"]:
        path = cli.folder / "people.csv"
        path.write_text(f"email,mails_received\na@x.no,{cell}\n")
        assert cli.json("contacts", "import", path, exit_code=5)["rejected"] == 1, cell


@pytest.mark.both_databases
def test_a_full_export_into_another_store_keeps_the_counts(cli: StoreCli, tmp_path: Path) -> None:
    header = "email,last_opened,mails_since_engaged,mails_received"
    add_contacts(cli, f"{header}\na@x.no,2024-01-01,7,9\n")
    exported = cli("contacts", "export", "--full").stdout
    with cli.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM contact_email")
        connection.exec_driver_sql("DELETE FROM contact")
    add_contacts(cli, exported)
    assert counts(cli) == {"a@x.no": (9, 7)}


@pytest.mark.both_databases
def test_a_merged_contact_brings_its_mails_along(cli: StoreCli) -> None:
    add_contacts(cli, "email,mails_since_engaged\na@x.no,5\nb@x.no,\n")
    days = [sendgrid("delivered", "b@x.no", NOW - timedelta(days=day)) for day in range(3)]
    opened = sendgrid("open", "b@x.no", NOW - timedelta(days=1, hours=1))
    cli.json("responses", "ingest", write_events(cli.folder, [*days, opened]))
    assert counts(cli) == {"a@x.no": (5, 5), "b@x.no": (3, 2)}
    cli.json("contacts", "merge", "a@x.no", "b@x.no", "--confirm", "b@x.no")
    assert counts(cli) == {"a@x.no": (8, 7)}


def test_the_prebuilt_criteria_are_listed_and_named(cli: StoreCli) -> None:
    listed = run_cli(["criteria", "list", "--json"]).json["data"]["prebuilt"]
    assert [row["name"] for row in listed] == ["no-opportunity", "unengaged"]
    assert listed[1]["criteria"]["all"] == ["mails_since_engaged >= 10"]
    for name in ("unengaged", "no-opportunity"):
        assert cli.json("contacts", "list", "--prebuilt", name)["contacts"] == []
    [error] = cli.errors("preview", "--prebuilt", "unengagd", exit_code=2)
    assert error["hint"] == "did you mean 'unengaged'?"
    [error] = cli.errors("deactivate", "--prebuilt", "", "--confirm", "0", exit_code=2)
    assert "no prebuilt criteria ''" in error["message"]
    both = ("--prebuilt", "unengaged", "--where", "id = 1")
    assert "cannot be combined" in cli.errors("preview", *both, exit_code=2)[0]["message"]


def test_the_generic_form_says_what_a_machine_did(cli: StoreCli) -> None:
    add_contacts(cli, "email\na@x.no\n")
    path = cli.folder / "events.csv"
    path.write_text(
        "email,category,occurred_at\na@x.no,opened by machine,2024-01-01\n"
        "a@x.no,clicked-by-machine,2024-01-02\na@x.no,opened,2023-01-01\n"
    )
    cli.json("responses", "ingest", path)
    (found,) = cli.json("contacts", "list")["contacts"]
    assert found["last_machine_opened"].startswith("2024-01-02")
    assert found["last_engaged"].startswith("2023-01-01")
    assert found["last_clicked"] is None
