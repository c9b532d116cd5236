"""The one wrapper: from argv to an exit code, every error told in the form that was asked for."""

import errno
import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

import typer

from contactctl.cli.app import PROGRAM, LazyGroup, build_program
from contactctl.cli.argv import arranged, option_meant
from contactctl.cli.context import CONDITION_OPTIONS
from contactctl.cli.registry import command_named_by
from contactctl.domain.errors import ContactctlError, ExitCode, InterruptedByUserError, UsageError
from contactctl.output.console import Console
from contactctl.output.view import OutputChoice, OutputFormat

DEBUG_VARIABLE = "CONTACTCTL_DEBUG"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_SPACE_HINT = (
    "free some disk space; what is read from standard input is kept in the folder for temporary"
    " files, and TMPDIR names another one"
)
_COMPLETION_VARIABLE = "_CONTACTCTL_COMPLETE"


def main() -> NoReturn:
    """Run this process's command line and exit."""
    if _COMPLETION_VARIABLE in os.environ:
        _complete()
    try:
        console = Console.of_process()
    except FileNotFoundError:
        sys.exit("error: the current folder does not exist any more")
    sys.exit(run(sys.argv[1:], console))


def run(argv: Sequence[str], console: Console) -> int:
    """Run one command line; return its exit code, and never raise."""
    try:
        exit_code = _dispatch(argv, console)
        console.flush()
    except BrokenPipeError:
        console.discard_output()
        return ExitCode.DONE
    except (KeyboardInterrupt, Exception) as error:
        return _report(error, argv, console)
    return exit_code


def wants_json(argv: Sequence[str]) -> bool:
    """Whether argv asks for JSON, read without parsing it: errors of parsing need to know."""
    ours = list(argv[: argv.index("--")] if "--" in argv else argv)
    if "--json" in ours or "--format=json" in ours:
        return True
    return ("--format", "json") in pairwise(ours)


def _dispatch(argv: Sequence[str], console: Console) -> int:
    program = build_program()
    try:
        with program.make_context(PROGRAM, arranged(argv), obj=console) as context:
            return int(program.invoke(context))
    except typer.Exit as stop:
        return stop.exit_code


def _report(error: BaseException, argv: Sequence[str], console: Console) -> int:
    """Tell the error on stderr, or as the JSON envelope on stdout; return its exit code."""
    from contactctl.domain.errors import Problem
    from contactctl.output.view import Presentation, render

    foreseen = _as_foreseen(error) or _unforeseen(error, console)
    in_envelope = wants_json(argv) and not console.output_is_cut_off
    choice = OutputChoice(OutputFormat.JSON if in_envelope else OutputFormat.TABLE)
    failure = Presentation(problems=[Problem.of(foreseen)], exit_code=foreseen.exit_code)
    if isinstance(foreseen, InterruptedByUserError) and console.stderr_is_tty:
        console.say("")  # the terminal has echoed ^C, or a question stands open
    try:
        render(failure, choice, console, command_named_by(arranged(argv)))
        console.flush()
    except OSError as unwritable:  # the envelope's place is what failed
        console.discard_output()
        console.say(f"error: standard output: {_os_error_text(unwritable)}")
        if foreseen.hint:
            console.say(f"hint: {foreseen.hint}")
    return foreseen.exit_code


def _as_foreseen(error: BaseException) -> ContactctlError | None:
    if isinstance(error, ContactctlError):
        return error
    if interruption := _interruption_in(error):
        return InterruptedByUserError(str(interruption) or "interrupted")
    if isinstance(error, typer.TyperException):
        return _usage_error(error)
    if isinstance(error, OSError):
        hint = _NO_SPACE_HINT if error.errno in _NO_SPACE else ""
        return ContactctlError(_os_error_text(error), hint=hint, code="operating-system")
    return None


def _interruption_in(error: BaseException | None) -> KeyboardInterrupt | None:
    """The interruption that this error is, or was made of: while a class is made, Python 3.11 wraps
    it in a RuntimeError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error


def _usage_error(error: Any) -> UsageError:
    """Typer's complaint in our words: the message, and a suggestion or where the help is."""
    if meant := _option_meant(error):
        return UsageError(_sentence(error.message), hint=meant)
    close = getattr(error, "possibilities", None)
    if close:
        return UsageError(_sentence(error.message), hint=f"did you mean '{close[0]}'?")
    context = getattr(error, "ctx", None)
    hint = _hint_in(context, error) if context else ""
    return UsageError(_sentence(error.format_message()), hint=hint)


def _option_meant(error: Any) -> str:
    """What other programs call an option, in this program's words."""
    name, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    if not name or context is None or isinstance(context.command, LazyGroup):
        return ""
    known = [flag for param in context.command.params for flag in param.opts]
    command = context.command_path.partition(" ")[2]
    return option_meant(name, known, command)


def _hint_in(context: Any, error: Any) -> str:
    """What to write instead, for the mistakes that are made most; else where the help is."""
    option = getattr(error, "option_name", "")
    if option and isinstance(context.command, LazyGroup):
        return f"options follow the command: `{context.command_path} COMMAND {option}`"
    has_conditions = any(context.params.get(name) for name in CONDITION_OPTIONS)
    has_more_words = error.message.startswith("Got unexpected extra argument")
    if has_more_words and context.command_path.endswith(" export"):
        return "an export goes to standard output: write > FILE"
    if has_conditions and has_more_words:
        return "put each condition into quotes: --where 'FIELD OPERATOR VALUE'"
    if option[:1] == "-" != option[1:2]:
        return f"a value that begins with - stands behind --: `{context.command_path} -- VALUE`"
    return f"`{context.command_path} --help` shows how"


def _sentence(text: str) -> str:
    one_line = re.sub(r"\s*\n\s*", " ", text)  # Typer lists choices one below the other
    return one_line[:1].lower() + one_line[1:].rstrip(".")


def _os_error_text(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _unforeseen(error: BaseException, console: Console) -> ContactctlError:
    if console.environ.get(DEBUG_VARIABLE) == "1":
        import traceback

        traceback.print_exception(error, file=console.stderr)
    return ContactctlError(
        f"{type(error).__name__}: {error}",
        hint=f"this is a bug; {DEBUG_VARIABLE}=1 shows where. Please report it",
        code="bug",
    )


def _complete() -> NoReturn:
    """Answer the shell, which says in the environment what has been typed so far."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
    build_program().main(prog_name=PROGRAM)
    sys.exit(ExitCode.DONE)
