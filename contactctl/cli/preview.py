"""The command `preview`."""

from contactctl.cli.context import SelectingInvocation
from contactctl.output.presentation import Presentation


def preview(invocation: SelectingInvocation) -> Presentation:
    """Count and show the active contacts that match.

    Examples:
        contactctl preview
        contactctl preview --where 'last_opportunity older-than 24 months'
        contactctl preview --where 'group = newsletter' --where-not 'tag = vip'
        contactctl preview --criteria stale.yaml --json

    It shows the fields that the criteria name; --fields accepts any other that
    `contactctl fields` lists. Without criteria it uses the prebuilt ones,
    last_opportunity older-than 24 months. Nothing is changed; `contactctl
    deactivate` accepts the same flags.
    """
    from contactctl.operations.preview import preview as preview_contacts
    from contactctl.operations.select import select_contacts
    from contactctl.output.preview import present_preview

    invocation.check_fields(*invocation.catalogue.names())
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        return present_preview(preview_contacts(session, select_contacts(session, source)))
