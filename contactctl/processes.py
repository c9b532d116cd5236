"""Signals that end this process as Ctrl-C does, its garbage, and processes of our own."""

import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_OBJECTS_A_COLLECTION = 200_000


def interrupted_by_signals() -> None:
    """Have SIGTERM and a closed terminal (SIGHUP) end the program as Ctrl-C does."""
    for number in ENDING:
        if number != signal.SIGINT:
            signal.signal(number, _interrupt)


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """A KeyboardInterrupt: the one error that no library takes for a failure of its own."""
    signal.signal(signal_number, signal.SIG_IGN)  # a closing terminal sends it again and again
    raise KeyboardInterrupt(f"ended by {signal.Signals(signal_number).name}")


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """A batch is many objects and no cycles: looking for some costs a sixth of the time."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_A_COLLECTION, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


# Processes of our own, started by name: nothing of the store is open in them


def own_process(statement: str) -> list[str]:
    """The command of a process that executes this Python statement; arguments may follow.

    It looks for modules where this process has found them. Left to itself, Python would look in
    the current folder first, which may be anybody's.
    """
    return [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; {statement}"]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Finish the body whatever comes: a closing terminal sends SIGHUP more than once."""
    from threading import current_thread, main_thread  # noqa: PLC0415 - not at every start

    if current_thread() is not main_thread():  # only that one gets signals, and may set them
        yield
        return
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
