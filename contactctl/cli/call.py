"""From a command function, which returns a Presentation, to a callback that Typer can call."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from contactctl.cli.context import Invocation, SharedOptions, output_choice
from contactctl.domain.errors import ContactctlError

if TYPE_CHECKING:
    from contactctl.output.presentation import Presentation

CommandFunction = Callable[..., "Presentation"]


def as_typer_callback(function: CommandFunction, command: str) -> Callable[..., int]:
    """The function without its Invocation, with the options that come with it; returns exit code.

    The first parameter's type is the Invocation class; the annotations must not be strings.
    """
    invocation_parameter, *own = inspect.signature(function).parameters.values()
    invocation_class: type[Invocation] = invocation_parameter.annotation
    leading, following = invocation_class.LEADING_OPTIONS, invocation_class.OPTIONS

    def call(context: typer.Context, **values: Any) -> int:
        shared = {name: values.pop(name) for name in (*leading, *following)}
        shared.setdefault("wait", values.get("wait"))  # some commands have it as their own
        invocation = invocation_class(context.obj, command, output_choice(shared), shared)
        return _present(function, invocation, values)

    shown = [*_keywords(leading), *own, *_keywords(following)]
    _declare(call, [_keyword("context", typer.Context), *shown])
    call.__doc__ = function.__doc__
    return call


def _keywords(shared: SharedOptions) -> list[inspect.Parameter]:
    return [_keyword(name, annotation, default) for name, (annotation, default) in shared.items()]


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _declare(call: Any, parameters: list[inspect.Parameter]) -> None:
    """Give `call` a signature of these parameters: Typer reads it to make the options."""
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    call.__signature__ = inspect.Signature(keywords, return_annotation=int)
    call.__annotations__ = {each.name: each.annotation for each in keywords}


def _present(function: CommandFunction, invocation: Invocation, values: Mapping[str, Any]) -> int:
    from contactctl.output.render import render

    console = invocation.console
    console.quiet = invocation.shared["quiet"]
    console.colour_allowed = not invocation.shared["no_color"]
    try:
        presentation = invocation.without_repeating(function(invocation, **values))
    except BrokenPipeError as error:
        raise ContactctlError("the reader of a pipe has ended", code="pipe") from error
    try:
        render(presentation, invocation.output, console, invocation.command)
        console.flush()
    except BrokenPipeError:
        # the reader has ended (`contactctl contacts list | head`); the work itself is done
        console.discard_output()
    except OSError as error:
        raise _untold(error, presentation) from error
    return int(presentation.exit_code)


def _untold(error: OSError, presentation: "Presentation") -> ContactctlError:
    """The work is done, and only its result could not be written."""
    run = presentation.data.get("run")
    return ContactctlError(
        f"the result could not be written to standard output: {error.strerror or error}",
        hint=f"the work itself is done; `contactctl runs show {run}` shows it" if run else "",
        code="operating-system",
    )
