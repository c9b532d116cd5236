"""The one place where a result becomes text, in the format that was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from contactctl.domain.errors import ExitCode
from contactctl.domain.results import REJECT
from contactctl.output.choice import OutputChoice, OutputFormat
from contactctl.output.console import Console
from contactctl.output.paint import RED, YELLOW, paint
from contactctl.output.presentation import KeyValues, Presentation, RowsTable
from contactctl.output.values import to_people


def render(
    presentation: Presentation, choice: OutputChoice, console: Console, command: str
) -> None:
    """Write data to stdout; notes and, unless the envelope carries them, problems to stderr."""
    chosen = choose_fields(presentation, choice)
    if choice.format is not OutputFormat.TABLE:
        console.write_utf8()
    _writer(choice.format)(chosen, console, command)
    console.stdout.flush()
    for note in presentation.notes:
        console.note(to_people(note))
    for warning in presentation.warnings:
        _say("warning", YELLOW, warning, console)
    if choice.format is not OutputFormat.JSON:
        show_problems(presentation, console)


def _writer(output_format: OutputFormat) -> Callable[[Presentation, Console, str], None]:
    """The `write` of the format's module, the only one imported."""
    module = import_module(f"contactctl.output.formats.{output_format.value}")
    write: Callable[[Presentation, Console, str], None] = module.write
    return write


def choose_fields(presentation: Presentation, choice: OutputChoice) -> Presentation:
    """The presentation reduced to the fields of --fields: those of its rows, or else its data."""
    rows = presentation.rows
    if not choice.fields:
        return replace(presentation, rows=rows and rows.without_request())
    choice.check_fields(rows.keys if rows else list(presentation.data))
    if rows is None:
        data = {key: presentation.data[key] for key in choice.fields}
        return replace(presentation, data=data, blocks=[KeyValues(list(data.items()))])
    return replace(presentation, rows=rows.pick(choice.fields), blocks=_with_rows(presentation))


def _with_rows(presentation: Presentation) -> Sequence[RowsTable]:
    return [b for b in presentation.blocks if isinstance(b, RowsTable)] or [RowsTable()]


def show_problems(presentation: Presentation, console: Console) -> None:
    """Each problem as a line on stderr, its hint below."""
    failed = presentation.exit_code not in (ExitCode.DONE, ExitCode.PARTIAL)
    for problem in presentation.problems:
        is_error = failed and problem.code != REJECT
        word, colour = ("error", RED) if is_error else ("warning", YELLOW)
        _say(word, colour, problem.message, console)
        if problem.hint:
            console.say(f"hint: {to_people(problem.hint)}")


def _say(word: str, colour: str, message: str, console: Console) -> None:
    label = paint(f"{word}:", colour, console.colours_stderr)
    console.say(f"{label} {to_people(message)}")
