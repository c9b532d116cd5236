"""The man page is made of --help; UPDATE_SNAPSHOTS=1 makes it anew."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_man_page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("COLUMNS", "80")
    spec = importlib.util.spec_from_file_location("make_man_page", ROOT / "docs/make_man_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(make_man_page: ModuleType) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        make_man_page.main()

    assert make_man_page.PAGE.read_text() == make_man_page.man_page()


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_reads_it_without_a_complaint(make_man_page: ModuleType) -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(make_man_page.PAGE)],
        capture_output=True,
        text=True,
        env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        check=True,
    )

    assert "contactctl preview --where 'last_opportunity older-than 24 months'" in shown.stdout
    assert shown.stderr == ""
