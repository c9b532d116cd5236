"""Option values without pydantic: Typer 0.29 loads it (+85 ms) even to turn a str into a str."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import typer

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
