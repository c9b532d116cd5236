"""The command `init`."""

from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation


def init(invocation: StoreInvocation) -> Presentation:
    """Write a config and create the store.

    Examples:
        contactctl init
        contactctl init --config ./contactctl.yaml --database sqlite:///contacts.db
        contactctl init --database postgresql://db.example.com/marketing

    Without flags the config goes to your config folder and the store is a SQLite
    file in your data folder. What is there already stays as it is.
    """
    from contactctl.config.load import load_settings, user_config_path
    from contactctl.operations.initialise import initialise
    from contactctl.output.database import present_initialised

    given = invocation.config_file
    config = invocation.console.cwd / given if given else user_config_path()
    loaded = load_settings(
        config_path=config if config.exists() else None,
        flag_values={"database": invocation.shared["database"]},
        environ=invocation.console.environ,
        cwd=invocation.console.cwd,
    )
    by_flag = invocation.shared["database"] is not None
    settings = loaded.settings
    made = initialise(
        config, settings.database, settings.suppression_key_file, database_in_config=by_flag
    )
    return present_initialised(made)
