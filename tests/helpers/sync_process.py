"""A sync in a process of its own that kills itself: `sync_process.py STORE SOURCE TABLE BATCH AT`.

It is gone at the rejected row of the number AT, in the middle of a sync in batches of BATCH rows.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.operations import sync  # noqa: E402
from contactctl.operations.importing.options import Reject  # noqa: E402
from contactctl.store.database.store import open_store  # noqa: E402
from helpers.sessions import make_session  # noqa: E402
from helpers.sources import Crm  # noqa: E402


class DeadlyRejects:
    """Ends the process at a reject."""

    def __init__(self, at: int) -> None:
        self.left = at

    def begin(self, names: Sequence[str]) -> None:
        pass

    def add(self, _reject: Reject) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def main(store_url: str, source_url: str, table: str, batch_rows: str, at: str) -> None:
    options_of = sync.options_of

    def in_small_batches(*given: Any) -> Any:
        return replace(options_of(*given), batch_rows=int(batch_rows))

    sync.options_of = in_small_batches
    source = Crm(source_url, table).source()
    sync.sync_contacts(make_session(open_store(store_url)), source, DeadlyRejects(int(at)))


if __name__ == "__main__":
    main(*sys.argv[1:])
