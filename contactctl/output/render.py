"""The one place where a result becomes text, in the format that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from contactctl.domain.errors import UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.output.console import Console
from contactctl.output.paint import RED, YELLOW, paint
from contactctl.output.presentation import KeyValues, Presentation, RowsTable
from contactctl.output.values import to_people


class OutputFormat(StrEnum):
    """What --format takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class OutputChoice:
    """How a result is to be shown: the format, and the fields asked for (empty: all)."""

    format: OutputFormat = OutputFormat.TABLE
    fields: tuple[str, ...] = ()

    def check_fields(self, known: Sequence[str]) -> None:
        """Raise UsageError unless every field asked for is one of `known`."""
        for name in self.fields:
            if name not in known:
                hint = did_you_mean(name, list(known)) or f"known fields: {', '.join(known)}"
                raise UsageError(f"unknown field '{name}' in --fields", hint=hint)


def render(
    presentation: Presentation, choice: OutputChoice, console: Console, command: str
) -> None:
    """Write data to stdout; notes and, unless the envelope carries them, problems to stderr."""
    chosen = choose_fields(presentation, choice)
    _writer(choice.format)(chosen, console, command)
    console.stdout.flush()
    for note in presentation.notes:
        console.note(to_people(note))
    if choice.format is not OutputFormat.JSON:
        show_problems(presentation, console)


def _writer(output_format: OutputFormat):  # type: ignore[no-untyped-def]
    """The format's module, imported alone."""
    from importlib import import_module  # noqa: PLC0415

    return import_module(f"contactctl.output.formats.{output_format.value}").write


def choose_fields(presentation: Presentation, choice: OutputChoice) -> Presentation:
    """The presentation reduced to the fields of --fields: those of its rows, or else its data."""
    if not choice.fields:
        return presentation
    rows = presentation.rows
    choice.check_fields([c.key for c in rows.columns] if rows else list(presentation.data))
    if rows is None:
        data = {key: presentation.data[key] for key in choice.fields}
        return replace(presentation, data=data, blocks=[KeyValues(list(data.items()))])
    return replace(presentation, rows=rows.pick(choice.fields), blocks=_with_rows(presentation))


def _with_rows(presentation: Presentation) -> Sequence[RowsTable]:
    return [b for b in presentation.blocks if isinstance(b, RowsTable)] or [RowsTable()]


def show_problems(presentation: Presentation, console: Console) -> None:
    """Each problem as a line on stderr, its hint below."""
    failed = presentation.exit_code not in (0, 5)
    word, colour = ("error", RED) if failed else ("warning", YELLOW)
    for problem in presentation.problems:
        label = paint(f"{word}:", colour, console.colours_stderr)
        print(f"{label} {to_people(problem.message)}", file=console.stderr)
        if problem.hint:
            print(f"hint: {to_people(problem.hint)}", file=console.stderr)
