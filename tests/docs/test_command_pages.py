"""Man page and command reference are made of --help; UPDATE_SNAPSHOTS=1 makes them anew."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from helpers.drawn_by import skip_unless_drawn_by_same

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("COLUMNS", "80")
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs/make_command_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_current(pages: ModuleType) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        pages.main()

    skip_unless_drawn_by_same("typer")
    assert pages.MAN_PAGE.read_text() == pages.man_page()
    assert pages.REFERENCE.read_text() == pages.command_reference()


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_reads_it_without_a_complaint(pages: ModuleType) -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(pages.MAN_PAGE)],
        capture_output=True,
        text=True,
        env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        check=True,
    )

    assert "contactctl preview --where 'last_opportunity older-than 24 months'" in shown.stdout
    assert shown.stderr == ""
