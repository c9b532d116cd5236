"""Dataclasses whose methods are written when the first object is made; modules imported when named.

The standard library writes and compiles six methods as soon as a frozen dataclass is declared,
which takes 1 ms; a command declares 130 of them, and makes objects of 40. A class of which there
are many objects is the standard library's, with slots.
"""

import dataclasses
from collections.abc import Callable
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for checkers it is that
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """`dataclasses.dataclass`, without slots, which would need another class."""

        def declared(described: type) -> type:
            def new(of: type, *_args: object, **_kwargs: object) -> object:
                _ = described.__dataclass_fields__  # makes it, the first time
                return object.__new__(of)

            described.__new__ = new
            described.__dataclass_fields__ = _Unmade(described, options)
            return described

        return declared


_making = RLock()


class _Unmade:
    """Stands for a class's fields: whoever asks for them, as a subclass does, has it made."""

    def __init__(self, described: type, options: dict[str, bool]) -> None:
        self.described = described
        self.options = options

    def __get__(self, _instance: object, _owner: type) -> dict[str, dataclasses.Field[Any]]:
        described: Any = self.described
        with _making:
            if described.__dict__["__dataclass_fields__"] is self:  # no other thread was faster
                del described.__dataclass_fields__
                dataclasses.dataclass(**self.options)(described)
        fields: dict[str, dataclasses.Field[Any]] = described.__dataclass_fields__
        return fields


def modules_of(package: str) -> Callable[[str], ModuleType]:
    """A package's `__getattr__` (PEP 562): its modules as attributes, each imported when named."""

    def named(name: str) -> ModuleType:
        module = f"{package}.{name}"
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:  # one that it needs is missing
                raise
            raise AttributeError(f"module '{package}' has no attribute '{name}'") from None

    return named
