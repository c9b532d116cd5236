"""The command tree: functions named by the registry become Typer commands when they are needed."""

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer
from typer.core import CompletionItem, TyperCommand, TyperGroup  # type: ignore[attr-defined]

from contactctl.cli import registry
from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.cli.parameters import (
    HelpText,
    convert_without_pydantic,
    parameter_sections,
    parse_docstring,
    usage_pieces,
)
from contactctl.domain.errors import ContactctlError, ExitCode, UsageError

if TYPE_CHECKING:
    from contactctl.output.view import Presentation


PROGRAM = "contactctl"

_PROGRAM_HELP = HelpText(
    summary="Find marketing contacts by criteria, and deactivate exactly those.",
    examples=(
        f"{PROGRAM} demo",
        f"{PROGRAM} preview --where 'last_opportunity older-than 24 months'",
        f"{PROGRAM} deactivate --criteria stale.yaml",
        f"{PROGRAM} status --json",
        f"{PROGRAM} help deactivate",
    ),
    paragraphs=("--config, --database and --no-color may also stand before the command.",),
)
# which name a run in their result, and have not worked on it
_LOOK_AT_A_RUN = frozenset(("runs show", "runs contacts", "policy show"))
# options that every command of its kind has
COMMON_OPTIONS = frozenset((*StoreInvocation.options(), "help"))
_TYPER_SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}
# commands take this over from the program's
_CONTEXT_SETTINGS = {"help_option_names": ["--help", "-h"]}


class _Help:
    """Help text with the examples first, and values without pydantic; for commands and groups."""

    help_text: HelpText
    common_options: Collection[str] = ()

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        if self.help_text.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.help_text.examples))
        for paragraph in (self.help_text.summary, *self.help_text.paragraphs):
            formatter.write_paragraph()
            formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        params = self.get_params(ctx)  # type: ignore[attr-defined]
        for title, rows in parameter_sections(params, self.common_options, ctx).items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        convert_without_pydantic(option)
        return option


class LazyCommand(_Help, TyperCommand):
    """A command whose help comes from the registry and its function's docstring."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        for param in self.params:
            convert_without_pydantic(param)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return usage_pieces(self.get_params(ctx))


class LazyGroup(_Help, TyperGroup):
    """The commands below `path`, listed from the registry and imported one at a time."""

    path = ""
    help_text = _PROGRAM_HELP

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return registry.names_below(self.path)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        path = self._path_of(cmd_name)
        if path in registry.GROUPS:
            return _group(path)
        return load_command(path) if path in registry.COMMANDS else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            raise UsageError(f"no such command '{name}'", hint=self._suggestion(ctx, name))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in self._sections(self.list_commands(ctx)).items():
            with formatter.section(title):
                formatter.write_dl([(name, self._help_of(name)) for name in names])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Like Typer's own, but imports no command for its line of help."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = TyperCommand.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=self._help_of(name)) for name in names), *options]

    def _path_of(self, name: str) -> str:
        return f"{self.path} {name}".strip()

    def _help_of(self, name: str) -> str:
        return registry.help_of(self._path_of(name))

    def _suggestion(self, ctx: Any, name: str) -> str:
        from contactctl.cli.argv import command_meant
        from contactctl.domain.criteria.fields import did_you_mean

        close = command_meant(name, self.path) or did_you_mean(name, self.list_commands(ctx))
        return close or f"`{ctx.command_path} --help` lists the commands"

    def _sections(self, names: list[str]) -> Mapping[str, list[str]]:
        if self.path:
            return {"Commands": names}
        sections = {
            title: [name for name in listed if name in names]
            for title, listed in registry.SECTIONS.items()
        }
        return {title: listed for title, listed in sections.items() if listed}


def build_program() -> Any:
    """The program itself: the group of everything."""
    app = typer.Typer(cls=LazyGroup, context_settings=_CONTEXT_SETTINGS, **_TYPER_SETTINGS)
    app.callback()(_program)
    program = typer.main.get_command(app)
    for param in program.params:
        convert_without_pydantic(param)
    return program


def _print_version(wanted: bool) -> None:
    if wanted:
        from contactctl import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _program(
    version: bool = typer.Option(
        False, "--version", "-V", help="Print the version.", is_eager=True, callback=_print_version
    ),
) -> None:
    """The options of the program itself."""


def _group(path: str) -> LazyGroup:
    group = LazyGroup(name=path, rich_markup_mode=None)
    group.path = path
    described = registry.GROUPS[path]
    group.help_text = HelpText(described.help, described.examples)
    return group


@cache
def load_command(path: str) -> Any:
    """The Typer command of a registry entry; imports its module."""
    entry = registry.COMMANDS[path]
    module, name = import_module(f"contactctl.cli.{entry.module}"), path.rpartition(" ")[2]
    function = vars(module).get(name.replace("-", "_")) or vars(module)[f"{name}_"]
    app = typer.Typer(**_TYPER_SETTINGS)
    app.command(name, cls=LazyCommand)(as_typer_callback(function, path))
    command = typer.main.get_command(app)
    command.help_text = parse_docstring(entry.help, function.__doc__ or "")  # type: ignore[attr-defined]
    command.common_options = COMMON_OPTIONS  # type: ignore[attr-defined]
    return command


# From a command function, which returns a Presentation, to a callback that Typer can call


CommandFunction = Callable[..., "Presentation"]


def as_typer_callback(function: CommandFunction, command: str) -> Callable[..., int]:
    """The function without its Invocation, with the options that come with it; returns exit code.

    The first parameter's type is the Invocation class; the annotations must not be strings.
    """
    first, *own = inspect.signature(function).parameters.values()
    invocation_class: type[Invocation] = first.annotation
    options = invocation_class.options()

    def call(context: typer.Context, **values: Any) -> int:
        given = {name: values.pop(name) for name in options}
        return _present(function, invocation_class(context.obj, command, given), values)

    shared = [
        _keyword(name, annotation, default) for name, (annotation, default) in options.items()
    ]
    shown = [*shared, *own] if invocation_class.leads else [*own, *shared]
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]
    _declare(call, [_keyword("context", typer.Context), *keywords])
    call.__doc__ = function.__doc__
    return call


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _declare(call: Any, keywords: list[inspect.Parameter]) -> None:
    """Give `call` a signature of these parameters: Typer reads it to make the options."""
    call.__signature__ = inspect.Signature(keywords, return_annotation=int)
    call.__annotations__ = {each.name: each.annotation for each in keywords}


def _present(function: CommandFunction, invocation: Invocation, values: Mapping[str, Any]) -> int:
    from contactctl.output.view import render

    console = invocation.console
    console.quiet = invocation.quiet
    began = monotonic()
    console.colour_allowed = not invocation.no_color
    try:
        presentation = invocation.completed(function(invocation, **values))
        invocation.tell(f"took {monotonic() - began:.2f} s")
    except BrokenPipeError as error:
        raise ContactctlError("the reader of a pipe has ended", code="pipe") from error
    try:
        render(presentation, invocation.output, console, invocation.command)
        console.flush()
    except BrokenPipeError:
        # the reader has ended (`contactctl contacts list | head`); the work itself is done
        console.discard_output()
        looks = invocation.command in _LOOK_AT_A_RUN
        if not looks and (told := _became_of_run(presentation)):
            console.say(f"warning: the reader of the result has ended; {told}")
    except OSError as error:
        raise _untold(error, presentation) from error
    else:
        presentation.delivered()
    return int(presentation.exit_code)


def _untold(error: OSError, presentation: "Presentation") -> ContactctlError:
    """The work is done, and only its result could not be written."""
    return ContactctlError(
        f"the result could not be written to standard output: {error.strerror or error}",
        hint=_became_of_run(presentation),
        code="operating-system",
    )


def _became_of_run(presentation: "Presentation") -> str:
    """`run 12 is done; ...`: one in the background, or that waits, has another state. '': no run"""
    data = presentation.data
    run, state = data.get("run"), data.get("state", "done")
    return f"run {run} is {state}; `contactctl runs show {run}` shows it" if run else ""
