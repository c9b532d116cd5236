"""A progress bar on stderr, for people, and only when the work takes longer than a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from contactctl.output.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


DELAY_S = 1.0

Advance = Callable[[int], None]


def progress_on(
    console: Console, monotonic: Callable[[], float] = time.monotonic
) -> Callable[[str, int | None], AbstractContextManager[Advance]]:
    """A function (title, total) -> context manager, giving a function to report further steps.

    Without a terminal on stderr, or with --quiet, nothing is shown. `total` None: unknown.
    """

    @contextmanager
    def progress(title: str, total: int | None) -> Iterator[Advance]:
        if not console.stderr_is_tty or console.quiet:
            yield lambda _steps: None
            return
        bar = _LateBar(console, title, total, monotonic)
        try:
            yield bar.advance
        finally:
            bar.stop()

    return progress


class _LateBar:
    """A bar that appears with the first report after DELAY_S."""

    def __init__(
        self, console: Console, title: str, total: int | None, monotonic: Callable[[], float]
    ) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._monotonic = monotonic
        self._started_at = monotonic()
        self._done = 0
        self._bar: RichProgress | None = None

    def advance(self, steps: int) -> None:
        """Count further steps, and redraw the bar when it is time."""
        self._done += steps
        if self._bar is None and self._monotonic() - self._started_at >= DELAY_S:
            self._bar = _rich_progress(self._console)
            self._bar.add_task(self._title, total=self._total)
            self._bar.start()
        if self._bar is not None:
            with suppress(OSError):  # nobody watches any more: the work continues
                self._bar.update(self._bar.task_ids[0], completed=self._done)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _rich_progress(console: Console) -> "RichProgress":
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=RichConsole(
            file=console.stderr, force_terminal=True, no_color=not console.colours_stderr
        ),
        transient=True,
    )
