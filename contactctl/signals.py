"""Signals that end the program: they interrupt it as Ctrl-C does, from its first moment on."""

import signal
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
