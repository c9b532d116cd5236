"""Load the config: flags, then CONTACTCTL_*, --config, ./contactctl.yaml, the user's file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from contactctl.config.database import refuse_password, sqlite_url
from contactctl.config.schema import Setting, overlay, read_yaml, scalar_keys, tree_of
from contactctl.config.sections import SCHEMA, policy_warnings
from contactctl.config.settings import DEFAULT, LoadedSettings
from contactctl.config.values import absolute_path
from contactctl.domain.errors import ConfigError
from contactctl.domain.sources import ProviderSource

APP_NAME = "contactctl"
FILE_NAME = "contactctl.yaml"


def load_settings(
    *,
    config_path: Path | None = None,
    database: str | None = None,
    environ: Mapping[str, str],
    cwd: Path,
) -> LoadedSettings:
    """The settings from every source, the strongest first, and where each value came from.

    `config_path` and `database` are the values of the flags, None where one was not given. Raises
    ConfigError with the place of the mistake, UsageError for a password on the command line.
    """
    if database:
        refuse_password("--database", database, "a config file or CONTACTCTL_DATABASE_URL")
    keys = list(scalar_keys(SCHEMA))
    # a variable that is empty counts as not set
    variables = {key: environ.get(variable_name(key)) or None for key in keys}
    files = _config_files(config_path, environ, cwd)
    sources = [
        _given({"database": database}, lambda _: "--database", cwd),
        _given(variables, variable_name, cwd),
        *(read_yaml(path, shown_as) for path, shown_as in files.items()),
    ]
    loaded = _settings_from(sources, tuple(files))
    return _with_unknown_variables(loaded, environ, keys)


def load_settings_file(path: Path) -> LoadedSettings:
    """The settings of one file alone, over the defaults: what another config would say."""
    return _settings_from([read_yaml(path, str(path))], (path,))


def user_config_path() -> Path:
    """The user's own config file, whether it exists or not (XDG)."""
    return _user_folder("config") / FILE_NAME


def strongest_config_path(config_path: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The config file that is named, though it may not exist yet, or else the first that is found;
    where there is none, the user's."""
    if named := config_path or environ.get(CONFIG_VARIABLE):
        return _absolute(str(named), cwd)
    return next(filter(_exists, (cwd / FILE_NAME, user_config_path())), user_config_path())


def _config_files(
    config_path: Path | None, environ: Mapping[str, str], cwd: Path
) -> dict[Path, str]:
    """The files to read, the strongest first, and how places name them."""
    files: dict[Path, str] = {}
    named = config_path or environ.get(CONFIG_VARIABLE)
    if named:
        files[_named_file(str(named), cwd)] = str(named)
    for path, shown_as in ((cwd / FILE_NAME, FILE_NAME), (user_config_path(), "")):
        if _exists(path):
            files.setdefault(path, shown_as or str(path))
    return files


def _named_file(named: str, cwd: Path) -> Path:
    path = _absolute(named, cwd)
    if not _exists(path):
        raise ConfigError(
            f"the config file {named} does not exist", hint="`contactctl init` writes one"
        )
    return path


def _absolute(named: str, cwd: Path) -> Path:
    try:
        return absolute_path(named, cwd)
    except ValueError as problem:
        raise ConfigError(f"the config file's name {problem}") from problem


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # reading it says why that is not possible


def _settings_from(sources: list[Setting], files: tuple[Path, ...]) -> LoadedSettings:
    merged = Setting(overlay([*sources, _defaults()]), "", Path())
    settings = SCHEMA.read(merged)
    return LoadedSettings(
        settings=settings,
        origins=dict(_origins(merged)),
        warnings=tuple(policy_warnings(merged, settings.responses)),
        files=files,
        nodes=merged.mapping(),
    )


def _defaults() -> Setting:
    """What depends on the user's folders; the key is kept apart from what it protects."""
    places = {
        "database": sqlite_url(_user_folder("data") / "contacts.db"),
        "suppression_key_file": str(_user_folder("config") / "suppression.key"),
    }
    return _given(places, lambda _: DEFAULT, Path())


def _user_folder(kind: str) -> Path:
    import platformdirs  # noqa: PLC0415 - not for who only reads the types

    folder = platformdirs.user_config_path if kind == "config" else platformdirs.user_data_path
    try:
        return folder(APP_NAME)
    except RuntimeError:  # no HOME, and a user without a name, as in many containers
        return Path("/nonexistent") / APP_NAME


def _origins(merged: Setting) -> Iterator[tuple[str, str]]:
    for node in merged.mapping().values():
        entries = node.value.values() if isinstance(node.value, Mapping) else [node]
        yield from ((entry.key, entry.place) for entry in entries)


def _with_unknown_variables(
    loaded: LoadedSettings, environ: Mapping[str, str], keys: list[str]
) -> LoadedSettings:
    """With a warning for each CONTACTCTL_* variable that nothing reads."""
    passwords = [box.password_env for box in loaded.settings.mailboxes.values() if box.password_env]
    passwords += [
        source.secret.env
        for source in loaded.settings.sources.values()
        if isinstance(source, ProviderSource) and source.secret and source.secret.env
    ]
    known = [CONFIG_VARIABLE, *_NO_SETTINGS, *map(variable_name, keys), *passwords]
    unknown = [name for name in sorted(environ) if name.startswith(PREFIX) and name not in known]
    told = [_unknown_variable(name, known) for name in unknown]
    return replace(loaded, warnings=(*told, *loaded.warnings))


# Where config comes from: YAML files, CONTACTCTL_* variables and flags, all read into nodes


PREFIX = "CONTACTCTL_"
CONFIG_VARIABLE = "CONTACTCTL_CONFIG"
_DATABASE_VARIABLE = "CONTACTCTL_DATABASE_URL"
# read elsewhere: the clock, tracebacks, the tests' own server
_NO_SETTINGS = ("CONTACTCTL_NOW", "CONTACTCTL_DEBUG", "CONTACTCTL_TEST_POSTGRES")


def variable_name(key: str) -> str:
    """The environment variable of a dotted key: limits.max_contacts is
    CONTACTCTL_LIMITS__MAX_CONTACTS."""
    if key == "database":
        return _DATABASE_VARIABLE
    return PREFIX + key.replace(".", "__").upper()


def _unknown_variable(name: str, known: list[str]) -> str:
    # compared without the common prefix, which would make everything look alike
    tails = {candidate.removeprefix(PREFIX): candidate for candidate in known}
    close = get_close_matches(name.removeprefix(PREFIX), tails, n=1)
    suggestion = f"; did you mean {tails[close[0]]}?" if close else ""
    return f"the environment variable {name} is unknown{suggestion}"


def _given(values: Mapping[str, Any], place_of: Callable[[str], str], folder: Path) -> Setting:
    """The values by dotted key, as one source; None counts as not given."""
    nodes = {
        key: Setting(value, place_of(key), folder, key.rpartition(".")[2], key)
        for key, value in values.items()
        if value is not None
    }
    return Setting(tree_of(nodes), "", folder)
