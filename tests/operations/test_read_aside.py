"""Reading in a process of its own: the same as here, and no process left behind by any death."""

import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.errors import ContactctlError, InputError
from contactctl.operations import reading as module
from contactctl.operations.reading import ReadingTask, read_aside
from contactctl.responses.mail import Naming, VerpPattern
from contactctl.responses.read import OwnFormats
from contactctl.responses.rules import parse_rules

OWN_RULE = {"id": "own-rule", "category": "blocked", "text": "gone fishing"}


def task_of(*paths: Path, format: str = "auto", batch_size: int = 10) -> ReadingTask:
    verp = VerpPattern.parse("bounce+{local}={domain}@news.example.com")
    rules, naming = parse_rules([OWN_RULE]), Naming(verp, [])
    return ReadingTask(paths, format, rules, naming, OwnFormats(), batch_size)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Responses, deliveries, and three kinds of lines that are rejected."""
    lines = []
    for number in range(45):
        event = {"email": f"c{number}@example.com", "id": str(number), "occurred_at": 1_780_000_000}
        lines.append(json.dumps(event | {"diagnostic": "550 5.7.1 Gone fishing"}))
        lines.append(json.dumps(event | {"category": "delivered"}))
    lines[7:7] = ["{broken", "[1, 2]", '{"email": "nobody"}']
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_another_process_reads_what_this_one_would(events: Path, tmp_path: Path) -> None:
    mail = tmp_path / "bounce.eml"
    mail.write_text("From: a@example.com\nSubject: hello\n\nno bounce at all\n")
    task = task_of(events, mail)
    read = list(read_aside(task))
    assert read == list(task.batches())
    assert [batch.events + len(batch.rejected) for batch in read] == [10] * 9 + [4]
    assert {row[8] for batch in read for row in batch.responses} == {"own-rule"}
    rejected = [each for batch in read for each in batch.rejected]
    places = [each.source.removeprefix(f"{events}:") for each in rejected]
    assert places == ["8", "9[0]", "9[1]", "10"]
    assert rejected[0].raw == b"{broken\n"


def test_what_reading_raises_is_raised_here_after_what_was_read(
    events: Path, tmp_path: Path
) -> None:
    refused = tmp_path / "utf-16.csv"
    refused.write_bytes("email\n".encode("utf-16"))
    batches = read_aside(task_of(events, refused))
    assert next(batches).events == 7
    with pytest.raises(InputError, match="UTF-16") as raised:
        list(batches)
    assert raised.value.hint == "save it as UTF-8"


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 9)",
        "import sys; sys.stdin.read(); sys.exit(1)",
        "import os, pickle, sys; sys.stdin.read(); os.write(1, pickle.dumps('cut off')[:-3])",
    ],
    ids=["at once", "before the first batch", "within a batch"],
)
def test_the_death_of_the_other_process_is_an_error(
    events: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(module, "own_process", lambda _: [sys.executable, "-c", program])
    with pytest.raises(ContactctlError, match="has died"):
        list(read_aside(task_of(events)))


def test_a_process_that_cannot_be_started_is_an_error(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "own_process", lambda _: [str(events)])
    with pytest.raises(ContactctlError, match="cannot start a process"):
        list(read_aside(task_of(events)))


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_ctrl_c_does_not_reach_it_and_closing_ends_it(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    batches = read_aside(task_of(events, batch_size=1))
    next(batches)
    [process] = started
    assert os.getpgid(process.pid) == process.pid
    assert process.poll() is None
    batches.close()
    assert process.returncode == -signal.SIGKILL


WRITER = """
import os, pickle, sys
from contactctl.operations.reading import read_aside
batches = read_aside(pickle.load(sys.stdin.buffer))
next(batches)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_it_ends_quietly_when_the_writer_is_killed(tmp_path: Path) -> None:
    """Both hold the same stderr: it ends when both are gone."""
    path = tmp_path / "endless.jsonl"
    path.write_text('{"email": "c1@example.com", "category": "unknown"}\n' * 20_000)
    writer = subprocess.run(
        [sys.executable, "-c", WRITER],
        input=pickle.dumps(task_of(path)),
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert writer.returncode == -signal.SIGKILL
    assert writer.stderr == b""


def test_nothing_is_imported_from_the_current_folder(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pickle", "json", "yaml", "contactctl"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from here')")
    monkeypatch.chdir(tmp_path)
    assert sum(batch.events for batch in read_aside(task_of(events))) == 90


def test_it_loads_nothing_of_the_store() -> None:
    program = "import sys, contactctl.operations.reading; print(*sys.modules)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=True
    )
    assert not {"sqlalchemy", "sqlmodel", "pydantic", "psycopg"} & set(done.stdout.split())
