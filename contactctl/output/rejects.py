"""Rejected rows of an import, as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

from contactctl.domain.spreadsheet import defuse, undo_defuse
from contactctl.operations.importing.options import Reject
from contactctl.output.reject_log import RejectLog


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
        self._count(f"line {reject.line}", reject.reason)
        self._write(str(reject.line), reject.reason, reject.cells)

    def _write(self, line: str, reason: str, cells: Sequence[str]) -> None:
        if self._writer:
            # a cell may come from an export, which has defused it already
            self._writer.writerow([line, reason, *(defuse(undo_defuse(cell)) for cell in cells)])
