"""The command tree: functions named by the registry become Typer commands when they are needed."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from contactctl.cli import registry
from contactctl.cli.context import Invocation, output_choice
from contactctl.cli.helptext import HelpText, parse_docstring
from contactctl.cli.plain_values import convert_without_pydantic
from contactctl.domain.errors import ExitCode, UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.output.presentation import Presentation
from contactctl.output.render import render

PROGRAM = "contactctl"

_ROOT_HELP = HelpText(
    summary="Find marketing contacts by criteria, and deactivate exactly those.",
    examples=(
        f"{PROGRAM} demo",
        f"{PROGRAM} preview --where 'last_opportunity older-than 24 months'",
        f"{PROGRAM} deactivate --criteria stale.yaml",
        f"{PROGRAM} status --json",
    ),
)


class _Help:
    """Help text with the examples first, for commands and groups alike."""

    help_text: HelpText

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        if self.help_text.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.help_text.examples))
        for paragraph in (self.help_text.summary, *self.help_text.paragraphs):
            formatter.write_paragraph()
            formatter.write_text(paragraph)


class LazyCommand(_Help, TyperCommand):
    """A command whose help comes from its function's docstring."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.help_text = parse_docstring(self.help or "")
        for param in self.params:
            convert_without_pydantic(param)


class LazyGroup(_Help, TyperGroup):
    """Commands below `path`, listed from the registry and imported one at a time."""

    path = ""
    help_text = _ROOT_HELP

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return registry.names_below(self.path)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        path = f"{self.path} {cmd_name}".strip()
        if path in registry.GROUPS:
            return _group(path)
        return _command(path) if path in registry.COMMANDS else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            suggestion = did_you_mean(name, self.list_commands(ctx))
            hint = suggestion or f"`{ctx.command_path} --help` lists the commands"
            raise UsageError(f"no such command '{name}'", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        names = self.list_commands(ctx)
        for title, listed in self._sections(names).items():
            with formatter.section(title):
                formatter.write_dl([(name, self._help_of(name)) for name in listed])

    def _sections(self, names: list[str]) -> Mapping[str, list[str]]:
        if self.path:
            return {"Commands": names}
        sections = {
            title: [name for name in listed if name in names]
            for title, listed in registry.SECTIONS.items()
        }
        return {title: listed for title, listed in sections.items() if listed}

    def _help_of(self, name: str) -> str:
        return registry.help_of(f"{self.path} {name}".strip())


def build_program() -> Any:
    """The root group."""
    app = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root_options)
    return typer.main.get_command(app)


def _root_options(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        from contactctl import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _group(path: str) -> LazyGroup:
    group = LazyGroup(name=path, rich_markup_mode=None, help=None)
    group.path = path
    group.help_text = HelpText(registry.GROUPS[path], (f"{PROGRAM} {path} COMMAND --help",))
    return group


def _command(path: str) -> Any:
    module_name, _, function_name = registry.COMMANDS[path].target.partition(":")
    function = getattr(import_module(f"contactctl.cli.{module_name}"), function_name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(path.rpartition(" ")[2], cls=LazyCommand)(_with_shared_options(function, path))
    return typer.main.get_command(app)


def _with_shared_options(function: Callable[..., Presentation], path: str) -> Callable[..., int]:
    """The function as Typer sees it: without its Invocation, with the options that come with it."""
    signature = inspect.signature(function, eval_str=True)
    first, *own = signature.parameters.values()
    kind: type[Invocation] = first.annotation
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for name, (hint, default) in kind.OPTIONS.items()
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]

    def call(context: typer.Context, **values: Any) -> int:
        shared_values = {name: values.pop(name) for name in kind.OPTIONS}
        return _run_command(
            function, kind(context.obj, path, output_choice(shared_values), shared_values), values
        )

    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context, *own, *shared]
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=int
    )
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__doc__ = function.__doc__
    return call


def _run_command(
    function: Callable[..., Presentation], invocation: Invocation, values: Mapping[str, Any]
) -> int:
    console = invocation.console
    console.quiet = invocation.shared["quiet"]
    console.colour_allowed = not invocation.shared["no_color"]
    presentation = function(invocation, **values)
    render(presentation, invocation.output, console, invocation.command)
    return int(presentation.exit_code)
