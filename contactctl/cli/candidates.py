"""What the shell can complete: names that the config and the store know.

A completion shows nothing rather than something wrong: no error, no prompt, no store created.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from contactctl.config.settings import Settings
    from contactctl.domain.criteria.fields import Field

# what a shell takes literally: a group's name must not become a command when Enter is pressed
_NEEDS_NO_QUOTES = re.compile(r"[\w.@:+-]+")
_FIELD_NAMES = re.compile(r"[\w.,-]+")
_PERIODS = ("7 days", "30 days", "6 months", "12 months", "24 months")
_NEEDS_NO_QUOTES_INSIDE = re.compile(r"[\w.@:+ =<>,-]+")


def conditions(ctx: typer.Context, incomplete: str) -> list[str]:
    """A condition up to its next word: the field, then (inside quotes) operator and value.

    A shell closes the quotes after the only candidate: so where more words must follow, and only
    one is left to choose, it is offered with each of those that can follow.
    """
    from contactctl.domain.criteria.fields import FieldCatalogue

    def offered(settings: "Settings") -> list[str]:
        fields = {field.name: field for field in FieldCatalogue(settings.attributes).fields()}
        known = _continued(incomplete.rpartition(" ")[0], fields, settings)
        found = [each for each in known if each.startswith(incomplete)]
        while len(found) == 1 and (further := _continued(found[0], fields, settings)):
            found = list(further)
        return found

    return _starting_with(incomplete, ctx, offered, harmless=_NEEDS_NO_QUOTES_INSIDE)


def group_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Groups in the store."""
    from contactctl.operations.completion import group_names

    return _starting_with(incomplete, ctx, group_names)


def run_numbers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Numbers of the latest runs."""
    from contactctl.operations.completion import run_numbers

    return _starting_with(incomplete, ctx, run_numbers)


def prebuilt_names(incomplete: str) -> list[str]:
    """Criteria that come with the program."""
    from contactctl.domain.criteria.tree import PREBUILT

    return [each.name for each in PREBUILT if each.name.startswith(incomplete)]


def contact_fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields of contacts behind commas, for the commands that show contacts."""
    from contactctl.domain.criteria.fields import FieldCatalogue

    if "where" not in ctx.params:
        return []
    before, comma, _ = incomplete.rpartition(",")

    def offered(settings: "Settings") -> list[str]:
        names = FieldCatalogue(settings.attributes).names()
        return [f"{before}{comma}{name}" for name in names if name not in before.split(",")]

    return _starting_with(incomplete, ctx, offered, harmless=_FIELD_NAMES)


def input_formats(ctx: typer.Context, incomplete: str) -> list[str]:
    """What --from takes: the built-in formats, and those of the config."""
    from contactctl.operations.completion import input_formats

    return _starting_with(incomplete, ctx, input_formats)


def categories(incomplete: str) -> list[str]:
    """Response categories."""
    from contactctl.domain.responses import Category

    return [category for category in Category if category.startswith(incomplete)]


def run_kinds(incomplete: str) -> list[str]:
    """Kinds of runs."""
    from contactctl.domain.runs import RunKind

    return [kind for kind in RunKind if kind.startswith(incomplete)]


def run_states(incomplete: str) -> list[str]:
    """States of runs."""
    from contactctl.domain.runs import RunState

    return [state for state in RunState if state.startswith(incomplete)]


def _continued(begun: str, fields: "Mapping[str, Field]", settings: "Settings") -> Sequence[str]:
    """The beginning of a condition, with each word that can follow; all fields after nothing."""
    from contactctl.domain.criteria.fields import OPERATORS

    match begun.split():
        case []:
            return list(fields)
        case [name] if name in fields:
            following: Sequence[str] = OPERATORS[fields[name].type]
        case [name, operator] if name in fields:
            following = _values(fields[name], operator, settings)
        case _:
            return []
    return [f"{begun} {word}" for word in following]


def _values(field: "Field", operator: str, settings: "Settings") -> Sequence[str]:
    """What the value can be, where there is a list to choose from; lengths of time as examples."""
    from contactctl.domain.criteria.fields import OPERATORS, USAGES, Takes
    from contactctl.operations.completion import group_names

    takes = next(
        (USAGES[op].takes for op in OPERATORS[field.type] if op == operator), Takes.NOTHING
    )
    if takes is Takes.SPAN:
        return _PERIODS
    if takes is Takes.NOTHING:
        return []
    return group_names(settings) if field.name == "group" else field.choices


def _starting_with(
    incomplete: str,
    ctx: typer.Context,
    names: Callable[["Settings"], Sequence[str]],
    *,
    harmless: re.Pattern[str] = _NEEDS_NO_QUOTES,
) -> list[str]:
    from contactctl.operations.completion import settings_in_force

    config, database = ctx.params.get("config"), ctx.params.get("database")
    settings = settings_in_force(config, database, os.environ, Path.cwd())
    known = names(settings) if settings else ()
    return [n for n in known if n.startswith(incomplete) and harmless.fullmatch(n)]
