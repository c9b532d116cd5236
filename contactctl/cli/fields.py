"""The command `fields`."""

from contactctl.cli.context import ConfiguredInvocation
from contactctl.output.presentation import Presentation


def fields(invocation: ConfiguredInvocation) -> Presentation:
    """List the fields that criteria can test.

    Examples:
        contactctl fields
        contactctl fields --json
        contactctl fields --format csv --fields name,type

    Each field has a type, which decides the operators that fit. Attributes are
    the fields of your own that the config declares.
    """
    from contactctl.output.fields import present_fields

    return present_fields(invocation.catalogue.fields())
