"""What people write in another order or with another name: argv put right, or a hint for it.

Nothing here guesses what a word means that is an option's value.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from contactctl.cli import registry

HELP = "help"
# options of commands that may stand before the command; whether a value follows
_ANYWHERE = {
    **dict.fromkeys(("--config", "--database", "--timeout"), True),
    **dict.fromkeys(("--no-color", "--quiet", "-q", "--verbose", "-v"), False),
}


def arranged(argv: Sequence[str]) -> list[str]:
    """`help X` as `X --help`, and options that stand before the command behind it."""
    words = list(argv)
    leading = _leading_options(words)
    if not leading:
        return [*words[1:], "--help"] if words[:1] == [HELP] else words
    rest = arranged(words[len(leading) :])
    path = registry.command_named_by(rest)
    if not path:
        return words if not rest else [*leading, *rest]
    named = len(path.split(" "))
    return [*rest[:named], *leading, *rest[named:]]


def _leading_options(words: Sequence[str]) -> list[str]:
    taken: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in _ANYWHERE:
            break
        taken.append(word)
        if _ANYWHERE[name] and not equals:
            value = next(rest, None)
            if value is None:
                break
            taken.append(value)
    return taken


def command_meant(name: str, group: str = "") -> str:
    """What to write in place of a command that there is none of in the group, of those at the top
    without one; '' where nobody knows."""
    known = _habits("commands")
    for said in (f"{group} {name}".strip(), name):
        for here, names in known.items():
            if said in names.split(", "):
                return f"write `contactctl {here}`"
    below = [path for path in registry.COMMANDS if path.endswith(f" {name}")]
    written = " or ".join(f"`contactctl {path}`" for path in below)
    return f"write {written}" if below else ""


_CONFIRMING = {"--confirm", "--yes"}


def option_meant(name: str, known: Sequence[str], command: str) -> str:
    """What to write in place of an option that the command does not have; '' where nobody knows."""
    without, looks_first = _habits("without"), _habits("looks first")
    for said in (f"{command} {name}", name):
        if said in without:
            return without[said]
    if "--set" in known and (field := name[2:].replace("-", "_")) in _field_names():
        return f"write --set {field}=VALUE"
    meant = next((o for o, names in _habits("options").items() if name in names.split(", ")), name)
    if meant == "--dry-run" and meant not in known and command in looks_first:
        return f"`contactctl {looks_first[command]}` shows what it would do, and changes nothing"
    if meant in _CONFIRMING and not _CONFIRMING & {*known}:
        return "this command asks nothing: leave it out"
    if meant == "--yes" and meant not in known:
        shows = "--dry-run or the question shows" if "--dry-run" in known else "the question shows"
        return (
            "nothing is confirmed unseen here: a script gives --confirm with what is confirmed, the"
            f" number of contacts or the email, which {shows}"
        )
    return f"write {meant}" if meant != name and meant in known else ""


@cache
def _habits(section: str) -> Mapping[str, str]:
    """A section of habits.ini; its names keep their case."""
    from configparser import ConfigParser

    parser = ConfigParser(delimiters=(":",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(Path(__file__).with_name("habits.ini"), encoding="utf-8")
    return parser[section]


def _field_names() -> set[str]:
    from contactctl.domain.criteria.fields import BUILT_IN_FIELDS

    return {field.name for field in BUILT_IN_FIELDS}
