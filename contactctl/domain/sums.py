"""Results that add up: what several batches did together."""

from dataclasses import fields
from typing import Self


class Summed:
    """A dataclass whose objects are added field by field."""

    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        names = (each.name for each in fields(self))  # type: ignore[arg-type]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))
