"""Rejected rows: all of them to a CSV file, the first ones to be told."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from contactctl.domain.errors import InputError
from contactctl.domain.results import Problem
from contactctl.domain.spreadsheet import defuse, undo_defuse
from contactctl.operations.importing.options import Reject

_TOLD = 5


class RejectsFile:
    """Writes line, reason and the row's own cells, to be corrected and imported again.

    Without a path nothing is written. A file that is there already is replaced.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.first: list[Reject] = []
        self.number = 0
        self._file = _open_private(path) if path else None
        self._writer = csv.writer(self._file) if self._file else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def begin(self, names: Sequence[str]) -> None:
        self._write("line", "reason", names)

    def add(self, reject: Reject) -> None:
        self.number += 1
        if self.number <= _TOLD:
            self.first.append(reject)
        self._write(str(reject.line), reject.reason, reject.cells)

    def problems(self) -> list[Problem]:
        """The first rejects, one a line, and how many more there are."""
        told = [Problem("reject", f"line {each.line}: {each.reason}") for each in self.first]
        if self.number > len(told):
            told.append(Problem("reject", f"{self.number - len(told):,} more rejected rows"))
        if told and self.path is None:
            hint = "--rejects FILE writes every rejected row to a file"
            told[-1] = Problem("reject", told[-1].message, hint)
        return told

    def _write(self, line: str, reason: str, cells: Sequence[str]) -> None:
        if self._writer:
            # a cell may come from an export, where it is defused already
            self._writer.writerow([line, reason, *(defuse(undo_defuse(cell)) for cell in cells)])


def _open_private(path: Path) -> TextIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
