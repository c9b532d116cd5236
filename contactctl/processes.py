"""Signals that end this process as Ctrl-C does, and processes of our own, started by name."""

import signal
import sys
from types import FrameType
from typing import NoReturn

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def interrupted_by_signals() -> None:
    """Have SIGTERM and a closed terminal (SIGHUP) end the program as Ctrl-C does."""
    for number in ENDING:
        if number != signal.SIGINT:
            signal.signal(number, _interrupt)


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """A KeyboardInterrupt: the one error that no library takes for a failure of its own."""
    signal.signal(signal_number, signal.SIG_IGN)  # a closing terminal sends it again and again
    raise KeyboardInterrupt(f"ended by {signal.Signals(signal_number).name}")


# Processes of our own, started by name: nothing of the store is open in them


def own_process(statement: str) -> list[str]:
    """The command of a process that executes this Python statement; arguments may follow.

    It looks for modules where this process has found them. Left to itself, Python would look in
    the current folder first, which may be anybody's.
    """
    return [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; {statement}"]
