"""Rejected mails, events and lines: all of them to a file of JSON lines, the first ones told."""

import base64
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Rejection
from contactctl.domain.results import Problem

_TOLD = 5


class ResponseRejects:
    """Writes one object a line: `source`, `reason`, and `raw` (or `raw_base64`) as it was read.

    Without a path nothing is written. A file that is there already is replaced.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.first: list[Rejection] = []
        self.number = 0
        self._file = _open_private(path) if path else None

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

    def add(self, rejection: Rejection) -> None:
        self.number += 1
        if self.number <= _TOLD:
            self.first.append(Rejection(rejection.source, rejection.reason))
        if self._file:
            self._file.write(json.dumps(_record(rejection)) + "\n")

    def problems(self) -> list[Problem]:
        """The first rejects, one a line, and how many more there are."""
        told = [Problem("reject", f"{each.source}: {each.reason}") for each in self.first]
        if self.number > len(told):
            told.append(Problem("reject", f"{self.number - len(told):,} more were rejected"))
        if told and self.path is None:
            hint = "--rejects FILE keeps everything that was rejected"
            told[-1] = Problem("reject", told[-1].message, hint)
        return told


def _record(rejection: Rejection) -> dict[str, str]:
    record = {"source": rejection.source, "reason": rejection.reason}
    try:
        return record | {"raw": rejection.raw.decode()}
    except UnicodeDecodeError:
        return record | {"raw_base64": base64.b64encode(rejection.raw).decode()}


def _open_private(path: Path) -> TextIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8")
