"""Parameters: their values without pydantic, and the parts of a --help page that come from them.

Typer 0.29 loads pydantic (+85 ms) even to turn a str into a str.
"""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from inspect import cleandoc
from itertools import chain
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args, get_origin

import typer

from contactctl.domain.lazy import dataclass

_NO_UTF_8 = re.compile("[\ud800-\udfff]")
_PLAIN_TYPES = (str, int, float, Path)  # bool is an int, a StrEnum a str


class PlainConversion:
    """Replaces Typer's converter of a parameter: a plain type or a list of one."""

    def __init__(self, annotation: Any) -> None:
        self.is_list = get_origin(annotation) is list
        self.target: type = get_args(annotation)[0] if self.is_list else annotation

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as the parameter's type; BadParameter when it does not fit."""
        if value is None:
            return () if self.is_list else None
        try:
            values = [self._one(item, param) for item in (value if self.is_list else [value])]
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None
        return values if self.is_list else values[0]

    def _one(self, value: Any, param: Any) -> Any:
        try:
            converted = value if isinstance(value, self.target) else self.target(value)
        except ValueError:
            raise ValueError(f"{value!r} is not {self._expected()}.") from None
        if isinstance(converted, str | Path):
            _refuse_unusable(converted)
        _refuse_out_of_range(converted, getattr(param, "min", None), getattr(param, "max", None))
        return converted

    def _expected(self) -> str:
        if issubclass(self.target, StrEnum):
            return f"one of {', '.join(self.target)}"
        return "a whole number" if self.target is int else "a number"


def _refuse_unusable(text: str | Path) -> None:
    """Bytes that are not UTF-8 arrive as halves of surrogate pairs; file names may have them."""
    if "\0" in str(text):
        raise ValueError(f"{str(text)!r} contains a NUL.")
    if isinstance(text, str) and not text.isascii() and _NO_UTF_8.search(text):
        raise ValueError(f"{text!r} is not UTF-8.")


def _refuse_out_of_range(number: Any, least: float | None, most: float | None) -> None:
    if least is not None and not number >= least:
        raise ValueError(f"{number} is less than {least}.")
    if most is not None and not number <= most:
        raise ValueError(f"{number} is more than {most}.")


def convert_without_pydantic(param: Any) -> None:
    """Give the parameter a PlainConversion if its type is a plain one.

    Typer asks `get_runtime_param()` of a parameter for its converter. It documents no way to
    replace that, so pyproject allows only releases that `make releases` has tested.
    """
    conversion = PlainConversion(param.type_descriptor.annotation)
    if isinstance(conversion.target, type) and issubclass(conversion.target, _PLAIN_TYPES):
        param.get_runtime_param = lambda: conversion


# The parts of a --help page that come from parameters, in the usual forms.
#
# Typer's own say `{FILE}`, `<list[Path]>` and `[1<=x<=2147483647; required]`


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


# Help texts: a summary, and a docstring's examples and paragraphs


_EXAMPLES = "Examples:"


@dataclass(frozen=True)
class HelpText:
    """What --help shows above the options; examples are command lines."""

    summary: str
    examples: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()


def parse_docstring(summary: str, docstring: str) -> HelpText:
    """Split a docstring; the paragraph that starts with `Examples:` holds a command a line.

    A line that ends with a backslash continues in the next one, as in a shell.
    """
    blocks = cleandoc(docstring).split("\n\n")
    examples = [block for block in blocks if block.startswith(_EXAMPLES)]
    paragraphs = [block for block in blocks if not block.startswith(_EXAMPLES)]
    lines = [dedent(block.partition("\n")[2]).splitlines() for block in examples]
    return HelpText(summary, tuple(chain(*lines)), tuple(paragraphs))
