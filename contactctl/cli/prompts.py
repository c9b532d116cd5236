"""Questions that a person answers by typing; a bare "y" is never asked for."""

from collections.abc import Callable, Sequence

from contactctl.domain.errors import RefusedError
from contactctl.domain.text import show_safely
from contactctl.domain.values import shown
from contactctl.output.console import Console
from contactctl.output.paint import BOLD, paint


def count_spellings(count: int) -> tuple[str, ...]:
    """How a count may be typed: 1284 or 1,284."""
    return tuple(dict.fromkeys((str(count), f"{count:,}")))


def ask_typed(
    console: Console,
    question: str,
    accepted: Sequence[str],
    *,
    option: str,
    normalise: Callable[[str], str] = str.strip,
) -> None:
    """Return when one of the `accepted` texts is typed; `normalise` is applied to the answer.
    The first of them is named when something else is typed.

    Raises RefusedError for anything else, for the end of input, and, naming `option` as the way
    for scripts, when there is no terminal to ask on.
    """
    if not console.can_prompt:
        raise nobody_to_ask(f"give {option}")
    typed = _answer(console, question)
    if normalise(typed) not in accepted:
        other = shown(typed.strip())
        why = f"you typed '{other}', not '{shown(accepted[0])}'; " if other else ""
        raise RefusedError(f"not confirmed: {why}nothing was changed", code="not-confirmed")


def nobody_to_ask(hint: str) -> RefusedError:
    """There is no terminal; the hint says how scripts confirm."""
    return RefusedError(
        "this needs a confirmation, and there is no terminal to ask on; nothing was changed",
        hint=hint,
        code="not-confirmed",
    )


def _answer(console: Console, question: str) -> str:
    print(paint(question, BOLD, console.colours_stderr), end=" ", file=console.stderr, flush=True)
    try:
        line = console.stdin.readline()
    except OSError:
        line = ""  # the terminal is gone; its SIGHUP, which comes as well, is raised below
    if not line.endswith("\n"):
        console.say("")  # the end of input leaves the cursor after the question
    return line


def confirm_email(console: Console, email: str, key: str, said: str | None) -> None:
    """Ask for the contact's email, or take it from --confirm; RefusedError for any other.

    `key` is the email's normalised form: that is what must agree.
    """
    if said is None:
        question = f"Type the contact's email, {show_safely(email)}, to continue:"
        ask_typed(console, question, (key,), option="--confirm EMAIL", normalise=_typed_key)
    elif _typed_key(said) != key:
        raise RefusedError(
            "--confirm gives a different email; nothing was changed",
            hint="give the email of the contact shown",
            code="wrong-email",
        )


def _typed_key(text: str) -> str:
    from contactctl.domain.emails import email_key

    try:
        # a suppression may be of a whole domain
        return email_key(f"x{text.strip()}")[1:] if text.strip()[:1] == "@" else email_key(text)
    except ValueError:
        return text.strip()  # an anonymised contact has a name that is not an address
