"""An import in a process of its own, to be killed: `import_process.py URL FILE BATCH_ROWS`.

Prints the line of each rejected row as soon as its batch is committed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.operations.importing.load import ImportInput, import_contacts  # noqa: E402
from contactctl.operations.importing.options import ImportOptions, Reject  # noqa: E402
from contactctl.store.database.store import open_store  # noqa: E402
from helpers.sessions import make_session  # noqa: E402


class PrintedRejects:
    """Rejects on standard output, at once."""

    def begin(self, names: Sequence[str]) -> None:
        pass

    def add(self, reject: Reject) -> None:
        print(reject.line, flush=True)


def main(url: str, file: str, batch_rows: str) -> None:
    store = open_store(url)
    options = ImportOptions(create_groups=True, batch_rows=int(batch_rows))
    given = ImportInput(Path(file), sys.stdin.buffer, options)
    import_contacts(make_session(store), given, PrintedRejects())


if __name__ == "__main__":
    main(*sys.argv[1:])
