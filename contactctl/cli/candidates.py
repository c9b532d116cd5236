"""What the shell can complete: names that the config and the store know.

A completion shows nothing rather than something wrong: no error, no prompt, no store created.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
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


def _in_store(question: str) -> "Complete":
    """Names that the store or the config knows, by a function of operations.completion."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        names = getattr(import_module("contactctl.operations.completion"), question)
        return _starting_with(incomplete, ctx, names)

    return complete


def _words_of(module: str, choices: str) -> "Complete":
    """The words of a list of the domain."""

    def complete(_ctx: typer.Context, incomplete: str) -> list[str]:
        words = getattr(import_module(f"contactctl.domain.{module}"), choices)
        return [word for word in words if word.startswith(incomplete)]

    return complete


Complete = Callable[[typer.Context, str], list[str]]
group_names = _in_store("group_names")
run_numbers = _in_store("run_numbers")
input_formats = _in_store("input_formats")
categories = _words_of("responses", "Category")
run_kinds = _words_of("runs", "RunKind")
run_states = _words_of("runs", "RunState")


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
