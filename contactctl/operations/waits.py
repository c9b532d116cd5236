"""How long a command waits unless it is told, in seconds."""

from collections.abc import Callable
from dataclasses import replace

from contactctl.domain.waits import FOR_ANSWERS_S, FOR_LOCKS_S, Waits

FOR_CHANGES_S = FOR_LOCKS_S  # of contacts, by another process
FOR_INGEST_S = 300.0  # which may be reading a mailbox or large files
FOR_ONE_CONTACT_S = 10.0  # to be added, while an import creates contacts
FOR_ANSWER_S = FOR_ANSWERS_S  # of the database, to one statement


def waits_of(
    wait: float | None, timeout: float, on_long_wait: Callable[[], None] | None = None
) -> Waits:
    """How long a store waits: `--wait`, None where a command has none, and `--timeout`."""
    waits = Waits(FOR_LOCKS_S if wait is None else wait, timeout)
    return replace(waits, on_long_wait=on_long_wait) if on_long_wait else waits
