"""The commands below `config`."""

from contactctl.cli.context import ConfiguredInvocation, StoreInvocation
from contactctl.output.presentation import Presentation


def show(invocation: StoreInvocation) -> Presentation:
    """Show every setting, and where its value comes from.

    Examples:
        contactctl config show
        contactctl config show --config newsletter.yaml --json

    Flags come first, then CONTACTCTL_* variables, --config, ./contactctl.yaml,
    and your own config file. Where the store has a policy, it decides, and a config
    may only be stricter. Passwords are shown as ***.
    """
    from contactctl.domain.errors import BusyError, StoreError
    from contactctl.output.config import present_config

    try:
        with invocation.open_session() as session:
            loaded = session.bound.loaded if session.bound else invocation.loaded_settings
            return present_config(loaded)
    except (StoreError, BusyError) as error:
        invocation.console.note(f"without the store's policy: {error.message}")
        return present_config(invocation.loaded_settings)


# The command `fields`


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
