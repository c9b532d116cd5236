"""What the shell can complete: names that the config and the store know.

A completion says nothing rather than something wrong: no error, no prompt, no store created.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from contactctl.config.settings import Settings

# what a shell takes as it is: a group's name must not become a command when Enter is pressed
_NEEDS_NO_QUOTES = re.compile(r"[\w.@:+-]+")


def field_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields that a condition can begin with, declared attributes included."""
    from contactctl.domain.fields import FieldCatalogue

    def names(settings: "Settings") -> list[str]:
        return [field.name for field in FieldCatalogue(settings.attributes).fields()]

    return _starting_with(incomplete, ctx, names)


def group_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Groups in the store, where it is a SQLite file."""
    from contactctl.store import names

    return _starting_with(incomplete, ctx, lambda known: names.group_names(known.database))


def run_numbers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Numbers of the latest runs, where the store is a SQLite file."""
    from contactctl.store import names

    return _starting_with(incomplete, ctx, lambda known: names.run_numbers(known.database))


def _starting_with(
    incomplete: str, ctx: typer.Context, names: Callable[["Settings"], Sequence[str]]
) -> list[str]:
    from contactctl.config.load import load_settings
    from contactctl.domain.errors import ContactctlError

    try:
        loaded = load_settings(
            config_path=ctx.params.get("config"),
            flag_values={"database": ctx.params.get("database")},
            environ=os.environ,
            cwd=Path.cwd(),
        )
    except (ContactctlError, OSError):
        return []
    known = names(loaded.settings)
    return [n for n in known if n.startswith(incomplete) and _NEEDS_NO_QUOTES.fullmatch(n)]
