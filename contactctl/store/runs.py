"""Run rows. Each function works inside the caller's transaction, run row first."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, cast, func, insert, or_, select, update

from contactctl.domain.errors import (
    BusyError,
    ContactctlError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from contactctl.domain.policies import Terms
from contactctl.domain.run_kinds import details_from_json
from contactctl.domain.runs import FINAL_STATES, Request, Run, RunKind, RunState
from contactctl.store import tables
from contactctl.store.policy import newest_policy
from contactctl.store.types import BigId

# every kind of run that changes a contact's status or memberships shares this lock
CONTACT_CHANGES = "contacts"

_run = tables.run


def insert_run(
    connection: Connection,
    request: Request,
    *,
    state: RunState,
    identity: str,
    now: datetime,
    expires_at: datetime | None = None,
    values: Mapping[str, Any] | None = None,
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
        "database_identity": identity,
        "reason": request.reason,
        "request": request.details.to_json(),
        "planned_at": now,
        "started_at": now if state is RunState.RUNNING else None,
        "expires_at": expires_at,
        "clock_replaced": request.clock_replaced,
        "planned": 0,
        "changed": 0,
        "skipped": {},
        "cursor": 0,
        "message": "",
        "terms": request.terms.to_json() if request.terms else {},
        **(values or {}),
    }
    result = connection.execute(insert(_run).values(row).returning(_run.c.id))
    return int(result.scalar_one())


def insert_done_run(
    connection: Connection,
    request: Request,
    *,
    identity: str,
    now: datetime,
    values: Mapping[str, Any] | None = None,
) -> int:
    """Write the row of a run that one transaction does whole; returns its number."""
    done = {"started_at": now, "finished_at": now, "planned": 1, "changed": 1, **(values or {})}
    return insert_run(
        connection, request, state=RunState.DONE, identity=identity, now=now, values=done
    )


def get_run(connection: Connection, run_id: int) -> Run:
    """The run of that number; NotFoundError otherwise."""
    return _found(connection.execute(_of_number(run_id)).first(), run_id)


def get_runs(connection: Connection, run_ids: Collection[int]) -> dict[int, Run]:
    """The runs of these numbers, by number."""
    rows = connection.execute(select(_run).where(_run.c.id.in_(run_ids)))
    return {row.id: _to_run(row) for row in rows}


def lock_run(connection: Connection, run_id: int) -> Run:
    """The run, its row locked until the end of the transaction; NotFoundError as above."""
    row = connection.execute(_of_number(run_id).with_for_update()).first()
    if row is None and (run := get_run(connection, run_id)):
        raise StoreError(
            f"permission denied: this role may not work on run {run.id} ({run.kind}, {run.state})",
            hint="an admin may; `contactctl db grants` prints the rights each role needs",
        )
    return _found(row, run_id)


def lock_running_run(connection: Connection, run_id: int, *, cursor: int | None = None) -> Run:
    """As `lock_run`; RefusedError when somebody has ended the run, as `runs cancel` does, BusyError
    when its cursor is no longer where the caller saw it."""
    run = lock_run(connection, run_id)
    if run.state is not RunState.RUNNING or cursor not in (None, run.cursor):
        raise _moved_meanwhile(run)
    return run


def list_runs(
    connection: Connection,
    *,
    limit: int,
    kinds: Sequence[RunKind] = (),
    states: Sequence[RunState] = (),
    since: datetime | None = None,
) -> list[Run]:
    """The latest runs, newest first; `since`: planned, begun or ended then or later."""
    statement = select(_run).order_by(_run.c.id.desc()).limit(limit)
    if kinds:
        statement = statement.where(_run.c.kind.in_(kinds))
    if states:
        statement = statement.where(_run.c.state.in_(states))
    if since is not None:
        times = (_run.c.planned_at, _run.c.started_at, _run.c.finished_at)
        statement = statement.where(or_(*(time >= since for time in times)))
    return [_to_run(row) for row in connection.execute(statement)]


def reactivations_of(connection: Connection, contact_id: int) -> list[Run]:
    """The runs that brought this contact back by hand, or took an override back; oldest first."""
    of_contact = cast(_run.c.request["contact"].as_string(), BigId) == contact_id
    statement = (
        select(_run).where(_run.c.kind == RunKind.REACTIVATE, of_contact).order_by(_run.c.id)
    )
    return [_to_run(row) for row in connection.execute(statement)]


def position_of_source(connection: Connection, kind: RunKind, source: str) -> dict[str, Any]:
    """How far the latest run of that kind has read in a source; empty before the first one."""
    statement = (
        select(_run.c.position)
        .where(_run.c.kind == kind, _run.c.request["source"].as_string() == source)
        .order_by(_run.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar() or {}


def undos_of(connection: Connection, run_id: int) -> list[int]:
    """The numbers of the runs that have taken this one back, or are at it."""
    statement = select(_run.c.id).where(
        _run.c.kind == RunKind.UNDO,
        _run.c.started_at.is_not(None),
        _run.c.request["undoes"].as_integer() == run_id,
    )
    return list(connection.execute(statement.order_by(_run.c.id)).scalars())


def change_state(
    connection: Connection,
    run_id: int,
    *,
    expected: RunState,
    to: RunState,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Move a run from one state to the next; BusyError when somebody else has moved it."""
    statement = (
        update(_run)
        .where(_run.c.id == run_id, _run.c.state == expected)
        .values(state=to, **(values or {}))
    )
    if connection.execute(statement).rowcount != 1:
        raise _moved_meanwhile(get_run(connection, run_id))


def finish_one(connection: Connection, run_id: int, active_after: int, now: datetime) -> None:
    """running -> done, of a run that has changed one contact in this transaction.

    Not by `update_run`: a role that may write such runs may not write to one that is done.
    """
    values = {"finished_at": now, "planned": 1, "changed": 1, "active_after": active_after}
    change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)


def update_run(connection: Connection, run_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a run row."""
    connection.execute(update(_run).where(_run.c.id == run_id).values(**values))


def advance(
    connection: Connection, run: Run, *, cursor: int, changed: int, skipped: Mapping[str, int]
) -> None:
    """Add one batch to a running run; BusyError when its cursor is no longer where `run` saw it."""
    totals = dict(run.skipped)
    for reason, number in skipped.items():
        totals[reason] = totals.get(reason, 0) + number
    statement = (
        update(_run)
        .where(_run.c.id == run.id, _run.c.state == RunState.RUNNING, _run.c.cursor == run.cursor)
        .values(cursor=cursor, changed=run.changed + changed, skipped=totals)
    )
    if connection.execute(statement).rowcount != 1:
        raise _moved_meanwhile(get_run(connection, run.id))


def overdue_plans(
    connection: Connection, now: datetime, kinds: Sequence[RunKind] = ()
) -> list[int]:
    """The numbers of the planned runs, perhaps of some kinds only, that nobody applied in time."""
    statement = select(_run.c.id).where(_run.c.state == RunState.PLANNED, _run.c.expires_at <= now)
    if kinds:
        statement = statement.where(_run.c.kind.in_(kinds))
    return [row[0] for row in connection.execute(statement)]


def any_by_real_clock(connection: Connection) -> bool:
    """Whether somebody has changed the store at its own time: it is no rehearsal's."""
    statement = select(_run.c.id).where(~_run.c.clock_replaced).limit(1)
    return connection.execute(statement).first() is not None


def count_runs(connection: Connection, states: Sequence[RunState]) -> int:
    """How many runs are in one of these states."""
    statement = select(func.count()).select_from(_run).where(_run.c.state.in_(states))
    return int(connection.execute(statement).scalar_one())


def _require_same_policy(connection: Connection, terms: Terms | None) -> None:
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


def count_waiting(connection: Connection) -> int:
    """How many contacts wait in plans that thresholds have made, to be confirmed."""
    statement = select(func.coalesce(func.sum(_run.c.planned), 0)).where(
        _run.c.kind == RunKind.THRESHOLDS, _run.c.state == RunState.PLANNED
    )
    return int(connection.execute(statement).scalar_one())


def _of_number(run_id: int) -> Select[Any]:
    return select(_run).where(_run.c.id == run_id)


def _found(row: Row[Any] | None, run_id: int) -> Run:
    if row is None:
        raise NotFoundError(f"no run {run_id}", hint="`contactctl runs list` shows the latest runs")
    return _to_run(row)


def _moved_meanwhile(run: Run) -> ContactctlError:
    hint = f"`contactctl runs show {run.id}`"
    if run.state in FINAL_STATES:
        return RefusedError(f"run {run.id} is now {run.state}", hint=hint)
    return BusyError(f"another process works on run {run.id}, now {run.state}", hint=hint)


def _to_run(row: Row[Any]) -> Run:
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
