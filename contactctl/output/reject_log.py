"""Rejected parts of an input: all of them go to a file, the first ones are shown."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TextIO

from contactctl.domain.errors import InputError
from contactctl.domain.results import REJECT, Problem

_TOLD = 5


class RejectLog:
    """Counts rejects and keeps the first messages; a kind of reject has a class that adds it.

    Without a path nothing is written. Only its owner can read a new file; earlier rejects in it are
    replaced. Raises InputError if it cannot be written, or if that would overwrite one of the
    `inputs` or any other content.
    """

    HINT: ClassVar[str]
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
        if self.number <= _TOLD:
            self.first.append(f"{place}: {reason}")
