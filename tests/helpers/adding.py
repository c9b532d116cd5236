"""The program with something added to it, in a copy, and what its command line then does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
_DRIVER = """
import dataclasses, json, sys
from pathlib import Path
from helpers.cli import run_cli
done = [run_cli(args, cwd=Path.cwd()) for args in json.load(sys.stdin)]
print(json.dumps([dataclasses.asdict(each) for each in done]))
"""
_WRITER = """
import sys
from contactctl.store.models import StoreTable
from helpers.table_text import text_of
sys.stdout.write(text_of(StoreTable.metadata))
"""


@dataclass(frozen=True)
class Addition:
    """What is added: lines after a line of a file that there is, and files that are new."""

    edited: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Copy:
    """A copy of the package in a folder; `run` calls its command line in that folder."""

    folder: Path

    def run(self, *commands: Sequence[str]) -> list[dict[str, Any]]:
        """exit_code, stdout and stderr of each command, one after the other in one process."""
        results: list[dict[str, Any]] = json.loads(self._python(_DRIVER, json.dumps(commands)))
        return results

    def write_tables(self) -> None:
        """What `make docs` does where the models have changed."""
        tables = self._python(_WRITER, "")
        (self.folder / "contactctl/store/tables.json").write_text(tables, encoding="utf-8")

    def _python(self, program: str, given: str) -> str:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
        environ["PYTHONPATH"] = os.pathsep.join([str(self.folder), str(REPOSITORY / "tests")])
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=given,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=environ,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def copy_with(folder: Path, addition: Addition) -> Copy:
    """The package copied to `folder`, with the addition in it."""
    package = folder / "contactctl"
    shutil.copytree(REPOSITORY / "contactctl", package)  # with what is compiled
    for name, insertions in addition.edited.items():
        text = (package / name).read_text(encoding="utf-8")
        for after, inserted in insertions:
            assert text.count(after) == 1, f"{name}: {after!r} occurs {text.count(after)} times"
            text = text.replace(after, after + inserted)
        (package / name).write_text(text, encoding="utf-8")
    for name, text in addition.new.items():
        assert not (package / name).exists()
        (package / name).write_text(text, encoding="utf-8")
    return Copy(folder)
