"""The command `fields`."""

from contactctl.cli.context import ConfiguredInvocation
from contactctl.output.presentation import Presentation


def fields(invocation: ConfiguredInvocation) -> Presentation:
    """List the fields that criteria can test.

    Examples:
        contactctl fields
        contactctl fields --json
        contactctl fields --format csv --fields name,type

    The type of a field decides which operators fit. Attributes are your own
    fields, declared in the config.
    """
    from contactctl.output.fields import present_fields

    return present_fields(invocation.catalogue.fields())
