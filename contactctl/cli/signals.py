"""Signals that end the program, and signals while it cleans up behind itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import NoReturn

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def interrupted_by_signals() -> None:
    """Have SIGTERM and a closed terminal (SIGHUP) end the program as Ctrl-C does."""
    for number in _ENDING:
        if number != signal.SIGINT:
            signal.signal(number, _interrupt)


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """A KeyboardInterrupt: the one error that no library takes for a failure of its own."""
    signal.signal(signal_number, signal.SIG_IGN)  # a closing terminal sends it again and again
    raise KeyboardInterrupt(f"ended by {signal.Signals(signal_number).name}")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Finish the body whatever comes: a closing terminal sends SIGHUP more than once."""
    if current_thread() is not main_thread():  # only that one gets signals, and may set them
        yield
        return
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
