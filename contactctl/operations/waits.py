"""How long a command waits unless it is told, in seconds."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely
from contactctl.domain.waits import FOR_ANSWERS_S, FOR_LOCKS_S, Waits

FOR_CHANGES_S = FOR_LOCKS_S  # of contacts, by another process
FOR_INGEST_S = 300.0  # which may be reading a mailbox or large files
FOR_ONE_CONTACT_S = 10.0  # to be added, while an import creates contacts
_FOR_WHO_S = 3.0
FOR_ANSWER_S = FOR_ANSWERS_S  # of the database, to one statement


def waits_of(
    wait: float | None, timeout: float, on_long_wait: Callable[[], None] | None = None
) -> Waits:
    """How long a store waits: `--wait`, None where a command has none, and `--timeout`."""
    waits = Waits(FOR_LOCKS_S if wait is None else wait, timeout)
    return replace(waits, on_long_wait=on_long_wait) if on_long_wait else waits


def who_works_on(database: str) -> str:
    """The newest run at work on a store, in words, asked over a connection of its own, since the
    others wait; '' where there is none, or that cannot be told at once."""
    # imported here: whoever does not wait needs none of it
    from contactctl.domain.runs import RunState  # noqa: PLC0415
    from contactctl.store.database.store import connect  # noqa: PLC0415
    from contactctl.store.runs import list_runs  # noqa: PLC0415

    try:
        with (
            closing(connect(database, Waits(0.0, _FOR_WHO_S))) as store,
            store.reading() as connection,
        ):
            found = list_runs(connection, limit=1, kinds=[], states=[RunState.RUNNING])
    except ContactctlError:
        return ""
    if not found:
        return ""
    run = found[0]
    began = run.started_at or run.planned_at
    by = show_safely(run.resumed_by or run.applied_by or run.operator)
    return f"run {run.id} ({run.kind}) by {by}, since {began:%H:%M} UTC"
