"""The commands below `config`."""

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def show(invocation: StoreInvocation) -> Presentation:
    """Show every setting, and where its value comes from.

    Examples:
        contactctl config show
        contactctl config show --config newsletter.yaml --json

    Flags win over CONTACTCTL_* variables, those over --config, then
    ./contactctl.yaml, then the user's config file. Passwords show as ***.
    """
    from contactctl.output.config import present_config

    return present_config(invocation.loaded_settings)
