"""The parts of a --help page that come from parameters, in the usual forms.

Typer's own say `{FILE}`, `<list[Path]>` and `[1<=x<=2147483647; required]`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from inspect import cleandoc
from itertools import chain
from textwrap import dedent
from typing import Any

COMMON = "Common options"
_TITLES = {"argument": "Arguments", "option": "Options"}

Terms = list[tuple[str, str]]


def usage_pieces(params: Iterable[Any]) -> list[str]:
    """What follows the command in its usage line: `[OPTIONS] FILE [NAME] PATH...`."""
    arguments = [param for param in params if param.param_type_name == "argument"]
    return ["[OPTIONS]", *map(_in_usage, arguments)]


def parameter_sections(
    params: Iterable[Any], common: Collection[str], ctx: Any
) -> dict[str, Terms]:
    """Term and help of each parameter below the title of its section; `common` ones come last."""
    sections: dict[str, Terms] = {"Arguments": [], "Options": [], COMMON: []}
    for param in params:
        if not param.hidden:
            title = COMMON if param.name in common else _TITLES[param.param_type_name]
            sections[title].append((_term(param), f"{param.help}{_default(param, ctx)}"))
    if not sections["Options"]:
        sections = {"Arguments": sections["Arguments"], "Options": sections[COMMON]}
    return {title: rows for title, rows in sections.items() if rows}


def _in_usage(argument: Any) -> str:
    name = _placeholder(argument) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _placeholder(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _term(param: Any) -> str:
    if param.param_type_name == "argument":
        return _placeholder(param)
    flags = " / ".join([", ".join(sorted(param.opts, key=len)), *param.secondary_opts])
    return flags if param.is_flag else f"{flags} {_placeholder(param)}"


def _default(param: Any, ctx: Any) -> str:
    value = param.get_default(ctx)
    if param.param_type_name == "argument" or isinstance(value, bool) or not value:
        return ""
    return f"  [default: {value:g}]" if isinstance(value, float) else f"  [default: {value}]"


# Help texts: a docstring's summary, paragraphs and examples


_EXAMPLES = "Examples:"


@dataclass(frozen=True, slots=True)
class HelpText:
    """What --help shows above the options; examples are command lines."""

    summary: str
    examples: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()


def parse_docstring(docstring: str) -> HelpText:
    """Split a docstring; the paragraph that starts with `Examples:` holds a command a line.

    A line that ends with a backslash continues in the next one, as in a shell.
    """
    blocks = cleandoc(docstring).split("\n\n")
    examples = [block for block in blocks if block.startswith(_EXAMPLES)]
    summary, *paragraphs = [block for block in blocks if not block.startswith(_EXAMPLES)]
    lines = [dedent(block.partition("\n")[2]).splitlines() for block in examples]
    return HelpText(summary, tuple(chain(*lines)), tuple(paragraphs))
