"""Where config comes from: YAML files, CONTACTCTL_* variables and flags, all read into nodes."""

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contactctl.config.nodes import Setting

if TYPE_CHECKING:
    from contactctl.config import strict_yaml

PREFIX = "CONTACTCTL_"
CONFIG_VARIABLE = "CONTACTCTL_CONFIG"
_DATABASE_VARIABLE = "CONTACTCTL_DATABASE_URL"
# read elsewhere: the clock, tracebacks, the tests' own server
_NO_SETTINGS = ("CONTACTCTL_NOW", "CONTACTCTL_DEBUG", "CONTACTCTL_TEST_POSTGRES")


def read_yaml(path: Path, shown_as: str) -> Setting:
    """The content of a config file, `shown_as` in places; an empty file is an empty mapping."""
    from contactctl.config.strict_yaml import load_strict_file  # noqa: PLC0415 - yaml takes 15 ms

    document = load_strict_file(path, shown_as)
    if document.is_null:
        return Setting({}, shown_as, path.parent)
    return _from_yaml(document, path.parent.absolute(), name="", key="")


def _from_yaml(node: "strict_yaml.Node", folder: Path, *, name: str, key: str) -> Setting:
    value: Any = node.value
    if isinstance(value, dict):
        value = {
            child_name: _from_yaml(
                child, folder, name=child_name, key=f"{key}.{child_name}" if key else child_name
            )
            for child_name, child in value.items()
        }
    elif isinstance(value, list):
        value = [_from_yaml(child, folder, name=name, key=key) for child in value]
    elif isinstance(value, float):
        value = _as_written(node.text)
    return Setting(value, f"{node.source}:{node.line}", folder, name, key)


def _as_written(number: str) -> Decimal | str:
    """A price is what was written, not the nearest binary fraction."""
    try:
        return Decimal(number)
    except InvalidOperation:  # the exponent is too long: refused later, when its key is known
        return number


def variable_name(key: str) -> str:
    """The environment variable of a dotted key: limits.max_contacts is
    CONTACTCTL_LIMITS__MAX_CONTACTS."""
    if key == "database":
        return _DATABASE_VARIABLE
    return PREFIX + key.replace(".", "__").upper()


def from_environment(environ: Mapping[str, str], keys: Collection[str], cwd: Path) -> Setting:
    """The values of the variables that stand for `keys`; an empty variable counts as not set."""
    values = {key: environ.get(variable_name(key), "") for key in keys}
    present = {key: value for key, value in values.items() if value}
    return _from_dotted(present, {key: variable_name(key) for key in present}, cwd)


def from_flags(flag_values: Mapping[str, Any], cwd: Path) -> Setting:
    """The values of flags by dotted key; None counts as not given."""
    present = {key: value for key, value in flag_values.items() if value is not None}
    return _from_dotted(present, {key: flag_name(key) for key in present}, cwd)


def flag_name(key: str) -> str:
    """The flag of a dotted key: time_zone is --time-zone."""
    return "--" + key.replace(".", "-").replace("_", "-")


def unknown_variable_warnings(
    environ: Mapping[str, str], keys: Collection[str], elsewhere: Collection[str]
) -> list[str]:
    """A warning for each CONTACTCTL_* variable that neither we nor others (`elsewhere`) read."""
    known = [CONFIG_VARIABLE, *_NO_SETTINGS, *map(variable_name, keys), *elsewhere]
    unknown = [name for name in environ if name.startswith(PREFIX) and name not in known]
    return [_unknown_variable(name, known) for name in sorted(unknown)]


def _unknown_variable(name: str, known: list[str]) -> str:
    # compared without the common prefix, which would make everything look alike
    tails = {candidate.removeprefix(PREFIX): candidate for candidate in known}
    close = get_close_matches(name.removeprefix(PREFIX), tails, n=1)
    suggestion = f"; did you mean {tails[close[0]]}?" if close else ""
    return f"the environment variable {name} is unknown{suggestion}"


def _from_dotted(values: Mapping[str, Any], places: Mapping[str, str], folder: Path) -> Setting:
    root: dict[str, Setting] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        leaf = Setting(value, places[key], folder, name, key)
        if not section:
            root[name] = leaf
        elif section in root:
            root[section].value[name] = leaf
        else:
            root[section] = Setting({name: leaf}, places[key], folder, section, section)
    return Setting(root, "", folder)
