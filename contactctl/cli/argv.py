"""What people write in another order or with another name: argv put right, or a hint for it.

Nothing here guesses what a word means that is an option's value.
"""

from collections.abc import Sequence

from contactctl.cli import registry

HELP = "help"
# options of commands that may stand before the command; whether a value follows
_ANYWHERE = {
    "--config": True,
    "--database": True,
    "--timeout": True,
    "--no-color": False,
    "--quiet": False,
    "-q": False,
    "--verbose": False,
    "-v": False,
}
# what other programs call it -> what to write here
_OTHER_NAMES = {
    "version": "--version",
    "activate": "reactivate",
    "list": "contacts list",
    "search": "contacts list --where CONDITION",
    "find": "contacts list --where CONDITION",
    "new": "contacts add",
    "rm": "contacts delete",
    "remove": "groups remove",
    "rollback": "runs undo",
    "revert": "runs undo",
    "history": "runs list",
    "log": "runs list",
    "migrate": "db upgrade",
    "stats": "status",
    "report": "status",
    "settings": "config show",
}
_OTHER_OPTIONS = {
    "--force": "--yes",
    "-y": "--yes",
    "-f": "--yes",
    "--assume-yes": "--yes",
    "--filter": "--where",
    "--query": "--where",
    "--select": "--fields",
    "--columns": "--fields",
    "--output": "--format",
    "-o": "--format",
    "--db": "--database",
    "--url": "--database",
    "--override": "--limit-override",
    "--top": "--limit",
    "--order-by": "--sort",
    "--message": "--reason",
    "-m": "--reason",
    "-n": "--dry-run",
    "--simulate": "--dry-run",
    "--check": "--dry-run",
    "--no-colour": "--no-color",
    "--silent": "--quiet",
    "--debug": "--verbose",
}


# what shows what a command without --dry-run would do
_LOOKS_FIRST = {
    "responses ingest": "responses classify FILE",
    "reactivate": "explain EMAIL",
    "runs resume": "runs show N",
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


def command_meant(name: str) -> str:
    """What to write in place of a command that there is none of; '' where nobody knows."""
    if name in _OTHER_NAMES:
        return f"write `contactctl {_OTHER_NAMES[name]}`"
    below = [path for path in registry.COMMANDS if path.endswith(f" {name}")]
    written = " or ".join(f"`contactctl {path}`" for path in below)
    return f"write {written}" if below else ""


def option_meant(name: str, known: Sequence[str], command: str) -> str:
    """What to write in place of an option that the command does not have; '' where nobody knows."""
    meant = _OTHER_OPTIONS.get(name, name)
    if meant == "--dry-run" and meant not in known and command in _LOOKS_FIRST:
        return f"`contactctl {_LOOKS_FIRST[command]}` shows what it would do, and changes nothing"
    if meant == "--yes" and "--yes" not in known:
        if "--confirm" not in known:
            return "this command asks nothing: leave it out"
        return (
            "nothing is confirmed unseen here: a script gives --confirm with what is confirmed, the"
            " number of contacts or the email, which --dry-run or the question shows"
        )
    return f"write {meant}" if meant != name and meant in known else ""
