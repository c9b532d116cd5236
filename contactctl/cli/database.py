"""The commands `init` and `status`, and those below `db`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.cli.options import argument, option
from contactctl.output.view import OutputFormat, Presentation, document

if TYPE_CHECKING:
    from contactctl.config.settings import LoadedSettings
    from contactctl.operations.policy import PolicyApplied


def check(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl db check
        contactctl db check --json

    Checks the file, compares statuses with open deactivations, and looks for
    unfinished plans and runs. Changes nothing; exits with 1 if something is wrong.
    """
    with invocation.open_session() as session:
        return output.database.present_check(operations.database.check_database(session))


def upgrade(invocation: StoreInvocation, dry_run: options.DryRun = False) -> Presentation:
    """Examples:
        contactctl db upgrade --dry-run
        contactctl db upgrade

    Each step is one transaction. Make a backup first. A store without a policy takes
    it over from the config: limits, plans, undo, thresholds, handling, groups, the
    incident guard and the time zone then hold for everybody (`contactctl policy show`).
    --dry-run shows them.
    """
    url, waits = invocation.settings.database, invocation.waits
    upgraded = operations.database.upgrade_database(url, waits, dry_run=dry_run)
    if dry_run:
        settings = (
            None
            if upgraded.has_policy
            else operations.policy.taken_over_by(invocation.loaded_settings)
        )
        return output.database.present_upgrade(upgraded, settings)
    with invocation.open_session() as session:
        taken = operations.policy.take_over(
            session, invocation.loaded_settings, reason="db upgrade"
        )
    return output.database.present_upgrade(upgraded, taken.changes if taken else None, taken)


def grants(
    invocation: StoreInvocation,
    viewer: Annotated[
        str, option("--viewer", "ROLE", "Role that may only read.")
    ] = "contactctl_viewer",
    operator: Annotated[
        str, option("--operator", "ROLE", "Role for daily work.")
    ] = "contactctl_operator",
    admin: Annotated[
        str, option("--admin", "ROLE", "Role that may also erase contacts.")
    ] = "contactctl_admin",
) -> Presentation:
    """Examples:
        contactctl db grants
        contactctl db grants --viewer auditors | psql marketing

    The roles must exist (CREATE ROLE). The server then refuses what a role may
    not do, whichever program is used.
    """
    with invocation.open_session() as session:
        granted = operations.database.grants_for(
            session, viewer=viewer, operator=operator, admin=admin
        )
        return document("\n".join(granted), statements=list(granted))


class CopyingInvocation(StoreInvocation):
    """A copy, which waits only if it is told to."""

    wait: options.Wait = 0.0


def copy(
    invocation: CopyingInvocation,
    to: Annotated[str, option("--to", "URL", "The empty database, or the new file.")],
) -> Presentation:
    """Examples:
        contactctl db copy --to postgresql://db.example.com/marketing
        contactctl db copy --to sqlite:///contacts-copy.db

    Everything goes along: contacts, groups, deactivations, responses, runs, plans
    and suppressions. Runs that change contacts wait meanwhile. After an interruption
    run the same command again: it goes on where it was. The source is not changed.
    """
    from contactctl.config.database import target_url

    url = target_url(to, invocation.console.cwd)
    with invocation.open_session() as session:
        copied = operations.copies.copy_store(session, url, wait_seconds=invocation.wait)
        return output.database.present_copy(copied, session.settings.suppression_key_file)


def backup(
    invocation: StoreInvocation,
    file: Annotated[Path, argument("FILE", "The file to write, a new one.")],
) -> Presentation:
    """Examples:
        contactctl db backup contacts-2026-06-15.backup

    On SQLite the file is a store itself: `--database sqlite:///FILE` uses it. On
    Postgres it is what pg_dump makes, for pg_restore.
    """
    with invocation.open_session() as session:
        return output.database.present_backup(
            operations.database.back_up(session, invocation.console.cwd / file),
            session.settings.suppression_key_file,
        )


def distribute(
    invocation: StoreInvocation,
    shards: Annotated[
        int, option("--shards", "N", "Parts to cut each table into.", min=1, max=1024)
    ],
    dry_run: options.DryRun = False,
    confirm: Annotated[
        str | None, option("--confirm", "NAME", "Confirm with the database's name.")
    ] = None,
) -> Presentation:
    """Examples:
        contactctl db distribute --shards 32 --dry-run
        contactctl db distribute --shards 32
        contactctl db distribute --shards 32 --confirm marketing

    Run it on the coordinator, as the database's owner, after a backup. Everything
    happens in one transaction; nobody can work meanwhile. What grows with contacts is
    cut by contact, groups go to every worker, runs stay on the coordinator. There is
    no way back but `contactctl db copy`. Run `contactctl db grants` again afterwards.
    """
    from contactctl.cli.confirmation import ask_typed
    from contactctl.domain.errors import RefusedError

    with invocation.open_session() as session:
        looked = operations.database.look_at_distribution(session, shards)
        shown = output.database.present_distribution(looked)
        if dry_run:
            return shown
        if confirm is None:
            invocation.show_before_prompt(shown)
            question = f"Type the database's name ({looked.name}) to spread it:"
            option = f"--confirm {looked.name}"
            ask_typed(invocation.console, question, (looked.name,), option=option)
        elif confirm != looked.name:
            raise RefusedError(
                "--confirm does not give the database's name; nothing was changed",
                hint=f"it is {looked.name}",
                code="not-confirmed",
            )
        return output.database.present_distribution(
            operations.database.distribute_store(session, looked)
        )


# The command `init`


def init(invocation: StoreInvocation) -> Presentation:
    """Examples:
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

    console, database = invocation.console, invocation.database
    config = strongest_config_path(invocation.config, console.environ, console.cwd)
    loaded = _load(invocation, config if config.exists() else None, database)
    made = operations.database.initialise(
        config,
        loaded.settings.database,
        _key_file(loaded, config),
        database_in_config=database is not None,
        waits=invocation.waits,
    )
    policy = _put_in_force(invocation, _load(invocation, config, database)) if made.is_new else None
    later = _load(invocation, config, None)
    return output.database.present_initialised(made, loaded.settings.database, later, policy)


def _key_file(loaded: "LoadedSettings", config: Path) -> Path:
    """The one that is named or the user's; a new config in another place gets its own beside it."""
    from contactctl.config.load import PREFIX, user_config_path

    named = loaded.settings.suppression_key_file
    is_set = loaded.origin("suppression_key_file").startswith(PREFIX)
    if config.exists() or config == user_config_path() or is_set:
        return named
    return config.parent / named.name


def _put_in_force(invocation: StoreInvocation, loaded: "LoadedSettings") -> "PolicyApplied | None":
    """The policy half of the config, as the new store's first policy."""
    with invocation.open_session(loaded) as session:
        return operations.policy.take_over(session, loaded, reason="init")


def _load(
    invocation: StoreInvocation, config: Path | None, database: str | None
) -> "LoadedSettings":
    """What applies with this config, which may be the one that CONTACTCTL_CONFIG names."""
    from contactctl.config.load import CONFIG_VARIABLE, load_settings

    environ = {k: v for k, v in invocation.console.environ.items() if k != CONFIG_VARIABLE}
    return load_settings(
        config_path=config,
        database=database,
        environ=environ,
        cwd=invocation.console.cwd,
    )


# The command `status`


Textfile = Annotated[
    Path | None,
    option("--textfile", "FILE", "Write metrics for Prometheus to this file, as a whole."),
]
Picture = Annotated[
    Path | None, option("--picture", "FILE", "Draw the deactivations per month as this SVG file.")
]


def status(
    invocation: StoreInvocation, textfile: Textfile = None, picture: Picture = None
) -> Presentation:
    """Examples:
    contactctl status
    contactctl status --json
    contactctl status --json --fields active,unfinished_runs
    contactctl status --format prometheus
    contactctl status --textfile /var/lib/node_exporter/contactctl.prom
    contactctl status --picture deactivations.svg
    """
    is_watched = textfile is not None or invocation.output.format is OutputFormat.PROMETHEUS
    with invocation.open_session() as session:
        status = operations.status.read_status(session, with_rates=is_watched)
    if textfile is not None:
        from contactctl.output.formats import METRICS_BEGIN, exposition

        metrics = exposition(output.status.status_metrics(status))
        _write(invocation.console.cwd / textfile, metrics, METRICS_BEGIN)
    if picture is not None:
        from contactctl.output.picture import BEGINNING

        _write(invocation.console.cwd / picture, output.status.status_picture(status), BEGINNING)
    return output.status.present_status(status)


def _write(path: Path, text: str, beginning: str) -> None:
    from contactctl.config.drafts import replace_file
    from contactctl.domain.errors import InputError

    try:
        replace_file(path, text, ours=beginning)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
