"""Questions that a person answers by typing; a bare "y" is never asked for."""

from collections.abc import Callable, Collection

from contactctl.domain.errors import RefusedError
from contactctl.output.console import Console
from contactctl.output.paint import BOLD, paint


def count_spellings(count: int) -> tuple[str, ...]:
    """How a count may be typed: 1284 or 1,284."""
    return tuple(dict.fromkeys((str(count), f"{count:,}")))


def ask_typed(
    console: Console,
    question: str,
    accepted: Collection[str],
    *,
    option: str,
    normalise: Callable[[str], str] = str.strip,
) -> None:
    """Return when one of the `accepted` texts is typed; `normalise` is applied to the answer.

    Raises RefusedError for anything else, for the end of input, and, naming `option` as the way
    for scripts, when there is no terminal to ask at.
    """
    if not console.can_prompt:
        raise RefusedError(
            "this needs a confirmation, and there is no terminal to ask at",
            hint=f"give {option}",
            code="not-confirmed",
        )
    if normalise(_answer(console, question)) not in accepted:
        raise RefusedError("not confirmed: nothing was changed", code="not-confirmed")


def _answer(console: Console, question: str) -> str:
    print(paint(question, BOLD, console.colours_stderr), end=" ", file=console.stderr, flush=True)
    try:
        line = console.stdin.readline()
    except OSError:
        line = ""  # the terminal is gone; its SIGHUP, which comes as well, is raised below
    if not line.endswith("\n"):
        console.say("")  # the end of input leaves the cursor behind the question
    return line
