"""The command `explain`."""

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def explain(invocation: StoreInvocation, contact: options.EmailOrId) -> Presentation:
    """Show why a contact is active or inactive, what counts now, and what comes next.

    Examples:
        contactctl explain ann@example.com
        contactctl explain ann@example.com --json
        contactctl explain 1284 --format csv

    The timeline has every response and deactivation with its run. Below it are
    the responses that count now towards each threshold, and what handling rules
    will do, and when.
    """
    from contactctl.operations.explain import explain as explain_contact
    from contactctl.output.explain import TIMELINE_FIELDS, present_explanation

    invocation.check_fields(*TIMELINE_FIELDS)
    with invocation.open_session() as session:
        return present_explanation(explain_contact(session, contact))
