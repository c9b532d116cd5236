"""The command `init`."""

from pathlib import Path
from typing import TYPE_CHECKING

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.config.settings import LoadedSettings
    from contactctl.operations.policy import PolicyApplied


def init(invocation: StoreInvocation) -> Presentation:
    """Create the store, and write a config unless there is one.

    Examples:
        contactctl init
        contactctl init --config ./contactctl.yaml --database sqlite:///contacts.db
        contactctl init --database postgresql://db.example.com/marketing

    An existing config is used: --config or CONTACTCTL_CONFIG, ./contactctl.yaml, or
    the one in your config folder. If there is none, it is written with the
    recommended thresholds and handling rules switched on, to the file that is named
    or else to your config folder. Without --database and config the store is a
    SQLite file in your data folder. What exists already is not changed.

    Limits, plans, thresholds and other rules of the config become the policy of the
    new store, for everybody: from then on `contactctl policy apply` changes them.
    """
    from contactctl.config.load import strongest_config_path
    from contactctl.operations.initialise import initialise
    from contactctl.output.database import present_initialised

    console, database = invocation.console, invocation.shared["database"]
    config = strongest_config_path(invocation.config_file, console.environ, console.cwd)
    settings = _load(invocation, config if config.exists() else None, database).settings
    made = initialise(
        config,
        settings.database,
        settings.suppression_key_file,
        database_in_config=database is not None,
        waits=invocation.waits,
    )
    policy = _put_in_force(invocation, _load(invocation, config, database)) if made.is_new else None
    later = _load(invocation, config, None)
    return present_initialised(made, settings.database, later, policy)


def _put_in_force(invocation: StoreInvocation, loaded: "LoadedSettings") -> "PolicyApplied | None":
    """The policy half of the config, as the new store's first policy."""
    from contactctl.operations.policy import take_over

    with invocation.open_session(loaded) as session:
        return take_over(session, loaded, reason="init")


def _load(
    invocation: StoreInvocation, config: Path | None, database: str | None
) -> "LoadedSettings":
    """What applies with this config, which may be the one that CONTACTCTL_CONFIG names."""
    from contactctl.config.load import load_settings
    from contactctl.config.sources import CONFIG_VARIABLE

    environ = {k: v for k, v in invocation.console.environ.items() if k != CONFIG_VARIABLE}
    return load_settings(
        config_path=config,
        flag_values={"database": database},
        environ=environ,
        cwd=invocation.console.cwd,
    )
