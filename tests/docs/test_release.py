"""What `make release` refuses."""

import importlib.util
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## 1.2.0 (2026-06-15)\n\n- New.\n\n## 1.1.0 (2026-01-01)\n"


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "changelog", "tags", "changes", "words"),
    [
        ("1.2.0", CHANGELOG, ["v1.2.0"], "", []),
        ("1.2.0", CHANGELOG, ["v1.2.0", "stable"], "\n", []),
        ("1.3.0", CHANGELOG, ["v1.3.0"], "", ["heading `## 1.3.0"]),
        ("1.1.0", CHANGELOG, ["v1.1.0"], "", ["heading `## 1.1.0"]),  # not the newest one
        ("1.2.0", CHANGELOG.replace("2026-06-15", "unreleased"), ["v1.2.0"], "", ["unreleased"]),
        ("1.2.0", CHANGELOG, [], "", ["git tag v1.2.0"]),
        ("1.2.0", CHANGELOG, ["1.2.0"], "", ["git tag v1.2.0"]),
        ("1.2.0", CHANGELOG, ["v1.2.0"], " M x.py\n", ["not committed"]),
        ("1.2.0", "", [], "?? y\n", ["heading", "git tag", "not committed"]),
    ],
)
def test_a_release_agrees_with_changelog_and_tag(
    release: ModuleType,
    version: str,
    changelog: str,
    tags: list[str],
    changes: str,
    words: list[str],
) -> None:
    found = release.problems(version, changelog, tags, changes)
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


def test_what_the_wheel_must_install_is_declared(release: ModuleType, tmp_path: Path) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    names = {
        f"{folder}/{Path(file).name}": ROOT / file
        for folder, files in declared["data-files"].items()
        for file in files
    }
    assert set(names) == set(release.SHARED)
    assert all(path.stat().st_size for path in names.values())
    wheel = tmp_path / "contactctl.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in release.SHARED[1:]:
            archive.writestr(f"contactctl-1.2.0.data/data/{name}", "")
    assert release.missing_in(wheel) == [release.SHARED[0]]
