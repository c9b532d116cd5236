"""The commands below `runs`: keys, exit codes, confirmations, background."""

import os
from pathlib import Path

import pytest

from contactctl.domain.runs import RunState
from contactctl.operations.runs import read_run
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.store import Store, open_store
from contactctl.store.run_steps import apply_batch, start_run
from helpers.cli import REHEARSING
from helpers.dumps import dump
from helpers.plans import active_ids, as_another_login, deactivated_by, plan_items, states
from helpers.sessions import NOW, make_session
from helpers.store_cli import StoreCli, seeded_cli

RUN_KEYS = {
    "run", "state", "planned", "deactivated", "skipped", "active_before", "active_after",
}  # fmt: skip
REPOSITORY = Path(__file__).parents[2]
TEN = ("--where", "id <= 10")


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 100)


@pytest.fixture
def kept(cli: StoreCli) -> StoreCli:
    """With the plan of run 1, ten contacts, waiting."""
    cli.json("deactivate", *TEN, "--plan")
    return cli


@pytest.fixture
def half_done(kept: StoreCli) -> StoreCli:
    """With run 1 interrupted after four of its ten contacts."""
    apply_batch(kept.store, start_run(kept.store, 1, NOW, operator="tester@host"), 4, NOW)
    return kept


# --- list and show ---------------------------------------------------------------------------


@pytest.mark.both_databases
def test_list_has_every_run_with_the_fixed_keys_newest_first(cli: StoreCli) -> None:
    cli.json("deactivate", *TEN, "--confirm", "10", "--reason", "clean-up")
    cli.json("deactivate", "--where", "id > 90", "--plan")

    runs = cli.json("runs", "list")["runs"]

    assert [(run["run"], run["state"]) for run in runs] == [(2, "planned"), (1, "done")]
    assert all(
        run.keys() >= RUN_KEYS | {"kind", "operator", "reason", "started_at"} for run in runs
    )
    assert (runs[1]["kind"], runs[1]["reason"]) == ("deactivate", "clean-up")
    assert runs[1]["operator"].startswith("tester@host")
    assert (runs[1]["started_at"], runs[0]["started_at"]) == ("2026-06-15T12:00:00Z", None)
    for limit, more in ((1, True), (2, False)):
        listed = ("runs", "list", "--limit", str(limit))
        assert len(cli.json(*listed)["runs"]) == limit
        assert cli.json(*listed)["more"] is more
        assert ("... and more" in cli(*listed).stdout) is more
        assert ("the first 1; --limit N" in cli(*listed, "--format", "csv").stderr) is more
    assert [run["run"] for run in cli.json("runs", "list", "--state", "done")["runs"]] == [1]
    assert cli.json("runs", "list", "--kind", "import")["runs"] == []


def test_list_says_of_a_plan_when_it_was_made_and_whom_it_holds(cli: StoreCli) -> None:
    cli.json("deactivate", *TEN, "--plan", "--reason", "clean-up")
    cli.json("runs", "cancel", 1)

    for lines, reason in ((cli("runs", "list").stdout, "REASON"), (cli("status").stdout, "")):
        *_, heading, line = lines.splitlines()
        assert heading.split() == f"RUN KIND STATE CONTACTS OPERATOR {reason} WHEN (UTC)".split()
        assert line.split()[:4] == ["1", "deactivate", "cancelled", "10"]
        assert line.endswith("2026-06-15 12:00")


def test_list_refuses_what_it_does_not_know(cli: StoreCli) -> None:
    for flags in [
        ("--state", "dnoe"),
        ("--kind", "delete-all"),
        ("--limit", "0"),
        ("--fields", "nmae"),
    ]:
        assert cli.errors("runs", "list", *flags, exit_code=2), flags


def test_show_has_the_fixed_keys_in_every_state(half_done: StoreCli) -> None:
    for command, state in ((None, "running"), ("resume", "done")):
        if command:
            half_done.json("runs", command, 1, "--yes")
        data = half_done.json("runs", "show", 1)
        assert data.keys() >= RUN_KEYS
        assert data["state"] == state


def test_show_of_a_plan_shows_its_contacts_and_how_to_go_on(kept: StoreCli) -> None:
    data = kept.json("runs", "show", 1)
    shown = kept("runs", "show", 1).stdout

    assert [row["id"] for row in data["preview"]] == list(range(1, 11))
    assert data["impact"]["active_after"] == 90
    assert "contactctl runs apply 1" in shown
    assert "contactctl runs cancel 1" in shown


def test_whoever_approves_a_plan_sees_who_asked_why_and_until_when(cli: StoreCli) -> None:
    cli.json("deactivate", *TEN, "--plan", "--reason", "clean-up")

    for text in (
        cli("runs", "show", 1).stdout,
        cli("runs", "apply", 1, tty=True, stdin="no\n").stderr,
    ):
        assert "Operator  tester@host" in text
        assert "Reason    clean-up" in text
        assert "Planned   2026-06-15 12:00 UTC, expires 2026-06-16 12:00 UTC" in text


def test_show_does_not_tell_to_show(cli: StoreCli) -> None:
    applied = cli("deactivate", *TEN, "--confirm", "10").stdout
    shown = cli("runs", "show", 1).stdout

    assert "contactctl runs show 1" in applied
    assert "contactctl runs show" not in shown
    assert "contactctl reactivate EMAIL" in applied
    assert "contactctl reactivate EMAIL" in shown


def test_show_says_what_a_run_was_about(cli: StoreCli) -> None:
    cli.json("groups", "create", "winter")

    assert "What      the group winter created" in cli("runs", "show", 1).stdout


def test_a_run_that_does_not_exist_exits_1(cli: StoreCli) -> None:
    for command in ["show", "apply", "resume", "watch", "cancel"]:
        flags = ["--yes"] if command == "resume" else []
        (error,) = cli.errors("runs", command, 7, *flags, exit_code=1)
        assert (error["code"], error["message"]) == ("not-found", "no run 7"), command
        assert cli("runs", command, "seven").exit_code == 2, command
        assert cli("runs", command, "0").exit_code == 2, command
        assert cli("runs", command, 10**30).exit_code == 2, command


# --- apply -----------------------------------------------------------------------------------


def test_apply_with_the_count(kept: StoreCli) -> None:
    data = kept.json("runs", "apply", 1, "--confirm", "10")

    assert data.keys() >= RUN_KEYS
    assert (data["state"], data["deactivated"], data["skipped"]) == ("done", 10, 0)
    assert active_ids(kept.store) == set(range(11, 101))
    assert plan_items(kept.store) == 0


def test_apply_by_typing_the_count(kept: StoreCli) -> None:
    result = kept("runs", "apply", 1, tty=True, stdin="10\n")

    assert result.exit_code == 0
    assert "bo.andersen.1@mail1" in result.stderr
    assert deactivated_by(kept.store, 1) == list(range(1, 11))


def test_a_plan_that_is_not_confirmed_goes_on_waiting(kept: StoreCli) -> None:
    before = dump(kept.store)
    for values, flags, exit_code in [
        ({}, ["--confirm", "9"], 4),
        ({}, ["--confirm", "ten"], 2),
        ({}, ["--limit-override", "10"], 2),
        ({}, ["--yes"], 2),
        ({}, [], 4),
        ({"tty": True, "stdin": "y\n"}, [], 4),
        ({"tty": True, "stdin": ""}, [], 4),
    ]:
        assert kept("runs", "apply", 1, *flags, **values).exit_code == exit_code, flags
        assert dump(kept.store) == before, flags


def test_apply_skips_and_counts_who_changed_since(kept: StoreCli) -> None:
    kept.json("deactivate", "--where", "id in 3,4", "--confirm", "2")

    data = kept.json("runs", "apply", 1, "--confirm", "10")

    assert (data["planned"], data["deactivated"], data["skipped"]) == (10, 8, 2)
    assert data["skipped_reasons"] == {"not-active": 2}
    assert "2 (2 not-active)" in kept("runs", "show", 1).stdout


def test_an_expired_plan_is_refused_and_gone(kept: StoreCli) -> None:
    tomorrow = {"CONTACTCTL_NOW": "2026-06-16T12:00:00Z"}

    assert kept("runs", "apply", 1, "--confirm", "10", env=tomorrow).exit_code == 4
    assert (states(kept.store), plan_items(kept.store)) == ([RunState.EXPIRED], 0)
    assert kept.json("runs", "show", 1)["state"] == "expired"
    assert len(active_ids(kept.store)) == 100


@pytest.mark.both_databases
def test_a_second_operator_applies_what_the_first_has_planned(kept: StoreCli) -> None:
    kept.configure("plans: {approval: second-operator}\n")

    assert kept("runs", "apply", 1, "--confirm", "10").exit_code == 4
    assert len(active_ids(kept.store)) == 100
    as_another_login(kept.store, 1)
    kept.json("runs", "apply", 1, "--confirm", "10", operator="boss@host")
    assert len(active_ids(kept.store)) == 90


def test_a_run_tells_who_planned_and_who_applied_it(kept: StoreCli) -> None:
    assert kept.json("runs", "show", 1)["applied_by"] is None
    applied = kept.json("runs", "apply", 1, "--confirm", "10", operator="boss@host")
    own = kept.json("deactivate", "--where", "id > 90", "--confirm", "10")

    assert applied["operator"].startswith("tester@host")
    assert applied["applied_by"].startswith("boss@host")
    assert own["applied_by"] == own["operator"]
    listed = kept.json("runs", "list")["runs"]
    assert [run["applied_by"] for run in listed] == [own["applied_by"], applied["applied_by"]]
    assert "Applied by  boss@host" in kept("runs", "show", 1).stdout
    assert "Applied by" not in kept("runs", "show", 2).stdout


def test_apply_again_is_refused(kept: StoreCli) -> None:
    kept.json("runs", "apply", 1, "--confirm", "10")
    before = dump(kept.store)

    (error,) = kept.errors("runs", "apply", 1, "--confirm", "10", exit_code=4)
    assert error["message"] == "run 1 is done, not planned"
    assert dump(kept.store) == before


@pytest.mark.parametrize(
    "args", [("apply", 1, "--confirm", "10"), ("resume", 1, "--yes")], ids=["apply", "resume"]
)
@pytest.mark.both_databases
def test_while_another_process_changes_contacts_it_exits_6(
    kept: StoreCli, args: tuple[object, ...]
) -> None:
    if args[0] == "resume":
        start_run(kept.store, 1, NOW, operator="tester@host")
    before = dump(kept.store)
    other = open_store(kept.url)
    with exclusive(other, CONTACT_CHANGES):
        (error,) = kept.errors("runs", *args, "--wait", "0", exit_code=6)
        assert kept("deactivate", *TEN, "--confirm", 10, "--wait", "0.01").exit_code == 6
    other.close()

    assert error["code"] == "busy"
    assert dump(kept.store) == before


def test_a_wait_that_is_no_time_is_refused(kept: StoreCli) -> None:
    for wait in ["nan", "inf", "1e400"]:
        assert kept("runs", "apply", 1, "--confirm", "10", "--wait", wait).exit_code == 2, wait
        assert len(active_ids(kept.store)) == 100, wait


# --- resume ----------------------------------------------------------------------------------


def test_resume_goes_on_where_the_run_stopped(half_done: StoreCli) -> None:
    data = half_done.json("runs", "resume", 1, "--yes")

    assert data.keys() >= RUN_KEYS
    assert (data["state"], data["deactivated"], data["active_after"]) == ("done", 10, 90)
    assert deactivated_by(half_done.store, 1) == list(range(1, 11))
    assert half_done.json("runs", "resume", 1, "--yes")["deactivated"] == 10


def test_a_run_tells_who_went_on_with_it(half_done: StoreCli) -> None:
    half_done.json("runs", "resume", 1, "--yes", operator="boss@host")

    data = half_done.json("runs", "show", 1)
    assert (data["applied_by"], data["resumed_by"][:9]) == ("tester@host", "boss@host")
    assert "Resumed by  boss@host" in half_done("runs", "show", 1).stdout


def test_resume_asks_a_person_for_the_number_still_to_come(half_done: StoreCli) -> None:
    before = dump(half_done.store)
    for answer in ("10\n", "y\n", ""):
        assert half_done("runs", "resume", 1, tty=True, stdin=answer).exit_code == 4
    assert half_done("runs", "resume", 1).exit_code == 4
    assert dump(half_done.store) == before

    assert half_done("runs", "resume", 1, tty=True, stdin="6\n").exit_code == 0
    assert deactivated_by(half_done.store, 1) == list(range(1, 11))


@pytest.mark.both_databases
def test_resume_takes_the_number_still_to_come_from_a_script(half_done: StoreCli) -> None:
    before = dump(half_done.store)
    assert half_done("runs", "resume", 1, "--yes", "--confirm", "6").exit_code == 2
    [wrong] = half_done.errors("runs", "resume", 1, "--confirm", "10", exit_code=4)
    assert wrong["code"] == "wrong-count"
    assert dump(half_done.store) == before
    assert half_done.json("runs", "resume", 1, "--confirm", "6")["deactivated"] == 10


def test_a_plan_cannot_be_resumed_past_its_confirmation(kept: StoreCli) -> None:
    before = dump(kept.store)

    assert kept("runs", "resume", 1, "--yes").exit_code == 4
    assert dump(kept.store) == before


# --- cancel ----------------------------------------------------------------------------------


def test_cancel_drops_a_plan(kept: StoreCli) -> None:
    data = kept.json("runs", "cancel", 1)

    assert (data["state"], data["deactivated"]) == ("cancelled", 0)
    assert data["message"].startswith("cancelled by tester@host")
    assert (plan_items(kept.store), len(active_ids(kept.store))) == (0, 100)
    assert kept("runs", "cancel", 1).exit_code == 4


def test_cancel_stops_a_run_where_it_is(half_done: StoreCli) -> None:
    data = half_done.json("runs", "cancel", 1)

    assert (data["state"], data["deactivated"], data["active_after"]) == ("cancelled", 4, 96)
    assert (plan_items(half_done.store), len(active_ids(half_done.store))) == (0, 96)
    assert half_done.json("runs", "resume", 1, "--yes")["state"] == "cancelled"


# --- watch and background --------------------------------------------------------------------


def test_watch_of_a_finished_run_shows_it(kept: StoreCli) -> None:
    kept.json("runs", "apply", 1, "--confirm", "10")
    assert kept.json("runs", "watch", 1)["state"] == "done"


def test_watch_of_a_plan_says_that_it_has_not_started(kept: StoreCli) -> None:
    result = kept("runs", "watch", 1, "--json")

    assert (result.exit_code, result.json["data"]["state"]) == (4, "planned")


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.parametrize(
    "start",
    [
        ("deactivate", *TEN, "--confirm", "10", "--background"),
        ("runs", "apply", "1", "--confirm", "10", "--background"),
    ],
    ids=["deactivate", "apply"],
)
def test_in_the_background_a_process_of_its_own_does_the_work(
    kept: StoreCli, start: tuple[str, ...]
) -> None:
    environ = {
        **os.environ,
        **REHEARSING,
        "PYTHONPATH": str(REPOSITORY),
    }
    data = kept.json(*start, env=environ)

    assert (data["state"], data["deactivated"]) == ("running", 0)
    watched = kept.json("runs", "watch", data["run"])
    assert (watched["state"], watched["deactivated"]) == ("done", 10)
    assert deactivated_by(kept.store, data["run"]) == list(range(1, 11))
    assert read_run(make_session(kept.store), data["run"]).clock_replaced
