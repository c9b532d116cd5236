"""The command `rules what-if`."""

from pathlib import Path
from typing import Annotated

import typer

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation

File = Annotated[Path, typer.Argument(metavar="FILE", help="A config file with other rules.")]


def what_if(invocation: StoreInvocation, file: File) -> Presentation:
    """Count the contacts that another config file's thresholds and rules would change now.

    Examples:
        contactctl rules what-if stricter.yaml
        contactctl rules what-if stricter.yaml --json

    Contacts are counted by action, group and category, next to those due under
    the rules in force. Nothing is changed.
    """
    from contactctl.operations.what_if import what_if as count_what_if
    from contactctl.output.what_if import WHAT_IF_FIELDS, present_what_if

    invocation.check_fields(*WHAT_IF_FIELDS)
    with invocation.open_session() as session:
        return present_what_if(count_what_if(session, file))
