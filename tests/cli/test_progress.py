from contactctl.cli.progress import DELAY_S, progress_on
from helpers.consoles import memory_console


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_work_of_less_than_a_second_shows_nothing() -> None:
    console = memory_console(tty=True)

    with progress_on(console, Clock())("Deactivating", 10) as advance:
        advance(10)

    assert console.stderr.getvalue() == ""


def test_longer_work_shows_a_bar_on_stderr() -> None:
    console = memory_console(tty=True)
    clock = Clock()

    with progress_on(console, clock)("Deactivating [x]", 10) as advance:
        advance(3)
        clock.seconds = DELAY_S
        advance(4)

    assert "Deactivating [x]" in console.stderr.getvalue()
    assert "7/10" in console.stderr.getvalue()
    assert console.stdout.getvalue() == ""


def test_nothing_is_shown_without_a_terminal_or_when_quiet() -> None:
    clock = Clock()
    for console in (memory_console(), memory_console(tty=True, quiet=True)):
        with progress_on(console, clock)("Deactivating", None) as advance:
            clock.seconds += DELAY_S
            advance(1)
        assert console.stderr.getvalue() == ""
