"""The commands below `db`."""

from pathlib import Path
from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def check(invocation: StoreInvocation) -> Presentation:
    """Check the store for errors.

    Examples:
        contactctl db check
        contactctl db check --json

    Checks the file, compares statuses with open deactivations, and looks for
    unfinished plans and runs. Changes nothing; exits with 1 if something is wrong.
    """
    from contactctl.operations.database import check_database
    from contactctl.output.database import present_check

    with invocation.open_session() as session:
        return present_check(check_database(session))


def upgrade(invocation: StoreInvocation, dry_run: options.DryRun = False) -> Presentation:
    """Upgrade the store to this program's schema.

    Examples:
        contactctl db upgrade --dry-run
        contactctl db upgrade

    Each step is one transaction. Make a backup first. A store without a policy takes
    it over from the config: limits, plans, undo, thresholds, handling, groups, the
    incident guard and the time zone then hold for everybody (`contactctl policy show`).
    --dry-run shows them.
    """
    from contactctl.operations.database import upgrade_database
    from contactctl.operations.policy import take_over, taken_over_by
    from contactctl.output.database import present_upgrade

    url, waits = invocation.settings.database, invocation.waits
    upgraded = upgrade_database(url, waits, dry_run=dry_run)
    if dry_run:
        settings = None if upgraded.has_policy else taken_over_by(invocation.loaded_settings)
        return present_upgrade(upgraded, settings)
    with invocation.open_session() as session:
        taken = take_over(session, invocation.loaded_settings, reason="db upgrade")
    return present_upgrade(upgraded, taken.changes if taken else None, taken)


def grants(
    invocation: StoreInvocation,
    viewer: Annotated[
        str, typer.Option("--viewer", metavar="ROLE", help="Role that may only read.")
    ] = "contactctl_viewer",
    operator: Annotated[
        str, typer.Option("--operator", metavar="ROLE", help="Role for daily work.")
    ] = "contactctl_operator",
    admin: Annotated[
        str, typer.Option("--admin", metavar="ROLE", help="Role that may also erase contacts.")
    ] = "contactctl_admin",
) -> Presentation:
    """Print the rights that viewers, operators and admins need on Postgres.

    Examples:
        contactctl db grants
        contactctl db grants --viewer auditors | psql marketing

    The roles must exist (CREATE ROLE). The server then refuses what a role may
    not do, whichever program is used.
    """
    from contactctl.operations.database import grants_for
    from contactctl.output.database import present_grants

    with invocation.open_session() as session:
        granted = grants_for(session, viewer=viewer, operator=operator, admin=admin)
        return present_grants(granted)


def copy(
    invocation: StoreInvocation,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="The empty database, or the new file.")
    ],
    wait: options.Wait = 0,
) -> Presentation:
    """Copy the whole store into an empty database, and compare both at the end.

    Examples:
        contactctl db copy --to postgresql://db.example.com/marketing
        contactctl db copy --to sqlite:///contacts-copy.db

    Everything goes along: contacts, groups, deactivations, responses, runs, plans
    and suppressions. Runs that change contacts wait meanwhile. After an interruption
    run the same command again: it goes on where it was. The source is not changed.
    """
    from contactctl.config.database import target_url
    from contactctl.operations.copy_store import copy_store
    from contactctl.output.database import present_copy

    url = target_url(to, invocation.console.cwd)
    with invocation.open_session() as session:
        copied = copy_store(session, url, wait_seconds=wait)
        return present_copy(copied, session.settings.suppression_key_file)


def backup(
    invocation: StoreInvocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, a new one.")],
) -> Presentation:
    """Write the whole store into one new file, while others work on it.

    Examples:
        contactctl db backup contacts-2026-06-15.backup

    On SQLite the file is a store itself: `--database sqlite:///FILE` uses it. On
    Postgres it is what pg_dump makes, for pg_restore.
    """
    from contactctl.operations.backup import back_up
    from contactctl.output.database import present_backup

    with invocation.open_session() as session:
        return present_backup(
            back_up(session, invocation.console.cwd / file), session.settings.suppression_key_file
        )
