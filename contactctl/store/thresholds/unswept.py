"""Which contacts the next sweep of thresholds looks at: those that something may have made due.

A contact that was looked at and was not due becomes due only by

- a response that counts from now on: recorded (an ingest keeps whom it concerns in its own plan,
  and looks at them itself), adopted by a new contact, come with a contact that was merged, or let
  go of after it was held;
- a group that it joins and that has a threshold of its own;
- a deactivation that counts as if it had never been (an incident's);
- a plan that held it and ends without having deactivated it;
- other thresholds, or a clock that was put back: then a sweep looks at everybody.

Time alone makes nobody due: windows only lose responses, and how far two of them lie apart stays.
What ends a deactivation in any other way is later than all responses so far. So whoever writes one
of the first four calls `look_again`, in the same transaction.
"""

from datetime import datetime

import sqlalchemy as sa

from contactctl.store import tables
from contactctl.store.runs import note_state, state_of

_contact = tables.contact
_item = tables.plan_item
_response = tables.response
_unswept = tables.unswept

_LOOKED = "thresholds"  # the row of the table of routines


def look_again(connection: sa.Connection, contact_ids: sa.Select[int]) -> None:
    """Have the next sweep look at these contacts; the query has a WHERE, and gives each once."""
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415  (both are 45 ms)

    own = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = own.insert(_unswept).from_select(["contact_id"], contact_ids)
    # not a bound value, of which the machines of a cluster would not know the type
    begin_again = {"is_begun": sa.false()}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["contact_id"], set_=begin_again)
    )


def look_again_at_plan(connection: sa.Connection, run_id: int) -> None:
    """The same for the contacts of a plan that are still there."""
    planned = sa.select(_item.c.contact_id).join(_contact, _contact.c.id == _item.c.contact_id)
    look_again(connection, planned.where(_item.c.run_id == run_id).distinct())


def unswept_ids() -> sa.Select[int]:
    """The contacts to be looked at; DISTINCT has SQLite begin with them, few as they are."""
    return sa.select(_unswept.c.contact_id).distinct()


def begin_look(connection: sa.Connection) -> bool:
    """Note which contacts a sweep is about to look at; whether there are any.

    Those that are told of while it looks stay for the next one.
    """
    connection.execute(sa.update(_unswept).where(~_unswept.c.is_begun).values(is_begun=True))
    return connection.execute(sa.select(_unswept.c.contact_id).limit(1)).first() is not None


def end_look(connection: sa.Connection, rules: str, now: datetime) -> None:
    """All that `begin_look` noted, or everybody, were looked at by these rules (their digest)."""
    connection.execute(sa.delete(_unswept).where(_unswept.c.is_begun))
    note_state(connection, _LOOKED, rules, now)


def end_look_at_some(connection: sa.Connection, rules: str, now: datetime) -> None:
    """Some were looked at: by other rules, or at an earlier time, than everybody was. So the next
    sweep looks at everybody again."""
    note_state(connection, _LOOKED, rules if is_looked(connection, rules, now) else "", now)


def is_looked(connection: sa.Connection, rules: str, now: datetime) -> bool:
    """Whether everybody else was looked at by these rules, and no later than now."""
    state, at = state_of(connection, _LOOKED) or ("", now)
    return state == rules and at <= now
