"""Whether this checkout can be released, and its files: `python release.py`, or `make release`.

The version of the package, the newest heading of the changelog and the tag of the commit must be
the same; then sdist and wheel are built into dist/, and the wheel must hold what is installed
besides.
"""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent
SHARED = (
    "share/man/man1/contactctl.1",
    "share/bash-completion/completions/contactctl",
    "share/zsh/site-functions/_contactctl",
    "share/fish/vendor_completions.d/contactctl.fish",
)
_HEADING = re.compile(r"^## (\S+) \((.+)\)$", re.MULTILINE)
_VERSION = re.compile(r'__version__ = "(.+)"')
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def problems(version: str, changelog: str, tags: list[str], changes: str) -> list[str]:
    """What is in the way of a release of this version, from a commit with these tags; `changes` is
    what git says of files that are not committed."""
    found = []
    newest = _HEADING.search(changelog)
    if newest is None or newest[1] != version:
        found.append(f"the changelog does not begin with a heading `## {version} (YYYY-MM-DD)`")
    elif not _DATE.fullmatch(newest[2]):
        found.append(f"the changelog says of {version}: {newest[2]}; it needs the date")
    if f"v{version}" not in tags:
        found.append(f"this commit does not have the tag v{version}: git tag v{version}")
    if changes.strip():
        found.append("there are files that are not committed: git status")
    return found


def missing_in(wheel: Path) -> list[str]:
    """The files that the wheel does not install below share/."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    return [each for each in SHARED if not any(name.endswith(f"/data/{each}") for name in names)]


def _git(*args: str) -> str:
    done = subprocess.run(["git", *args], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def main() -> int:
    declared = _VERSION.search((ROOT / "contactctl" / "__init__.py").read_text())
    version = declared[1] if declared else "?"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    tags = _git("tag", "--points-at", "HEAD").split()
    found = problems(version, changelog, tags, _git("status", "--porcelain"))
    if found:
        print(*found, sep="\n", file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "build", str(ROOT)], check=True)
    wheel = ROOT / "dist" / f"contactctl-{version}-py3-none-any.whl"
    if missing := missing_in(wheel):
        print(f"{wheel.name} lacks {', '.join(missing)}", file=sys.stderr)
        return 1
    print(f"built {wheel.name}: `twine upload dist/*{version}*`, then `git push --tags`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
