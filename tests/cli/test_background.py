"""The process that goes on with a run: what it is told, and what others must not see."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.runs import RunState
from contactctl.store.database.store import Store
from helpers.plans import states
from helpers.store_cli import DEACTIVATE_TEN, seeded_cli

start_process = subprocess.Popen  # as it is without the fixture


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Words and settings of the process that would be started; none is."""
    call: dict[str, Any] = {}

    def start(words: list[str], **settings: Any) -> None:
        call.update(settings, words=words)

    monkeypatch.setattr(subprocess, "Popen", start)
    return call


def test_it_outlives_the_terminal_and_finds_the_same_store(
    store: Store, store_url: str, tmp_path: Path, child: dict[str, Any]
) -> None:
    cli = seeded_cli(store, store_url, tmp_path, 100)
    cli.configure("limits: {max_percent: 100}\n")

    config = ("--config", "contactctl.yaml")
    data = cli.json(*DEACTIVATE_TEN, "--confirm", "10", "--background", *config)

    resume = ("runs", "resume", str(data["run"]), "--yes")
    assert child["words"][-len(resume) - len(config) :] == [*resume, *config]
    assert child["env"]["CONTACTCTL_DATABASE_URL"] == store_url
    assert (child["cwd"], child["start_new_session"]) == (tmp_path, True)
    assert {child[stream] for stream in ("stdin", "stdout", "stderr")} == {subprocess.DEVNULL}
    assert states(store) == [RunState.RUNNING]


@pytest.mark.both_databases
def test_nothing_is_imported_from_the_current_folder(
    store: Store, store_url: str, tmp_path: Path, child: dict[str, Any]
) -> None:
    cli = seeded_cli(store, store_url, tmp_path, 100)
    cli.configure("limits: {max_percent: 100}\n")
    cli.json(*DEACTIVATE_TEN, "--confirm", "10", "--background")
    for name in ("typer", "sqlmodel", "sqlalchemy", "contactctl"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from here')")

    with start_process(child["words"], cwd=child["cwd"], env=child["env"]) as process:
        assert process.wait(60) == 0
    assert states(store) == [RunState.DONE]
