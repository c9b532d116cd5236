"""Holding calls up, so that a test decides what happens meanwhile."""

from collections.abc import Callable
from threading import Semaphore
from typing import Any, Self

import pytest

PATIENCE_S = 60.0


class Gate:
    """A function whose calls, made in other threads, wait until each is let through."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.reached = 0
        self._function = function
        self._open = Semaphore(0)

    @classmethod
    def before(cls, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Self:
        """Hold up every call of a module's function."""
        gate = cls(getattr(module, name))
        monkeypatch.setattr(module, name, gate)
        return gate

    def __call__(self, *args: Any, **values: Any) -> Any:
        self.reached += 1
        if not self._open.acquire(timeout=PATIENCE_S):
            raise AssertionError("was never let through")
        return self._function(*args, **values)

    def let_through(self, calls: int = 1) -> None:
        self._open.release(calls)
