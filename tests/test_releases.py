"""Installed as people install it, and on the releases of its dependencies that it allows.

It needs the package registry, so it runs on request: `make releases`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# start-up, what Typer decides, both databases, a wave of changes, the builder
CHOSEN = (
    "cli/test_framework.py",
    "cli/test_completion.py",
    "cli/test_import_hygiene.py",
    "cli/test_help.py",
    "store/test_store.py",
    "operations/test_apply.py",
    "builder/test_builder.py::test_from_the_reminder_to_the_result_and_back",
)
pytestmark = pytest.mark.releases


def lowest() -> list[str]:
    """The lower bound of each dependency, as pip's constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["xlsx"]]
    names = [re.split(r"[\[<>=]", each)[0] for each in asked]
    bounds = [re.search(r">=([0-9.]+)", each) for each in asked]
    return [f"{name}=={bound[1]}" for name, bound in zip(names, bounds, strict=True) if bound]


@pytest.mark.parametrize("releases", ["lowest", "newest"])
def test_it_works_on_these_releases_of_its_dependencies(releases: str, tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("\n".join(lowest()) if releases == "lowest" else "")
    python = make_venv(tmp_path / "venv")
    run(python, "-m", "pip", "install", "--quiet", "-c", constraints, "-e", f"{ROOT}[test]")
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{it}" for it in CHOSEN))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release publishes, built from a copy of the project."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    names = ("contactctl", "docs", "pyproject.toml", "README.md", "LICENSE")
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    python = make_venv(tmp_path_factory.mktemp("builder") / "venv")
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", built, source)
    return next(built.iterdir())


@pytest.mark.parametrize("way", ["venv", "pipx", "uv"])
def test_installed_from_the_wheel(wheel: Path, way: str, tmp_path: Path) -> None:
    """In a home of its own, with a PATH that holds nothing of ours."""
    program, shared = install(way, wheel, tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    alone = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def contactctl(*args: str) -> str:
        return run(program, *args, cwd=home, env=alone)

    assert contactctl("--version").startswith("contactctl ")
    assert "created" in contactctl("init")
    assert contactctl("contacts", "add", "ann@example.com")
    assert "1 of 1 (100.0 %) active" in contactctl("preview", "--where", "email = ann@example.com")
    assert json.loads(contactctl("status", "--json"))["exit_code"] == 0
    assert "contactctl" in contactctl("completion", "bash")
    for carried in ("man/man1/contactctl.1", "bash-completion/completions/contactctl"):
        assert (shared / carried).is_file()


def install(way: str, wheel: Path, folder: Path) -> tuple[Path, Path]:
    """The program and its share/ after one of the ways that the README names."""
    tools = folder / "tools"
    python = make_venv(folder / "venv")
    if way == "venv":
        run(python, "-m", "pip", "install", "--quiet", wheel)
        return folder / "venv/bin/contactctl", folder / "venv/share"
    run(python, "-m", "pip", "install", "--quiet", way)
    if way == "pipx":
        places = {"PIPX_HOME": str(tools), "PIPX_BIN_DIR": str(folder / "bin")}
        run(python, "-m", "pipx", "install", wheel, env=os.environ | places)
        return folder / "bin/contactctl", tools / "venvs/contactctl/share"
    places = {"UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    run(folder / "venv/bin/uv", "tool", "install", wheel, env=os.environ | places)
    return folder / "bin/contactctl", tools / "contactctl/share"


def make_venv(folder: Path) -> Path:
    """The Python of a new, empty environment."""
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin" / "python"


def run(*command: str | Path, **where: object) -> str:
    """Run a command, and return its stdout; what it printed is the message where it fails."""
    done = subprocess.run(
        list(map(str, command)),
        check=False,
        capture_output=True,
        text=True,
        **{"cwd": ROOT, "env": os.environ, **where},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
