"""What people write in another order or with another name: argv put right, or a hint for it.

Nothing here guesses what a word means that is an option's value.
"""

from collections.abc import Sequence

from contactctl.cli import registry

HELP = "help"
# options of commands that may stand before the command; whether a value follows
_ANYWHERE = {
    **dict.fromkeys(("--config", "--database", "--timeout"), True),
    **dict.fromkeys(("--no-color", "--quiet", "-q", "--verbose", "-v"), False),
}
# what other programs call it -> what to write here
_OTHER_NAMES = {
    "version": "--version",
    "list": "contacts list",
    "show": "contacts show EMAIL",
    **dict.fromkeys(("search", "find", "query"), "contacts list --where CONDITION"),
    **dict.fromkeys(("info", "get", "view"), "contacts show EMAIL"),
    "new": "contacts add",
    "rm": "contacts delete",
    "remove": "groups remove",
    **dict.fromkeys(("anonymise", "erase", "forget", "gdpr", "purge"), "contacts anonymize"),
    "count": "preview",
    **dict.fromkeys(("activate", "enable", "resubscribe"), "reactivate"),
    **dict.fromkeys(("disable", "unsubscribe", "optout", "opt-out"), "deactivate EMAIL"),
    **dict.fromkeys(("block", "blocklist", "blacklist", "suppress"), "suppressions add"),
    **dict.fromkeys(("ui", "tui", "gui", "dashboard", "builder", "interactive"), "build"),
    **dict.fromkeys(("rollback", "revert"), "runs undo"),
    **dict.fromkeys(("history", "log", "logs", "jobs", "tasks", "audit"), "runs list"),
    "why": "explain EMAIL",
    **dict.fromkeys(("bounces", "complaints"), "responses list"),
    **dict.fromkeys(("doctor", "verify", "fsck", "repair"), "db check"),
    **dict.fromkeys(("migrate", "migrations"), "db upgrade"),
    **dict.fromkeys(("stats", "statistics", "report"), "status"),
    **dict.fromkeys(("settings", "configure"), "config show"),
    "config edit": "config path",
    "config set": "config path",
    "groups create": "groups add",
    "contacts remove": "contacts delete",
    "contacts update": "contacts edit",
    "contacts erase": "contacts anonymize",
}
_OTHER_OPTIONS = {
    **dict.fromkeys(("--force", "-y", "-f", "--assume-yes"), "--yes"),
    **dict.fromkeys(("--filter", "--query"), "--where"),
    **dict.fromkeys(("--select", "--columns"), "--fields"),
    **dict.fromkeys(("--output", "--output-format", "-o"), "--format"),
    **dict.fromkeys(("--db", "--url"), "--database"),
    "--override": "--limit-override",
    "--top": "--limit",
    "--order-by": "--sort",
    **dict.fromkeys(("--message", "-m"), "--reason"),
    **dict.fromkeys(("-n", "--simulate", "--check"), "--dry-run"),
    "--no-colour": "--no-color",
    "--silent": "--quiet",
    "--debug": "--verbose",
}
# what no option is needed for, of one command or of all ('')
_WITHOUT_OPTION = {
    ("deactivate", "--all"): (
        "nobody is chosen without criteria: --where CONDITION, --criteria FILE or --emails FILE"
    ),
    ("reactivate", "--all"): "one contact at a time: mailing everybody again is what does harm",
    ("contacts export", "--output"): "the export goes to standard output: add > FILE",
    ("contacts export", "-o"): "the export goes to standard output: add > FILE",
    ("contacts edit", "--email"): "`contactctl contacts readdress EMAIL NEW` gives another email",
    ("contacts edit", "--attribute"): "write --set attributes.NAME=VALUE",
    ("contacts edit", "--group"): "`contactctl groups add GROUP EMAIL` makes it a member",
    ("contacts edit", "--tag"): "`contactctl tags add TAG EMAIL` gives it a tag",
    ("preview", "--count"): "the count stands above the contacts; --json has it as `count`",
    ("", "--email"): "the address stands by itself: `contactctl COMMAND EMAIL`",
    ("", "--id"): "the number stands by itself: `contactctl COMMAND ID`",
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


def command_meant(name: str, group: str = "") -> str:
    """What to write in place of a command that there is none of in the group, of those at the top
    without one; '' where nobody knows."""
    for said in (f"{group} {name}".strip(), name):
        if said in _OTHER_NAMES:
            return f"write `contactctl {_OTHER_NAMES[said]}`"
    below = [path for path in registry.COMMANDS if path.endswith(f" {name}")]
    written = " or ".join(f"`contactctl {path}`" for path in below)
    return f"write {written}" if below else ""


def option_meant(name: str, known: Sequence[str], command: str) -> str:
    """What to write in place of an option that the command does not have; '' where nobody knows."""
    for said in ((command, name), ("", name)):
        if said in _WITHOUT_OPTION:
            return _WITHOUT_OPTION[said]
    if "--set" in known and (field := name[2:].replace("-", "_")) in _field_names():
        return f"write --set {field}=VALUE"
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


def _field_names() -> set[str]:
    from contactctl.domain.criteria.fields import BUILT_IN_FIELDS

    return {field.name for field in BUILT_IN_FIELDS}
