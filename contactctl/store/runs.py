"""Run rows, the policies that runs put in force, and when what cron does was last done.

Each function works inside the caller's transaction, run row first.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.errors import (
    BusyError,
    ContactctlError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from contactctl.domain.policies import StoredPolicy, Terms
from contactctl.domain.run_kinds import details_from_json
from contactctl.domain.runs import FINAL_STATES, Request, Run, RunKind, RunState
from contactctl.store import tables
from contactctl.store.impact import count_active
from contactctl.store.predicates import how_many, one_number, run_sql
from contactctl.store.types import BigId

_policy = tables.policy
_routine = tables.routine
_run = tables.run


def insert_run(
    connection: sa.Connection, request: Request, *, state: RunState, now: datetime, **values: Any
) -> int:
    """Write a new run row, `values` being further columns; returns its number.

    RefusedError where the store's policy is another than the one that the request was made under.
    """
    _require_same_policy(connection, request.terms)
    row = {
        "kind": request.kind,
        "state": state,
        "operator": request.operator,
        "applied_by": None if state is RunState.PLANNED else request.operator,
        "database_identity": request.database,
        "reason": request.reason,
        "request": request.details.to_json(),
        "planned_at": now,
        "started_at": now if state is RunState.RUNNING else None,
        "clock_replaced": request.clock_replaced,
        "terms": request.terms.to_json() if request.terms else {},
        **values,
    }
    result = connection.execute(sa.insert(_run).values(row).returning(_run.c.id))
    return int(result.scalar_one())


def insert_done_run(
    connection: sa.Connection, request: Request, now: datetime, **values: Any
) -> int:
    """Write the row of a run that one transaction does whole; returns its number."""
    done = {"started_at": now, "finished_at": now, "planned": 1, "changed": 1, **values}
    return insert_run(connection, request, state=RunState.DONE, now=now, **done)


def get_run(connection: sa.Connection, run_id: int) -> Run:
    """The run of that number; NotFoundError otherwise."""
    return _found(connection.execute(_of_number(run_id)).first(), run_id)


def get_runs(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, Run]:
    """The runs of these numbers, by number."""
    rows = connection.execute(sa.select(_run).where(_run.c.id.in_(run_ids)))
    return {row.id: _to_run(row) for row in rows}


def lock_run(connection: sa.Connection, run_id: int) -> Run:
    """The run, its row locked until the end of the transaction; NotFoundError as above."""
    row = connection.execute(_of_number(run_id).with_for_update()).first()
    if row is None and (run := get_run(connection, run_id)):
        raise StoreError(
            f"permission denied: this role may not work on run {run.id} ({run.kind}, {run.state})",
            hint="an admin may; `contactctl db grants` prints the rights each role needs",
        )
    return _found(row, run_id)


def lock_running_run(connection: sa.Connection, run_id: int, *, cursor: int | None = None) -> Run:
    """As `lock_run`; RefusedError when somebody has ended the run, as `runs cancel` does, BusyError
    when its cursor is no longer where the caller saw it."""
    run = lock_run(connection, run_id)
    if run.state is not RunState.RUNNING or cursor not in (None, run.cursor):
        raise _moved_meanwhile(run)
    return run


def list_runs(
    connection: sa.Connection,
    *,
    limit: int,
    kinds: Sequence[RunKind] = (),
    states: Sequence[RunState] = (),
    since: datetime | None = None,
) -> list[Run]:
    """The latest runs, newest first; `since`: planned, begun or ended then or later."""
    statement = sa.select(_run).order_by(_run.c.id.desc()).limit(limit)
    if kinds:
        statement = statement.where(_run.c.kind.in_(kinds))
    if states:
        statement = statement.where(_run.c.state.in_(states))
    if since is not None:
        times = (_run.c.planned_at, _run.c.started_at, _run.c.finished_at)
        statement = statement.where(sa.or_(*(time >= since for time in times)))
    return [_to_run(row) for row in connection.execute(statement)]


def reactivations_of(connection: sa.Connection, contact_id: int) -> list[Run]:
    """The runs that brought this contact back by hand, or took an override back; oldest first."""
    of_contact = sa.cast(_run.c.request["contact"].as_string(), BigId) == contact_id
    statement = (
        sa.select(_run).where(_run.c.kind == RunKind.REACTIVATE, of_contact).order_by(_run.c.id)
    )
    return [_to_run(row) for row in connection.execute(statement)]


def position_of_source(connection: sa.Connection, kind: RunKind, source: str) -> dict[str, Any]:
    """How far the latest run of that kind has read in a source; empty before the first one."""
    statement = (
        sa.select(_run.c.position)
        .where(_run.c.kind == kind, _run.c.request["source"].as_string() == source)
        .order_by(_run.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar() or {}


def undos_of(connection: sa.Connection, run_id: int) -> list[int]:
    """The numbers of the runs that have taken this one back, or are at it."""
    statement = sa.select(_run.c.id).where(
        _run.c.kind == RunKind.UNDO,
        _run.c.started_at.is_not(None),
        _run.c.request["undoes"].as_integer() == run_id,
    )
    return list(connection.execute(statement.order_by(_run.c.id)).scalars())


def change_state(
    connection: sa.Connection,
    run_id: int,
    *,
    expected: RunState,
    to: RunState,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Move a run from one state to the next; BusyError when somebody else has moved it."""
    statement = (
        sa.update(_run)
        .where(_run.c.id == run_id, _run.c.state == expected)
        .values(state=to, **(values or {}))
    )
    if connection.execute(statement).rowcount != 1:
        raise _moved_meanwhile(get_run(connection, run_id))


def begin_one(
    connection: sa.Connection, request: Request, now: datetime, *, ended: int | None = None
) -> int:
    """Write the row of a run that is about to change one contact in this transaction, and to end so
    many reasons to be inactive."""
    results = {} if ended is None else {"ended": ended}
    values = {"active_before": count_active(connection), "results": results}
    return insert_run(connection, request, state=RunState.RUNNING, now=now, **values)


def fail_run(connection: sa.Connection, run: Run, ending: str, now: datetime) -> None:
    """running -> failed: the message says what it has done so far, and what ended it."""
    values = {"finished_at": now, "message": f"{run.message} ({ending})".strip()}
    change_state(connection, run.id, expected=RunState.RUNNING, to=RunState.FAILED, values=values)


def finish_one(connection: sa.Connection, run_id: int, now: datetime) -> None:
    """running -> done, of a run that has changed one contact in this transaction.

    Not by `update_run`: a role that may write such runs may not write to one that is done.
    """
    active_after = count_active(connection)
    values = {"finished_at": now, "planned": 1, "changed": 1, "active_after": active_after}
    change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)


def update_run(connection: sa.Connection, run_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a run row."""
    connection.execute(sa.update(_run).where(_run.c.id == run_id).values(**values))


def advance(
    connection: sa.Connection, run: Run, *, cursor: int, changed: int, skipped: Mapping[str, int]
) -> None:
    """Add one batch to a running run; BusyError when its cursor is no longer where `run` saw it."""
    totals = dict(Counter(run.skipped) + Counter(skipped))
    statement = (
        sa.update(_run)
        .where(_run.c.id == run.id, _run.c.state == RunState.RUNNING, _run.c.cursor == run.cursor)
        .values(cursor=cursor, changed=run.changed + changed, skipped=totals)
    )
    if connection.execute(statement).rowcount != 1:
        raise _moved_meanwhile(get_run(connection, run.id))


def overdue_plans(
    connection: sa.Connection, now: datetime, kinds: Sequence[RunKind] = ()
) -> list[int]:
    """The numbers of the planned runs, perhaps of some kinds only, that nobody applied in time."""
    statement = sa.select(_run.c.id).where(
        _run.c.state == RunState.PLANNED, _run.c.expires_at <= now
    )
    if kinds:
        statement = statement.where(_run.c.kind.in_(kinds))
    return [row[0] for row in connection.execute(statement)]


def any_by_real_clock(connection: sa.Connection) -> bool:
    """Whether somebody has changed the store at its own time: it is no rehearsal's."""
    statement = sa.select(_run.c.id).where(~_run.c.clock_replaced).limit(1)
    return connection.execute(statement).first() is not None


def count_runs(connection: sa.Connection, states: Sequence[RunState]) -> int:
    """How many runs are in one of these states."""
    return how_many(connection, _run, _run.c.state.in_(states))


def _require_same_policy(connection: sa.Connection, terms: Terms | None) -> None:
    """A command that has waited, or a builder left open, does not work on by an older policy."""
    if terms is None:
        return
    policy = newest_policy(connection)
    if (policy.number if policy else None) != terms.policy:
        raise RefusedError(
            "the policy of the store has changed since this command began; nothing was changed",
            hint="`contactctl policy show` shows it; start the command again",
            code="policy-changed",
        )


def count_waiting(connection: sa.Connection) -> int:
    """How many contacts wait in plans that thresholds have made, to be confirmed."""
    waiting = sa.select(sa.func.coalesce(sa.func.sum(_run.c.planned), 0)).where(
        _run.c.kind == RunKind.THRESHOLDS, _run.c.state == RunState.PLANNED
    )
    return one_number(connection, waiting)


def _of_number(run_id: int) -> sa.Select[Any]:
    return sa.select(_run).where(_run.c.id == run_id)


def _found(row: sa.Row[Any] | None, run_id: int) -> Run:
    if row is None:
        raise NotFoundError(f"no run {run_id}", hint="`contactctl runs list` shows the latest runs")
    return _to_run(row)


def _moved_meanwhile(run: Run) -> ContactctlError:
    hint = f"`contactctl runs show {run.id}`"
    if run.state in FINAL_STATES:
        return RefusedError(f"run {run.id} is now {run.state}", hint=hint)
    return BusyError(f"another process works on run {run.id}, now {run.state}", hint=hint)


def _to_run(row: sa.Row[Any]) -> Run:
    kind = RunKind(row.kind)
    return Run(
        id=row.id,
        kind=kind,
        state=RunState(row.state),
        operator=row.operator,
        applied_by=row.applied_by,
        resumed_by=row.resumed_by,
        database=row.database_identity,
        reason=row.reason,
        details=details_from_json(kind, row.request),
        planned=row.planned,
        changed=row.changed,
        skipped=row.skipped,
        results=row.results,
        cursor=row.cursor,
        active_before=row.active_before,
        active_after=row.active_after,
        planned_at=row.planned_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        clock_replaced=row.clock_replaced,
        message=row.message,
        planned_role=row.planned_role,
        terms=Terms.from_json(row.terms),
        limit_override=row.limit_override,
    )


# When what cron does was last done, whether there was anything to do or not


_NOTE = """
    INSERT INTO routine (work, done_at) VALUES (:work, :now) ON CONFLICT (work)
    DO UPDATE SET done_at = excluded.done_at WHERE excluded.done_at > routine.done_at"""
_NOTE_STATE = """
    INSERT INTO routine (work, state, done_at) VALUES (:work, :state, :now)
    ON CONFLICT (work) DO UPDATE SET state = excluded.state, done_at = excluded.done_at"""


def note_done(connection: sa.Connection, work: str, now: datetime) -> None:
    """This work (`sweep all`, `fetch bounces`) was done at this instant."""
    run_sql(connection, _NOTE, work=work, now=now)


def note_state(connection: sa.Connection, work: str, state: str, now: datetime) -> None:
    """This work was done now, and left this state."""
    run_sql(connection, _NOTE_STATE, work=work, state=state, now=now)


def state_of(connection: sa.Connection, work: str) -> tuple[str, datetime] | None:
    """The state that the work has left, and when it was done; None where it never was."""
    statement = sa.select(_routine.c.state, _routine.c.done_at).where(_routine.c.work == work)
    row = connection.execute(statement).first()
    return None if row is None else (row.state, row.done_at)


def last_done(connection: sa.Connection) -> Mapping[str, datetime]:
    """Sweeps and fetches -> when they last came to their end."""
    is_told = sa.or_(_routine.c.work.startswith("sweep"), _routine.c.work.startswith("fetch"))
    statement = (
        sa.select(_routine.c.work, _routine.c.done_at).where(is_told).order_by(_routine.c.work)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


# What the store decides for everybody: each policy that was ever in force, the newest holds


def newest_policy(connection: sa.Connection) -> StoredPolicy | None:
    """The policy in force; None in a store that leaves everything to each config."""
    row = connection.execute(sa.select(_policy).order_by(_policy.c.number.desc()).limit(1)).first()
    return None if row is None else StoredPolicy(row.number, row.document, row.run_id, row.created)


def add_policy(connection: sa.Connection, policy: StoredPolicy) -> None:
    """Put a policy in force."""
    row = {
        "number": policy.number,
        "document": dict(policy.document),
        "run_id": policy.run_id,
        "created": policy.created,
    }
    connection.execute(sa.insert(_policy).values(row))


def runs_with_plans(connection: sa.Connection) -> list[int]:
    """The runs that have plan items. Each is looked up behind the one before: there are few, and
    DISTINCT would read the items of all."""
    found: list[int] = []
    lowest = sa.select(sa.func.min(tables.plan_item.c.run_id))
    while True:
        behind = lowest.where(tables.plan_item.c.run_id > (found[-1] if found else 0))
        if (run_id := connection.execute(behind).scalar()) is None:
            return found
        found.append(run_id)
