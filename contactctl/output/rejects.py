"""Rejected parts of an input: all of them go to a file, the first ones are shown."""

import base64
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TextIO

from contactctl.domain.errors import REJECT, InputError, Problem
from contactctl.domain.responses import Rejection
from contactctl.domain.text import defuse, undo_defuse
from contactctl.operations.importing.options import Reject


class RejectLog:
    """Counts rejects and keeps the first messages; a kind of reject has a class that adds it.

    Without a path nothing is written. Only its owner can read a new file; earlier rejects in it are
    replaced. Raises InputError if it cannot be written, or if that would overwrite one of the
    `inputs` or any other content.
    """

    HINT: ClassVar[str]
    TOLD: ClassVar[int] = 5  # how many are told one by one
    BEGINNING: ClassVar[bytes]  # of every file of these rejects

    def __init__(self, path: Path | None, inputs: Sequence[Path] = ()) -> None:
        self.path = path
        self.first: list[str] = []
        self.number = 0
        self._file = self._open(path, inputs) if path else None

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

    def problems(self) -> list[Problem]:
        """The first rejects, one a line, and how many more there are."""
        told = [Problem(REJECT, message) for message in self.first]
        if self.number > len(told):
            told.append(Problem(REJECT, f"{self.number - len(told):,} more rejected"))
        if told and self.path is None:
            told[-1] = Problem(REJECT, told[-1].message, self.HINT)
        return told

    def _open(self, path: Path, inputs: Sequence[Path]) -> TextIO:
        try:
            if path.is_file():
                self._require_replaceable(path, inputs)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error
        return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")

    def _require_replaceable(self, path: Path, inputs: Sequence[Path]) -> None:
        if any(each.exists() and each.samefile(path) for each in inputs):
            raise InputError(
                f"--rejects would overwrite {path}, which is an input", hint="name another file"
            )
        with path.open("rb") as there:
            beginning = there.read(len(self.BEGINNING))
        if beginning not in (b"", self.BEGINNING):
            raise InputError(
                f"--rejects would overwrite {path}, which contains something else",
                hint="name another file, or remove this one",
            )

    def _count(self, place: object, reason: str) -> None:
        self.number += 1
        if self.number <= self.TOLD:
            self.first.append(f"{place}: {reason}")


# Rejected rows of an import, as CSV


class RejectsFile(RejectLog):
    """Writes line, reason and the row's cells, to be corrected and imported again."""

    HINT = "--rejects FILE writes every rejected row to a file"
    BEGINNING = b"line,reason"

    def __init__(self, path: Path | None, inputs: Sequence[Path] = ()) -> None:
        super().__init__(path, inputs)
        self._writer = csv.writer(self._file) if self._file else None

    def begin(self, names: Sequence[str]) -> None:
        """Write the header; `names` are those of the rows' cells."""
        self._write("line", "reason", names)

    def add(self, reject: Reject) -> None:
        self._count(reject.place or f"line {reject.line}", reject.reason)
        self._write(str(reject.line), reject.reason, reject.cells)

    def _write(self, line: str, reason: str, cells: Sequence[str]) -> None:
        if self._writer:
            # a cell may come from an export, which has defused it already
            self._writer.writerow([line, reason, *(defuse(undo_defuse(cell)) for cell in cells)])


class EmailsRejects(RejectsFile):
    """The same for a list of addresses that selects contacts."""

    HINT = "--rejects FILE writes all of them to a file"
    TOLD = 10

    def __enter__(self) -> "EmailsRejects":
        return self


# Rejected mails, events and lines of an ingest, as JSON lines


class ResponseRejects(RejectLog):
    """Writes one object a line: `source`, `reason`, and `raw` (or `raw_base64`) as it was read."""

    HINT = "--rejects FILE keeps everything that was rejected"
    BEGINNING = b'{"source": '

    def add(self, rejection: Rejection) -> None:
        self._count(rejection.source, rejection.reason)
        if self._file:
            self._file.write(json.dumps(_record(rejection)) + "\n")


def _record(rejection: Rejection) -> dict[str, str]:
    record = {"source": rejection.source, "reason": rejection.reason}
    try:
        return record | {"raw": rejection.raw.decode()}
    except UnicodeDecodeError:
        return record | {"raw_base64": base64.b64encode(rejection.raw).decode()}
