"""The one wrapper: from argv to an exit code, every error told in the form that was asked for."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from types import FrameType
from typing import NoReturn

import typer

from contactctl.cli.app import PROGRAM, build_program
from contactctl.cli.registry import command_named_by
from contactctl.domain.errors import (
    ContactctlError,
    ExitCode,
    InterruptedByUserError,
    UsageError,
)
from contactctl.domain.results import Problem
from contactctl.output.console import Console
from contactctl.output.presentation import Presentation
from contactctl.output.render import OutputChoice, OutputFormat, render

DEBUG_VARIABLE = "CONTACTCTL_DEBUG"
_COMPLETION_VARIABLE = "_CONTACTCTL_COMPLETE"


def main() -> NoReturn:
    """Run this process's command line and exit."""
    if _COMPLETION_VARIABLE in os.environ:
        build_program().main(prog_name=PROGRAM)
    console = Console.of_process()
    _turn_signals_into_interrupts()
    sys.exit(run(sys.argv[1:], console))


def run(argv: Sequence[str], console: Console) -> int:
    """Run one command line; return its exit code, and never raise."""
    try:
        exit_code = _dispatch(argv, console)
        console.flush()
    except BrokenPipeError:
        # the reader has gone (`contactctl contacts list | head`): nothing failed
        _discard_output(console)
        return ExitCode.DONE
    except (ContactctlError, KeyboardInterrupt, Exception) as error:
        return _report(error, argv, console)
    return exit_code


def _dispatch(argv: Sequence[str], console: Console) -> int:
    try:
        program = build_program()
        with program.make_context(PROGRAM, list(argv), obj=console) as context:
            return int(program.invoke(context))
    except typer.Exit as stop:
        return stop.exit_code


def _report(error: BaseException, argv: Sequence[str], console: Console) -> int:
    foreseen = _as_foreseen(error)
    if foreseen is None:
        foreseen = _unforeseen(error, console)
    choice = OutputChoice(OutputFormat.JSON if wants_json(argv) else OutputFormat.TABLE)
    failure = Presentation(problems=[Problem.of(foreseen)], exit_code=foreseen.exit_code)
    try:
        render(failure, choice, console, command_named_by(argv))
        console.flush()
    except OSError:
        _discard_output(console)
    return foreseen.exit_code


def _as_foreseen(error: BaseException) -> ContactctlError | None:
    if isinstance(error, ContactctlError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return InterruptedByUserError("interrupted")
    if isinstance(error, typer.TyperException):
        return _usage_error(error)
    if isinstance(error, OSError):
        return ContactctlError(_os_error_text(error), code="operating-system")
    return None


def _usage_error(error: typer.TyperException) -> UsageError:
    """Typer's complaint in our words: message, and as hint a suggestion or where the help is."""
    close = getattr(error, "possibilities", None)
    context = getattr(error, "ctx", None)
    hint = f"`{context.command_path} --help` shows how" if context else ""
    if close:
        hint = f"did you mean '{close[0]}'?"
    message = error.message if close else error.format_message()
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _os_error_text(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _unforeseen(error: BaseException, console: Console) -> ContactctlError:
    if console.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error, file=console.stderr)
    return ContactctlError(
        f"{type(error).__name__}: {error}",
        hint=f"this is a bug; {DEBUG_VARIABLE}=1 shows where. Please report it",
        code="bug",
    )


def wants_json(argv: Sequence[str]) -> bool:
    """Whether argv asks for JSON, read without parsing it: errors of parsing need to know."""
    ours = list(argv[: argv.index("--")] if "--" in argv else argv)
    if "--json" in ours or "--format=json" in ours:
        return True
    return ("--format", "json") in pairwise(ours)


def _discard_output(console: Console) -> None:
    """Send what is still buffered nowhere, or the interpreter complains at exit."""
    if console.stdout is sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _turn_signals_into_interrupts() -> None:
    """SIGTERM and a closed terminal end the program like Ctrl-C: prompts and plans clean up."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise InterruptedByUserError(f"ended by {signal.Signals(signal_number).name}")
