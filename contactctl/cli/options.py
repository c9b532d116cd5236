"""The options that several commands share, as types for their parameters.

Use them with a default: `where: Where = None`. Every option has its help here, once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from contactctl.cli import candidates
from contactctl.domain.errors import UsageError
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.output.view import OutputFormat

if TYPE_CHECKING:
    from contactctl.domain.runs import Confirmation


def option(name: str, metavar: str, help: str, **more: Any) -> Any:
    """An option with a value, as `--help` shows it: `--name METAVAR  help`."""
    return typer.Option(name, metavar=metavar, help=help, **more)


def flag(name: str, help: str, **more: Any) -> Any:
    """An option without a value."""
    return typer.Option(name, help=help, **more)


def argument(metavar: str, help: str, **more: Any) -> Any:
    """A value that stands by itself."""
    return typer.Argument(metavar=metavar, help=help, **more)


# Output: every command has these; see context.Invocation
Format = Annotated[
    OutputFormat | None, option("--format", "FORMAT", "Output format: table, json, jsonl or csv.")
]
Json = Annotated[bool, flag("--json", "Short for --format json.")]
Fields = Annotated[
    str | None,
    option(
        "--fields",
        "A,B",
        "Show only these fields, in this order.",
        autocompletion=candidates.contact_fields,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Show no notes and no progress on stderr; warnings stay."),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Say on stderr which config and store are used, and how long it took.",
    ),
]
NoColour = Annotated[bool, flag("--no-color", "Use no colour, as with the NO_COLOR variable.")]

# Where the configuration and the store are
ConfigFile = Annotated[
    Path | None, option("--config", "FILE", "Config file, read before all others.")
]
Database = Annotated[
    str | None,
    option(
        "--database",
        "URL",
        "The store: sqlite:///file or postgresql://host/name; without a password.",
    ),
]


def _conditions(flag: str, help: str) -> Any:
    return typer.Option(flag, metavar="CONDITION", help=help, autocompletion=candidates.conditions)


# Which contacts
Where = Annotated[
    list[str] | None,
    _conditions(
        "--where",
        "All of these must match: 'FIELD OPERATOR VALUE', in quotes; "
        "`contactctl fields` lists both. Repeatable.",
    ),
]
WhereAny = Annotated[
    list[str] | None, _conditions("--where-any", "At least one of these must match. Repeatable.")
]
WhereNot = Annotated[
    list[str] | None, _conditions("--where-not", "None of these may match. Repeatable.")
]
CriteriaFile = Annotated[
    Path | None, option("--criteria", "FILE", "Read criteria from a YAML file.")
]
Prebuilt = Annotated[
    str | None,
    option(
        "--prebuilt",
        "NAME",
        "Criteria that come with the program: `contactctl criteria list`.",
        autocompletion=candidates.prebuilt_names,
    ),
]

Emails = Annotated[
    Path | None,
    option(
        "--emails", "FILE", "Only contacts whose address is in this list; - reads standard input."
    ),
]
ListRejects = Annotated[
    Path | None,
    option("--rejects", "FILE", "With --emails: write what selects no contact to this file."),
]

Group = Annotated[
    str | None,
    option("--group", "NAME", "In this group only.", autocompletion=candidates.group_names),
]

MOST_NUMBER = 2**31 - 1  # the largest run number that the databases can store


def number(name: str, metavar: str, help: str, *, most: int = MOST_NUMBER) -> Any:
    """An option with a whole number from 1 on."""
    return option(name, metavar, help, min=1, max=most)


def limit(help: str, *, most: int = MOST_NUMBER) -> Any:
    """The option for the largest number of rows to show."""
    return number("--limit", "N", help, most=most)


Sort = Annotated[str, option("--sort", "FIELD", "Sort by this field; -FIELD for descending.")]
EmailOrId = Annotated[str, argument("EMAIL|ID", "The contact's email or id.")]
OneContact = Annotated[str | None, argument("EMAIL|ID", "One contact; or give criteria.")]

# Changing things
Reason = Annotated[str, option("--reason", "TEXT", "The reason, kept with the run.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show what would happen, change nothing.")
]
KeepPlan = Annotated[
    bool, flag("--plan", "Keep the plan for `contactctl runs apply`; change nothing.")
]
ConfirmCount = Annotated[
    str | None,
    option(
        "--confirm", "COUNT", "The count, instead of typing it; must equal the number of contacts."
    ),
]
ConfirmEmail = Annotated[
    str | None, option("--confirm", "EMAIL", "The contact's email, instead of typing it.")
]
ConfirmEmailOrCount = Annotated[
    str | None,
    option(
        "--confirm",
        "EMAIL|COUNT",
        "The contact's email, or the number of contacts, instead of typing it.",
    ),
]
LimitOverride = Annotated[
    str | None,
    option(
        "--limit-override",
        "COUNT",
        "Exceed the limits for exactly this many contacts; needs --confirm too.",
    ),
]
Yes = Annotated[bool, flag("--yes", "Do not ask for confirmation within the limits; for cron.")]
_DAY_S = 86_400


def _wait(help: str) -> Any:
    return typer.Option("--wait", metavar="SECONDS", min=0, max=_DAY_S, help=help)


Wait = Annotated[float, _wait("Wait up to SECONDS for another process; then exit 6.")]
WaitForIngest = Annotated[float, _wait("Wait up to SECONDS for another ingest; then exit 6.")]
Timeout = Annotated[
    float,
    option(
        "--timeout",
        "SECONDS",
        "Wait up to SECONDS for one answer of a Postgres server; then exit 3.",
        min=1,
        max=_DAY_S,
    ),
]
Background = Annotated[
    bool, flag("--background", "Work in the background; `runs watch` shows the progress.")
]


# Words on the command line that must be one of a list


Choice = TypeVar("Choice", bound=StrEnum)


def chosen(choices: type[Choice], word: str, option: str) -> Choice:
    """The choice of that name; UsageError with a did-you-mean otherwise."""
    from contactctl.domain.criteria.fields import did_you_mean

    known = [choice.value for choice in choices]
    if word not in known:
        hint = did_you_mean(word, known) or f"one of {', '.join(known)}"
        raise UsageError(f"{option} '{word}' is unknown", hint=hint)
    return choices(word)


# Options that are given as NAME=VALUE


def one_character(option: str, said: str) -> str:
    """What separates cells; UsageError for what is not one character."""
    if len(said) == 1 and not said.isalnum() and said != '"':
        return said
    if said.lower() in ("tab", "\\t"):
        return "\t"
    raise UsageError(f"{option} '{said}' is not one character", hint="for example ; or tab")


def read_assignments(
    flag: str,
    texts: Sequence[str] | None,
    split: Callable[[str, str], tuple[str, str, str]] = str.partition,
) -> dict[str, str]:
    """Values by name; UsageError for a text without an = or a repeated name.

    With `str.rpartition` as `split`, a name may contain = itself.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = split(text, "=")
        if not equals or not name.strip():
            raise UsageError(f"{flag} '{text}' has no '='", hint=f"write it as {flag} 'NAME=VALUE'")
        if name in found:
            raise UsageError(f"{flag} names '{name}' twice")
        found[name] = value
    return found


# Points in time


def instant(text: str, zone: tzinfo, option: str) -> datetime:
    """An ISO 8601 date or instant, in the time of `zone` unless it says; UsageError otherwise."""
    from contactctl.domain.contact_values import iso_instant

    try:
        return iso_instant(text, zone)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint="write it as 2026-01-31") from error


# How a change is to be carried out


@dataclass(frozen=True, slots=True)
class Manner:
    """How to apply: confirmed by a script (`said`) or by asking; `wait` seconds for the lock, that
    of the `work` (None: of changing contacts).

    Or not yet: `dry_run` shows everything and writes nothing, `keeps_plan` keeps the plan for
    `runs apply`.
    """

    said: "Confirmation | None" = None
    background: bool = False
    wait: float = FOR_LOCKS_S
    dry_run: bool = False
    keeps_plan: bool = False
    work: str | None = None


def checked(manner: Manner) -> Manner:
    """The manner; UsageError for options that cannot be combined."""
    if sum((manner.dry_run, manner.keeps_plan, manner.said is not None)) > 1:
        raise UsageError("--dry-run, --plan and --confirm cannot be combined")
    if manner.background and (manner.dry_run or manner.keeps_plan):
        raise UsageError("--background cannot be combined with --dry-run or --plan")
    return manner


def read_confirmation(confirm: str | None, limit_override: str | None) -> "Confirmation | None":
    """What the flags confirm; None without --confirm. UsageError for a text that is not a count."""
    from contactctl.domain.runs import Confirmation

    if confirm is None:
        if limit_override is not None:
            raise UsageError("--limit-override needs --confirm with the same count")
        return None
    override = None if limit_override is None else _count("--limit-override", limit_override)
    return Confirmation(_count("--confirm", confirm), override)


def _count(option: str, text: str) -> int:
    from contactctl.domain.runs import parse_count

    count = parse_count(text)
    if count is None:
        raise UsageError(f"{option} '{text}' is not a count", hint="write 1284 or 1,284")
    return count
