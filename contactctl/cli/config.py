"""The commands below `config`."""

from contactctl.cli.context import StoreInvocation
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
