"""The commands below `db`."""

from typing import Annotated

import typer

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def check(invocation: StoreInvocation) -> Presentation:
    """Check that the store is in order.

    Examples:
        contactctl db check
        contactctl db check --json

    Looks at the file, at statuses against open deactivations, and for plans and
    runs that were left behind. Changes nothing; exit 1 when something is wrong.
    """
    from contactctl.operations.database import check_database
    from contactctl.output.database import present_check

    with invocation.open_session() as session:
        return present_check(check_database(session))


def upgrade(invocation: StoreInvocation) -> Presentation:
    """Bring the store to this program's schema.

    Examples:
        contactctl db upgrade

    Each step is one transaction. Make a backup first.
    """
    from contactctl.operations.database import upgrade_database
    from contactctl.output.database import present_upgrade

    return present_upgrade(upgrade_database(invocation.settings.database, invocation.waits))


def grants(
    invocation: StoreInvocation,
    viewer: Annotated[
        str, typer.Option("--viewer", metavar="ROLE", help="Role that may only look.")
    ] = "contactctl_viewer",
    operator: Annotated[
        str, typer.Option("--operator", metavar="ROLE", help="Role for the daily work.")
    ] = "contactctl_operator",
    admin: Annotated[
        str, typer.Option("--admin", metavar="ROLE", help="Role that may erase contacts as well.")
    ] = "contactctl_admin",
) -> Presentation:
    """Print the rights that viewers, operators and admins need on Postgres.

    Examples:
        contactctl db grants
        contactctl db grants --viewer auditors | psql marketing

    The roles must exist (CREATE ROLE). The server then refuses what a role may
    not do, whatever program is used.
    """
    from contactctl.operations.database import grants_for
    from contactctl.output.database import present_grants
    from contactctl.store.grants import Roles

    with invocation.open_session() as session:
        return present_grants(grants_for(session, Roles(viewer, operator, admin)))
