"""Load the config: flags, then CONTACTCTL_*, --config, ./contactctl.yaml, the user's file."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contactctl.config.checks import policy_warnings
from contactctl.config.database import sqlite_url
from contactctl.config.nodes import Setting, overlay
from contactctl.config.schema import scalar_keys
from contactctl.config.sections import SCHEMA
from contactctl.config.settings import DEFAULT, LoadedSettings
from contactctl.config.sources import (
    CONFIG_VARIABLE,
    flag_name,
    from_environment,
    from_flags,
    read_yaml,
    unknown_variable_warnings,
)
from contactctl.config.values import absolute_path
from contactctl.domain.errors import ConfigError, UsageError
from contactctl.domain.urls import has_password

APP_NAME = "contactctl"
FILE_NAME = "contactctl.yaml"


def load_settings(
    *,
    config_path: Path | None = None,
    flag_values: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> LoadedSettings:
    """The settings from every source, the strongest first, and where each value came from.

    `config_path` is the value of --config; `flag_values` maps dotted keys (`database`,
    `time_zone`) to what other flags say, None where a flag was not given. Raises ConfigError with
    the place of the mistake, UsageError for a password on the command line.
    """
    environ = os.environ if environ is None else environ
    cwd = cwd or Path.cwd()
    flag_values = flag_values or {}
    _refuse_password_flag(flag_values.get("database"))
    keys = list(scalar_keys(SCHEMA))
    files = _config_files(config_path, environ, cwd)
    sources = [
        from_flags(flag_values, cwd),
        from_environment(environ, keys, cwd),
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


def _refuse_password_flag(database_flag: str | None) -> None:
    if database_flag and has_password(database_flag):
        raise UsageError(
            f"{flag_name('database')}: every user of this machine can read a password given there",
            hint="put it into ~/.pgpass, a config file or CONTACTCTL_DATABASE_URL",
        )


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
    return Setting(
        {key: Setting(value, DEFAULT, Path(), key, key) for key, value in places.items()},
        "",
        Path(),
    )


def _user_folder(kind: str) -> Path:
    import platformdirs  # noqa: PLC0415 - not for who only reads the types

    if kind == "config":
        return platformdirs.user_config_path(APP_NAME)
    return platformdirs.user_data_path(APP_NAME)


def _origins(merged: Setting) -> Iterator[tuple[str, str]]:
    for node in merged.mapping().values():
        entries = node.value.values() if isinstance(node.value, Mapping) else [node]
        yield from ((entry.key, entry.place) for entry in entries)


def _with_unknown_variables(
    loaded: LoadedSettings, environ: Mapping[str, str], keys: list[str]
) -> LoadedSettings:
    passwords = [box.password_env for box in loaded.settings.mailboxes.values() if box.password_env]
    unknown = unknown_variable_warnings(environ, keys, passwords)
    return replace(loaded, warnings=(*unknown, *loaded.warnings))
