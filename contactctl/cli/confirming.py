"""Confirming a plan: by typing at a terminal, or by the count on a flag."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contactctl.cli.context import StoreInvocation
from contactctl.cli.prompts import ask_typed, count_spellings
from contactctl.cli.signals import uninterrupted
from contactctl.domain.confirmation import Confirmation, Stakes, parse_count
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.text import show_safely
from contactctl.output.console import Console

if TYPE_CHECKING:
    from contactctl.operations.session import Session


def read_confirmation(confirm: str | None, limit_override: str | None) -> Confirmation | None:
    """What the flags confirm; None without --confirm. UsageError for a text that is not a count."""
    if confirm is None:
        if limit_override is not None:
            raise UsageError("--limit-override needs --confirm with the same count")
        return None
    override = None if limit_override is None else _count("--limit-override", limit_override)
    return Confirmation(_count("--confirm", confirm), override)


def require_someone_to_ask(console: Console) -> None:
    """RefusedError when there is neither a terminal nor a count on a flag."""
    if not console.can_prompt:
        raise RefusedError(
            "this needs a confirmation, and there is no terminal to ask on; nothing was changed",
            hint="look at the preview, then give its count: --confirm COUNT",
            code="not-confirmed",
        )


def ask_for_plan(invocation: StoreInvocation, session: "Session", run_id: int) -> None:
    """Show a plan, and ask for its count; RefusedError for any other answer."""
    from contactctl.operations.plans import show_plan
    from contactctl.output.runs import present_plan

    shown = show_plan(session, run_id)
    invocation.show_before_prompt(present_plan(shown, facts_last=True))
    _ask_for_count(invocation.console, shown.stakes)


def _ask_for_count(console: Console, stakes: Stakes) -> None:
    """Ask for the count, or for the whole phrase when the plan is over a limit."""
    accepted: tuple[str, ...]
    if stakes.limits_exceeded:
        question, accepted = f"Type '{stakes.phrase}' to continue:", (stakes.phrase,)
    else:
        question = f"Type the number of contacts to {stakes.verb} them:"
        accepted = count_spellings(stakes.count)
    ask_typed(console, question, accepted, option="--confirm COUNT")


def ask_for_remaining(console: Console, remaining: int) -> None:
    """Ask for the number of contacts that interrupted runs have not processed yet."""
    question = f"Type the number of contacts that remain, {remaining:,}:"
    ask_typed(console, question, count_spellings(remaining), option="--yes")


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


@contextmanager
def dropped_unless_started(session: "Session", run_id: int) -> Iterator[None]:
    """Delete the plan when the body ends in an error before the run has started."""
    from contactctl.operations.plans import drop_if_planned

    try:
        yield
    except BaseException:
        with uninterrupted():
            drop_if_planned(session, run_id, "not confirmed")
        raise


def _typed_key(text: str) -> str:
    from contactctl.domain.emails import email_key

    try:
        return email_key(text)
    except ValueError:
        return text.strip()  # an anonymised contact has a name that is not an address


def _count(option: str, text: str) -> int:
    count = parse_count(text)
    if count is None:
        raise UsageError(f"{option} '{text}' is not a count", hint="write 1284 or 1,284")
    return count
