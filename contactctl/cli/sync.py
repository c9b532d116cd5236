"""The command `contacts sync`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.cli.imports import RejectsPath
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.sources import DatabaseSource, Missing
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.session import Session
    from contactctl.operations.sync import Gone


class BackWay(StrEnum):
    """How the source is told who is active."""

    PRINT = "print"
    EXECUTE = "execute"


SourceName = Annotated[str, typer.Argument(metavar="NAME", help="The source's name in the config.")]
Full = Annotated[
    bool, typer.Option("--full", help="Read all rows, not only those changed since the last run.")
]
WriteBackOption = Annotated[
    str | None,
    typer.Option(
        "--write-back",
        metavar="HOW",
        help="Tell the source who is active: print the UPDATEs, or execute them.",
    ),
]


def sync(
    invocation: StoreInvocation,
    name: SourceName,
    full: Full = False,
    yes: options.Yes = False,
    write_back: WriteBackOption = None,
    rejects: RejectsPath = None,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
) -> Presentation:
    """Add and update contacts from another database that the config names.

    Examples:
        contactctl contacts sync crm --dry-run
        contactctl contacts sync crm --yes
        contactctl contacts sync crm --full
        contactctl contacts sync crm --write-back print > statuses.sql

    Below `sources` the config names a query on a SQLite or Postgres database.
    With a cursor only changed rows are read. A contact whose address has changed
    there is the same contact still. With `missing: deactivate`, contacts that the
    source no longer has are deactivated, after their count is typed; with --yes,
    for cron, only within the limits: over them the plan waits (exit code 4).
    """
    from contactctl.cli.confirmation import nobody_to_ask
    from contactctl.operations.sync import (
        back_script,
        find_source,
        look_for_gone,
        sync_contacts,
        write_statuses_back,
    )
    from contactctl.output.contacts import SYNC_FIELDS, present_sync
    from contactctl.output.rejects import RejectsFile

    invocation.check_fields(*SYNC_FIELDS)
    way = options.chosen(BackWay, write_back, "--write-back") if write_back else None
    if way and dry_run:
        raise UsageError("--write-back and --dry-run cannot be combined")
    source = find_source(invocation.settings.sources, name)
    asks = source.missing is Missing.DEACTIVATE and not dry_run and not yes
    if asks and not invocation.console.can_prompt:
        raise nobody_to_ask("give --yes to do what is within the limits")
    with invocation.open_session() as session, RejectsFile(rejects) as rejected:
        imported = sync_contacts(
            session, source, rejected, full=full, dry_run=dry_run, reason=reason or ""
        )
        gone, refusal = None, None
        if source.missing is Missing.DEACTIVATE:
            try:
                gone = (
                    look_for_gone(session, source)
                    if dry_run
                    else _deactivate(invocation, session, source, asks=asks)
                )
            except RefusedError as error:
                refusal = error
        written = write_statuses_back(session, source) if way is BackWay.EXECUTE else None
        script = list(back_script(session, source)) if way is BackWay.PRINT else None
    shown = present_sync(source.name, imported, rejected, gone, written, script)
    refusal = refusal or (gone.refusal if gone else None)
    return shown.failed(refusal) if refusal else shown


def _deactivate(
    invocation: StoreInvocation,
    session: "Session",
    source: DatabaseSource,
    *,
    asks: bool,
) -> "Gone":
    """Deactivate who is gone: within the limits, or once a person has typed the count."""
    from contactctl.cli.confirmation import ask_for_plan, dropped_unless_started
    from contactctl.operations.runs import apply_run, require_same_operator_policy
    from contactctl.operations.sync import Gone, deactivate_missing, plan_missing

    if not asks:
        return deactivate_missing(session, source)
    require_same_operator_policy(session)
    run = plan_missing(session, source, asks_first=True)
    if run is None:
        return Gone()
    with dropped_unless_started(session, run.id):
        ask_for_plan(invocation, session, run.id)
        return Gone(run.planned, run=apply_run(session, run.id))
