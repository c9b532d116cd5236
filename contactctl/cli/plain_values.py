"""Option values without pydantic: Typer 0.29 loads it (+85 ms) even to turn a str into a str."""

from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import typer


class PlainConversion:
    """Stands in for Typer's converter of a parameter: str, int, Path, StrEnum, or a list."""

    def __init__(self, annotation: Any) -> None:
        self.is_list = get_origin(annotation) is list
        self.target: type = get_args(annotation)[0] if self.is_list else annotation

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as the parameter's type; BadParameter when it does not fit."""
        if value is None:
            return () if self.is_list else None
        try:
            return [self._one(item) for item in value] if self.is_list else self._one(value)
        except ValueError:
            raise typer.BadParameter(self._complaint(value), ctx=ctx, param=param) from None

    def _one(self, value: Any) -> Any:
        return value if isinstance(value, self.target) else self.target(value)

    def _complaint(self, value: Any) -> str:
        if issubclass(self.target, StrEnum):
            return f"{value!r} is not one of {', '.join(self.target)}."
        return f"{value!r} is not a whole number."


def convert_without_pydantic(param: Any) -> None:
    """Give the parameter a PlainConversion where its type is one of ours.

    `_runtime_param` is Typer's own cache. Where a Typer has no such thing this changes nothing,
    and the import hygiene test tells when it no longer helps.
    """
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    conversion = PlainConversion(annotation)
    if isinstance(conversion.target, type) and issubclass(
        conversion.target, str | int | Path | StrEnum
    ):
        param._runtime_param = conversion
