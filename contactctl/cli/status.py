"""The command `status`."""

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def status(invocation: StoreInvocation) -> Presentation:
    """Show totals, billing, deactivations by month and the latest runs.

    Examples:
        contactctl status
        contactctl status --json
        contactctl status --json --fields active,unfinished_runs
    """
    from contactctl.operations.status import read_status
    from contactctl.output.status import present_status

    with invocation.open_session() as session:
        return present_status(read_status(session))
