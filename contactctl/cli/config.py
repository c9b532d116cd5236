"""The commands below `config` and `criteria`, and `fields`."""

from contactctl import output
from contactctl.cli.context import ConfiguredInvocation, Invocation, StoreInvocation
from contactctl.output.view import Presentation


def show(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl config show
        contactctl config show --config newsletter.yaml --json

    Flags come first, then CONTACTCTL_* variables, --config, ./contactctl.yaml,
    and your own config file. Where the store has a policy, it decides, and a config
    may only be stricter. Passwords are shown as ***.
    """
    from contactctl.domain.errors import BusyError, StoreError

    try:
        with invocation.open_session() as session:
            loaded = session.bound.loaded if session.bound else invocation.loaded_settings
            return output.config.present_config(loaded)
    except (StoreError, BusyError) as error:
        invocation.console.note(f"without the store's policy: {error.message}")
        return output.config.present_config(invocation.loaded_settings)


def path(invocation: ConfiguredInvocation) -> Presentation:
    """Examples:
        contactctl config path
        contactctl config path --json

    Where there is none, it shows the file that `contactctl init` would write.
    """
    from contactctl.config.load import strongest_config_path

    console = invocation.console
    would_be = strongest_config_path(invocation.config, console.environ, console.cwd)
    return output.config.present_config_paths(invocation.loaded_settings.files, would_be)


def check(invocation: ConfiguredInvocation) -> Presentation:
    """Examples:
        contactctl config check
        contactctl config check --config new.yaml

    Exits with 2 at a mistake, and says where it is.
    """
    return output.config.present_config_check(invocation.loaded_settings)


# The command `fields`


def fields(invocation: ConfiguredInvocation) -> Presentation:
    """Examples:
        contactctl fields
        contactctl fields --json
        contactctl fields --format csv --fields name,type

    The type of a field decides which operators fit. Attributes are your own
    fields, declared in the config.
    """
    return output.config.present_fields(invocation.catalogue.fields())


# The commands below `criteria`


def list_(invocation: Invocation) -> Presentation:
    """Examples:
        contactctl criteria list
        contactctl criteria list --json

    --prebuilt NAME uses them wherever --where and --criteria select contacts, as in
    `contactctl preview --prebuilt unengaged`.
    """
    from contactctl.domain.criteria.tree import PREBUILT

    invocation.check_fields(*output.criteria.PREBUILT_FIELDS)
    return output.criteria.present_prebuilt(PREBUILT)
