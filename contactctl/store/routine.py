"""When what cron does was last done, whether there was anything to do or not."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, text

from contactctl.store import tables
from contactctl.store.types import UtcInstant

_routine = tables.routine
_NOTE = text(
    "INSERT INTO routine (work, done_at) VALUES (:work, :now) ON CONFLICT (work)"
    " DO UPDATE SET done_at = excluded.done_at WHERE excluded.done_at > routine.done_at"
).bindparams(bindparam("now", type_=UtcInstant()))

_NOTE_STATE = text(
    "INSERT INTO routine (work, state, done_at) VALUES (:work, :state, :now)"
    " ON CONFLICT (work) DO UPDATE SET state = excluded.state, done_at = excluded.done_at"
).bindparams(bindparam("now", type_=UtcInstant()))


def note_done(connection: Connection, work: str, now: datetime) -> None:
    """This work (`sweep all`, `fetch bounces`) was done at this instant."""
    connection.execute(_NOTE, {"work": work, "now": now})


def note_state(connection: Connection, work: str, state: str, now: datetime) -> None:
    """This work was done now, and left this state."""
    connection.execute(_NOTE_STATE, {"work": work, "state": state, "now": now})


def state_of(connection: Connection, work: str) -> tuple[str, datetime] | None:
    """The state that the work has left, and when it was done; None where it never was."""
    statement = select(_routine.c.state, _routine.c.done_at).where(_routine.c.work == work)
    row = connection.execute(statement).first()
    return None if row is None else (row.state, row.done_at)


def last_done(connection: Connection) -> Mapping[str, datetime]:
    """Sweeps and fetches -> when they last came to their end."""
    is_told = or_(_routine.c.work.startswith("sweep"), _routine.c.work.startswith("fetch"))
    statement = select(_routine.c.work, _routine.c.done_at).where(is_told).order_by(_routine.c.work)
    return {row[0]: row[1] for row in connection.execute(statement)}
