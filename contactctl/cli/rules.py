"""The commands below `rules` that concern handling."""

from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.output.presentation import Presentation


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

    Exits with 1 if a rule is not as recommended; nothing is changed.
    """
    from contactctl.operations.rules import read_rules
    from contactctl.output.rules import RULE_FIELDS, present_check

    invocation.check_fields(*RULE_FIELDS)
    with invocation.open_session() as session:
        return present_check(read_rules(session))


def recommend(invocation: Invocation) -> Presentation:  # noqa: ARG001
    """Print the recommended handling rules, ready for the config.

    Examples:
        contactctl rules recommend
        contactctl rules recommend >> contactctl.yaml
    """
    from contactctl.operations.rules import recommended_config
    from contactctl.output.rules import present_recommendation

    return present_recommendation(recommended_config())
