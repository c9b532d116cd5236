"""The commands below `config`."""

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def show(invocation: StoreInvocation) -> Presentation:
    """Show every setting, and where its value comes from.

    Examples:
        contactctl config show
        contactctl config show --config newsletter.yaml --json

    Flags come first, then CONTACTCTL_* variables, --config, ./contactctl.yaml,
    and your own config file. Passwords are shown as ***.
    """
    from contactctl.output.config import present_config

    return present_config(invocation.loaded_settings)
