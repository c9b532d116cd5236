"""Contacts from a source of the config: brought in as an import does, those gone deactivated."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import InputError, OverLimitError, RefusedError, UsageError
from contactctl.domain.run_kinds import DeactivateMissingRun, SyncRun
from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.domain.sources import DatabaseSource, Source, earlier
from contactctl.domain.text import show_safely
from contactctl.domain.urls import hide_password
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations import plans
from contactctl.operations.criteria import PREVIEW_ROWS
from contactctl.operations.importing.batches import check_date_formats
from contactctl.operations.importing.from_database import SourceRows, options_of
from contactctl.operations.importing.load import (
    CREATING_CONTACTS,
    ImportResult,
    ImportWork,
    import_rows,
)
from contactctl.operations.importing.options import Rejects
from contactctl.operations.run_work import work_through
from contactctl.operations.session import Session
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.external_ids import count_gone, known_ids, plan_gone
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures
from contactctl.store.runs import position_of_source
from contactctl.store.source_database import open_source_database, update_script, write_back


@dataclass(frozen=True, slots=True)
class Gone:
    """Contacts that a source no longer has: a dry run counts them, with the first rows; otherwise
    they are in a plan that waits (`run` planned), or were deactivated by it."""

    count: int = 0
    rows: Sequence[Mapping[str, Any]] = ()
    limits_exceeded: Sequence[str] = ()
    run: Run | None = None

    @property
    def refusal(self) -> OverLimitError | None:
        """Why they are not deactivated yet."""
        waits = self.run is not None and self.run.state is RunState.PLANNED
        return plans.refusal_of(self.run) if waits and self.run else None


def find_source(sources: Mapping[str, Source], name: str) -> DatabaseSource:
    """The database of that name; UsageError otherwise."""
    databases = {key: each for key, each in sources.items() if isinstance(each, DatabaseSource)}
    if not databases:
        raise UsageError("the config has no database", hint="name one below `sources:`")
    if name not in databases:
        hint = did_you_mean(name, list(databases)) or f"one of {', '.join(sorted(databases))}"
        raise UsageError(f"no database '{show_safely(name)}' in the config", hint=hint)
    return databases[name]


def sync_contacts(
    session: Session,
    source: DatabaseSource,
    rejects: Rejects,
    *,
    full: bool = False,
    dry_run: bool = False,
    reason: str = "",
) -> ImportResult:
    """Create and update contacts by the rows that are new since the last run, or by all of them.

    Ended early, the next run goes on where it was. Raises UsageError, SourceError, BusyError.
    """
    definition = _definition(source)
    with (
        _said_of_the_config(source),
        exclusive(session.store, CREATING_CONTACTS),
        open_source_database(source, session.store.waits) as reading,
    ):
        kept = {} if full or not source.cursor else _position(session, source, definition)
        options = options_of(source, reading, session.catalogue)
        check_date_formats(options)
        rows = SourceRows(reading, session.clock(), {**kept, "definition": definition})
        since = earlier(kept["cursor"], source.overlap) if "cursor" in kept else None
        work = ImportWork(
            SyncRun(source.name, definition, since is None),
            f"Syncing {source.name}",
            None,
            source.name,
            lambda: rows.position,
        )
        file_rows = rows.file_rows(since, options, session.catalogue)
        return import_rows(session, file_rows, options, rejects, work, dry_run=dry_run, why=reason)


def look_for_gone(session: Session, source: DatabaseSource) -> Gone:
    """Who would be deactivated; nothing is written."""
    with session.store.writing() as connection:
        ids, rows = count_gone(connection, source.name, _all_keys(session, source), PREVIEW_ROWS)
        active = count_active(connection)
        connection.rollback()
    figures = PlanFigures(RunKind.DEACTIVATE_MISSING, ids, active)
    return Gone(ids, rows, plans.stakes_of_plan(session, figures).limits_exceeded)


def plan_missing(session: Session, source: DatabaseSource, *, asks_first: bool) -> Run | None:
    """Freeze the active contacts that the source no longer has; None where there are none.

    Within the limits the run is `running`; over them, or with `asks_first`, it is `planned`. One
    plan of a source that is over the limits is enough to wait: it is made anew.
    """
    name = source.name
    request = session.request(DeactivateMissingRun(name), reason=f"no longer in the source {name}")
    return plans.write_plan(
        session,
        request,
        lambda connection, run_id: plan_gone(connection, run_id, name, _all_keys(session, source)),
        plans.without_limits
        if asks_first
        else lambda figures: plans.stakes_of_plan(session, figures).limits_exceeded,
        asks_first=asks_first,
    )


def deactivate_missing(session: Session, source: DatabaseSource) -> Gone:
    """Deactivate who is gone, within the limits; over them the plan waits. Raises BusyError."""
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=FOR_LOCKS_S):
        for waiting in plans.plans_waiting(session, RunKind.DEACTIVATE_MISSING):
            if waiting.details == DeactivateMissingRun(source.name):
                plans.drop_if_planned(session, waiting.id, "made anew by a later sync")
        run = plan_missing(session, source, asks_first=False)
        if run is None:
            return Gone()
        if run.state is RunState.PLANNED:
            return Gone(run.planned, run=run)
        return Gone(run.planned, run=work_through(session, run))


def back_script(session: Session, source: DatabaseSource) -> Iterator[str]:
    """The UPDATEs that tell the source who is active here, as SQL. UsageError without a column."""
    _require_write_back(source)
    return update_script(source, _statuses(session, source))


def write_statuses_back(session: Session, source: DatabaseSource) -> int:
    """Tell the source who is active here; returns how many of its rows changed."""
    _require_write_back(source)
    return write_back(source, session.store.waits, _statuses(session, source))


def _statuses(session: Session, source: DatabaseSource) -> Iterator[tuple[str, Sequence[str]]]:
    """(value of the column, ids of the contacts that it is for)."""
    back = source.write_back
    with session.store.reading() as connection:
        for status, ids in known_ids(connection, source.name):
            if back is not None:
                yield (back.active if status == "active" else back.inactive), ids


def _require_write_back(source: DatabaseSource) -> None:
    if source.write_back is None:
        raise UsageError(
            f"sources.{source.name} names no column to write back to",
            hint="write_back: {table: customers, column: mail_status}",
        )


def _all_keys(session: Session, source: DatabaseSource) -> Iterator[list[str]]:
    """Every id that the source has; RefusedError where there is none: that is a mistake."""
    is_empty = True
    with open_source_database(source, session.store.waits) as reading:
        for keys in reading.ids():
            is_empty = is_empty and not keys
            yield keys
    if is_empty:
        raise RefusedError(
            f"the query of sources.{source.name} gives no row: nobody is deactivated",
            hint="look at the query and the source; `missing: keep` does not ask who is gone",
        )


def _position(session: Session, source: DatabaseSource, definition: str) -> dict[str, Any]:
    """Where the last run of the source has ended; empty where it was asked something else."""
    with session.store.reading() as connection:
        kept = position_of_source(connection, RunKind.SYNC, source.name)
    return kept if kept.get("definition") == definition else {}


def _definition(source: DatabaseSource) -> str:
    """A digest of what decides which rows there are and what they mean: where that changes, a
    position from before is worth nothing."""
    said = {**vars(source), "url": hide_password(source.url)}
    for name in ("overlap", "missing", "write_back"):
        del said[name]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


_FLAG = re.compile(r"--(map|ignore|inactive-when|date-format|null) ('[^']*'|[^\s,]+)")
_FORMS = {
    "map": lambda text: "map: {" + ": ".join(text.rsplit("=", 1)) + "}",
    "ignore": lambda text: f"ignore: ['{text}']",
    "inactive-when": lambda text: f"inactive_when: ['{text}']",
    "date-format": lambda text: f"date_formats: ['{text}']",
    "null": lambda text: f"null: ['{text}']",
}


@contextmanager
def _said_of_the_config(source: DatabaseSource) -> Iterator[None]:
    """What an import says of its flags, said of the config's keys."""
    try:
        yield
    except (UsageError, InputError) as error:
        raise type(error)(
            f"source {source.name}: {_in_config(error.message)}",
            hint=_in_config(error.hint),
            code=error.code,
        ) from error


def _in_config(text: str) -> str:
    text = _FLAG.sub(lambda found: _FORMS[found[1]](found[2].strip("'")), text)
    for flag in _FORMS:
        text = text.replace(f"--{flag}:", f"{flag.replace('-', '_')}:")
    return text.replace("the file has no column", "the query has no column").replace(
        "the header has", "the query has"
    )
