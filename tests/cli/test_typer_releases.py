"""The command line on the lowest and the newest Typer that pyproject.toml allows.

It needs the package registry, so it runs on request: `make releases`.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS_FOLDER = Path(__file__).parent
WHAT_TYPER_DECIDES = (
    "test_framework.py",
    "test_plain_values.py",
    "test_completion.py",
    "test_import_hygiene.py",
    "test_help.py",
)
pytestmark = pytest.mark.releases


def allowed() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return next(each for each in project["dependencies"] if each.startswith("typer"))


def lowest() -> str:
    return allowed().partition(",")[0].replace(">=", "==")


@pytest.mark.parametrize("release", [lowest(), allowed()], ids=["lowest", "newest"])
def test_the_command_line_works_on_this_typer(release: str, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "installer")
    pip = (tmp_path / "installer" / "bin" / "python", "-m", "pip", "install", "--quiet")
    run(*pip, "--no-deps", "--target", tmp_path / "typer", release)

    path = os.pathsep.join([str(tmp_path / "typer"), str(ROOT)])
    imported = run(sys.executable, "-c", "import typer; print(typer.__file__)", PYTHONPATH=path)
    assert imported.startswith(str(tmp_path)), imported
    tests = [THIS_FOLDER / name for name in WHAT_TYPER_DECIDES]
    run(sys.executable, "-m", "pytest", "-q", "-n", "0", *tests, PYTHONPATH=path)


def run(*command: str | Path, **environ: str) -> str:
    """Run a command, and return its stdout; what it printed is the message where it fails."""
    done = subprocess.run(
        list(map(str, command)),
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
