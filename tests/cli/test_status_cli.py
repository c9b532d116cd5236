"""`contactctl status`: totals that agree with what was done."""

from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.store_cli import StoreCli, seeded_cli


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 100)


def test_the_totals_of_a_new_store(cli: StoreCli) -> None:
    before = dump(cli.store)

    data = cli.json("status")

    assert (data["active"], data["inactive"], data["total"]) == (100, 0, 100)
    assert data["database"] == cli.store.identity
    assert (data["open_deactivations"], data["latest_runs"]) == ([], [])
    assert (data["unfinished_runs"], data["waiting_plans"], data["billing"]) == (0, 0, None)
    assert dump(cli.store) == before


@pytest.mark.both_databases
def test_the_totals_after_a_run_and_a_plan(cli: StoreCli) -> None:
    cli.configure("billing: {currency: EUR, tiers: [{up_to: 90, price: 29.50}, {price: 99}]}\n")
    cli.json("deactivate", "--where", "id <= 10", "--confirm", "10")
    cli.json("deactivate", "--where", "id <= 20", "--plan")

    data = cli.json("status")

    assert (data["active"], data["inactive"], data["total"]) == (90, 10, 100)
    assert data["open_deactivations"] == [{"origin": "bulk", "category": None, "number": 10}]
    assert data["waiting_plans"] == 1
    assert data["billing"] == {"currency": "EUR", "price": 29.5, "up_to": 90}
    assert [(run["run"], run["state"]) for run in data["latest_runs"]] == [
        (2, "planned"),
        (1, "done"),
    ]


@pytest.mark.both_databases
def test_the_last_twelve_months_of_deactivations(cli: StoreCli) -> None:
    for now, count in (("2025-07-01", 3), ("2026-05-31T23:59:59Z", 4), ("2026-06-01", 5)):
        cli.json(
            "deactivate",
            "--where",
            f"id <= {count * 10}",
            "--where",
            f"id > {count * 10 - count}",
            "--confirm",
            count,
            env={"CONTACTCTL_NOW": now},
        )

    months = cli.json("status")["deactivations_per_month"]

    assert [month["month"] for month in months] == [
        *(f"2025-{month:02d}" for month in range(7, 13)),
        *(f"2026-{month:02d}" for month in range(1, 7)),
    ]
    numbers = {month["month"]: month["number"] for month in months if month["number"]}
    assert numbers == {"2025-07": 3, "2026-05": 4, "2026-06": 5}

    shown = [line.split() for line in cli("status").lines]
    bars = [line[0] for line in shown if line and line[0].startswith("202")]
    assert bars == ["2026-05", "2026-06"]  # six months, from the first that has any
    assert len(shown) <= 23


def test_what_people_see_fits_80_columns(cli: StoreCli) -> None:
    cli.json("deactivate", "--where", "id <= 10", "--confirm", "10")

    shown = cli("status").stdout

    for text in ("Active", "90", "Inactive", "10", "Open: bulk", "2026-06", "deactivate", "done"):
        assert text in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if cli.store.identity not in line)


def test_fields_are_chosen_by_name(cli: StoreCli) -> None:
    assert list(cli.json("status", "--fields", "active,unfinished_runs")) == [
        "active",
        "unfinished_runs",
    ]
