"""The real program in a real terminal of 80x24: what a person sees and what their keys do."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from contactctl.domain.runs import RunState
from contactctl.operations.runs import read_run, resume_run
from contactctl.store.database.store import Store, open_store
from helpers.cli import REHEARSING
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import active_ids, deactivated_by, plan_items, states
from helpers.sessions import make_session
from helpers.warm_python import warm_python

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
from contactctl.operations import run_work
{patch}
from contactctl.__main__ import main
main()
"""
# after the second batch it says so, and waits to be interrupted
SLOW_BATCHES = """
run_work.BATCH_CONTACTS = 5
apply_batch = run_work.apply_batch
def announced(*args):
    import sys, time
    run = apply_batch(*args)
    if run and run.cursor >= 10:
        print("AT WORK", file=sys.stderr, flush=True)
        time.sleep(60)
    return run
run_work.apply_batch = announced
""".strip()
QUESTION = "Type the number of contacts to deactivate them: "

Start = Callable[..., pexpect.spawn]


@pytest.fixture
def seeded(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    seed_contacts(store, 100)
    yield store
    store.close()


@pytest.fixture
def start(seeded: Store, sqlite_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a command at a terminal; `patch` is Python that runs before it."""
    children: list[pexpect.spawn] = []
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
    environ |= {
        **REHEARSING,
        "NO_COLOR": "1",
        "PYTHONPATH": str(REPOSITORY),
    }

    def spawn(*args: str, patch: str = "", python: str = "") -> pexpect.spawn:
        child = pexpect.spawn(
            python or warm_python(),
            ["-c", PROGRAM.format(patch=patch), *args, "--database", sqlite_url],
            env=environ,
            cwd=str(tmp_path),
            encoding="utf-8",
            dimensions=(24, 80),
            timeout=60,
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.close(force=True)


def ended(child: pexpect.spawn) -> tuple[int | None, str]:
    """Exit code, and what came since the last thing expected."""
    rest = child.read()
    child.close()
    return child.exitstatus, rest


def deactivating(start: Start, **values: str) -> pexpect.spawn:
    child = start("deactivate", "--where", "id <= 20", **values)
    child.expect_exact(QUESTION)
    return child


def require_unchanged(store: Store, before: dict) -> None:
    assert dump(store, without=("run",)) == before
    assert (states(store), plan_items(store)) == ([RunState.CANCELLED], 0)


def test_a_person_sees_the_plan_types_the_count_and_sees_the_result(
    start: Start, seeded: Store
) -> None:
    child = deactivating(start)
    shown = child.before
    assert shown is not None
    for text in (
        seeded.identity,
        "id <= 20",
        "20 of 100 (20.0 %) to deactivate",
        "bo.andersen.1@mail1.example.com",
        "100 -> 80",
        "Group newsletter",
    ):
        assert text in shown
    long = [line for line in shown.splitlines() if len(line) > 80]
    assert all(seeded.identity in line for line in long)
    child.sendline("20")

    exit_code, rest = ended(child)
    assert exit_code == 0
    assert "1, deactivate, done" in rest
    assert "contactctl reactivate EMAIL" in rest
    assert deactivated_by(seeded, 1) == list(range(1, 21))


@pytest.mark.parametrize("answer", ["y", "yes", "", "21"])
def test_another_answer_declines(start: Start, seeded: Store, answer: str) -> None:
    before = dump(seeded, without=("run",))
    child = deactivating(start)
    child.sendline(answer)

    exit_code, rest = ended(child)
    assert exit_code == 4
    assert "nothing was changed" in rest
    require_unchanged(seeded, before)


@pytest.mark.parametrize("key", ["end of input", "ctrl-c"])
def test_leaving_the_question_changes_nothing(start: Start, seeded: Store, key: str) -> None:
    before = dump(seeded, without=("run",))
    child = deactivating(start)
    child.sendeof() if key == "end of input" else child.sendintr()

    exit_code, rest = ended(child)
    assert exit_code == (4 if key == "end of input" else 130)
    assert "Traceback" not in rest
    require_unchanged(seeded, before)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_at_the_question_changes_nothing(start: Start, seeded: Store, name: str) -> None:
    before = dump(seeded, without=("run",))
    child = deactivating(start)
    child.kill(getattr(signal, name))

    exit_code, rest = ended(child)
    assert exit_code == 130
    assert "Traceback" not in rest
    require_unchanged(seeded, before)


def test_closing_the_terminal_at_the_question_changes_nothing(start: Start, seeded: Store) -> None:
    """The kernel sends SIGHUP, and so does whoever closes it: twice."""
    before = dump(seeded, without=("run",))
    child = deactivating(start, python=sys.executable)  # it leads the terminal itself
    child.ptyproc.fileobj.close()
    child.kill(signal.SIGHUP)
    child.wait()

    require_unchanged(seeded, before)


def test_over_a_limit_the_phrase_is_asked_for(start: Start, seeded: Store) -> None:
    child = start("deactivate", "--where", "id <= 50")
    child.expect_exact("Type 'deactivate 50 of 100' to continue: ")
    assert "over the limit of 25 %" in (child.before or "")
    child.sendline("deactivate 50 of 100")

    assert ended(child)[0] == 0
    assert len(active_ids(seeded)) == 50


@pytest.mark.parametrize("how", ["ctrl-c", "closed terminal"])
def test_interrupted_at_work_it_can_be_resumed(start: Start, seeded: Store, how: str) -> None:
    child = deactivating(start, patch=SLOW_BATCHES)
    child.sendline("20")
    child.expect_exact("AT WORK")
    if how == "ctrl-c":
        child.sendintr()
        exit_code, rest = ended(child)
        assert exit_code == 130
        assert "run 1 was interrupted; what it has done so far is kept" in rest
        assert "contactctl runs resume 1" in rest
    else:
        child.close(force=False)

    session = make_session(seeded)
    stopped = read_run(session, 1)
    assert (stopped.state, stopped.changed) == (RunState.RUNNING, 10)
    assert deactivated_by(seeded, 1) == list(range(1, 11))

    resumed = start("runs", "resume", "1")
    resumed.expect_exact("Type the number of contacts that remain, 10: ")
    resumed.sendline("10")
    assert ended(resumed)[0] == 0
    assert deactivated_by(seeded, 1) == list(range(1, 21))
    assert resume_run(session, 1).changed == 20


def test_without_a_terminal_nothing_is_asked(start: Start, seeded: Store) -> None:
    before = dump(seeded)
    done = subprocess.run(
        [warm_python(), "-m", "contactctl", "deactivate", "--where", "id <= 20", "--database",
         f"sqlite:///{seeded.path}"],
        input="20\n",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
    )  # fmt: skip

    assert done.returncode == 4
    assert "--confirm COUNT" in done.stderr
    assert "20 of 100" in done.stdout
    assert dump(seeded) == before
