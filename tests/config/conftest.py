"""A config in a folder of its own: no file of the user's, no variable of the environment."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from contactctl.config.database import example_text
from contactctl.config.load import load_settings
from contactctl.config.settings import LoadedSettings

Load = Callable[..., LoadedSettings]


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's config folder, empty."""
    for kind in ("config", "data"):
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(tmp_path / kind))
    folder = tmp_path / "config" / "contactctl"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, user_folder: Path) -> Path:
    """The current folder, empty."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def load(project: Path) -> Load:
    """Load settings in `project`; `yaml` is the content of its contactctl.yaml."""

    def load_in_project(
        yaml: str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        database: str | None = None,
        config: Path | None = None,
    ) -> LoadedSettings:
        if yaml is not None:
            (project / "contactctl.yaml").write_text(dedent(yaml), encoding="utf-8")
        return load_settings(
            config_path=config, database=database, environ=environ or {}, cwd=project
        )

    return load_in_project


@pytest.fixture
def full_example() -> str:
    """The example config with its samples taken over (of `database` the last one)."""
    full = re.sub(r"^#:", "", example_text(), flags=re.MULTILINE)
    return full.replace("database: sqlite:///contacts.db\n", "", 1)
