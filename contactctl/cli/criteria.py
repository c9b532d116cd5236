"""The commands below `criteria`."""

from contactctl.cli.context import Invocation
from contactctl.output.presentation import Presentation


def list_(invocation: Invocation) -> Presentation:
    """List the prebuilt criteria.

    Examples:
        contactctl criteria list
        contactctl criteria list --json

    --prebuilt NAME uses them wherever --where and --criteria select contacts, as in
    `contactctl preview --prebuilt unengaged`.
    """
    from contactctl.domain.criteria.prebuilt import PREBUILT
    from contactctl.output.criteria import PREBUILT_FIELDS, present_prebuilt

    invocation.check_fields(*PREBUILT_FIELDS)
    return present_prebuilt(PREBUILT)
