"""The commands below `rules`."""

from pathlib import Path
from typing import Annotated

import typer

from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.output.presentation import Presentation

Sending = Annotated[
    str | None,
    typer.Option(
        "--sending",
        metavar="HOW-OFTEN",
        help="How often a contact gets mail: daily, weekly or monthly.",
    ),
]


def show(invocation: StoreInvocation) -> Presentation:
    """Show what happens to deactivated contacts, by category and group.

    Examples:
        contactctl rules show
        contactctl rules show --json

    Without a rule, contacts of a category stay deactivated until somebody
    reactivates them.
    """
    from contactctl.operations.rules import read_rules
    from contactctl.output.rules import RULE_FIELDS, present_rules

    invocation.check_fields(*RULE_FIELDS)
    with invocation.open_session() as session:
        return present_rules(read_rules(session))


def check(invocation: StoreInvocation) -> Presentation:
    """Compare the rules with the recommended handling.

    Examples:
        contactctl rules check
        contactctl rules check --json

    Exits with 1 if a rule is not as recommended; nothing is changed. It warns of
    thresholds that mail sent as rarely as it seems to be cannot reach.
    """
    from contactctl.operations.rules import read_rules, thresholds_out_of_reach
    from contactctl.output.rules import RULE_FIELDS, present_check

    invocation.check_fields(*RULE_FIELDS)
    with invocation.open_session() as session:
        return present_check(read_rules(session), thresholds_out_of_reach(session))


def recommend(
    invocation: Invocation,  # noqa: ARG001
    sending: Sending = None,
) -> Presentation:
    """Print the recommended handling rules, ready for the config.

    Examples:
        contactctl rules recommend
        contactctl rules recommend --sending weekly >> contactctl.yaml

    With --sending it prints thresholds too, for contacts that get mail so often.
    """
    from contactctl.cli.options import chosen
    from contactctl.operations.rules import Sending as HowOften
    from contactctl.operations.rules import recommended_config, recommended_thresholds
    from contactctl.output.rules import present_recommendation

    thresholds = ""
    if sending is not None:
        thresholds = recommended_thresholds(chosen(HowOften, sending, "--sending"))
    return present_recommendation(thresholds + recommended_config())


# The command `rules what-if`


File = Annotated[Path, typer.Argument(metavar="FILE", help="A config file with other rules.")]


def what_if(invocation: StoreInvocation, file: File) -> Presentation:
    """Count the contacts that another config file's thresholds and rules would change now.

    Examples:
        contactctl rules what-if stricter.yaml
        contactctl rules what-if stricter.yaml --json

    Contacts are counted by action, group and category, next to those due under
    the rules in force. Nothing is changed.
    """
    from contactctl.operations.thresholds import what_if as count_what_if
    from contactctl.output.rules import WHAT_IF_FIELDS, present_what_if

    invocation.check_fields(*WHAT_IF_FIELDS)
    with invocation.open_session() as session:
        return present_what_if(count_what_if(session, file))
