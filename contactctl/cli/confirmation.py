"""Plan, show, confirm, carry out: one way for every command that changes contacts."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contactctl import operations, output
from contactctl.cli.context import ChangingInvocation, StoreInvocation
from contactctl.cli.options import Manner
from contactctl.domain.errors import ContactctlError, RefusedError
from contactctl.domain.text import show_safely
from contactctl.output.console import BOLD, Console, paint
from contactctl.output.view import Presentation
from contactctl.processes import uninterrupted

if TYPE_CHECKING:
    from contactctl.domain.runs import Confirmation, Run, Stakes
    from contactctl.operations.plans import Affected
    from contactctl.operations.session import Session


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
        from contactctl.domain.criteria.values import shown

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


def confirm_email(console: Console, email: str, said: str | None) -> None:
    """Ask for this email, or take it from --confirm; RefusedError for any other.

    It may be written in another way: its normalised form must agree.
    """
    if said is None:
        question = f"Type the contact's email, {show_safely(email)}, to continue:"
        accepted = (_key_of(email),)
        ask_typed(console, question, accepted, option="--confirm EMAIL", normalise=_key_of)
    elif _key_of(said) != _key_of(email):
        raise RefusedError(
            "--confirm gives a different email; nothing was changed",
            hint=f"give {show_safely(email)}, which is what a person would type",
            code="wrong-email",
        )


def confirmed_or_refused(
    invocation: StoreInvocation, shown: Presentation, email: str, said: str | None
) -> Presentation | None:
    """Show what is to be done to one contact and ask for an email, or take it from --confirm.

    None when it was confirmed; what was shown, with the refusal, when it was not.
    """
    if said is None:
        invocation.show_before_prompt(shown)
    try:
        confirm_email(invocation.console, email, said)
    except RefusedError as refused:
        return shown.failed(refused)
    return None


def _key_of(text: str) -> str:
    from contactctl.domain.emails import email_key

    try:
        # a suppression may be of a whole domain
        return email_key(f"x{text.strip()}")[1:] if text.strip()[:1] == "@" else email_key(text)
    except ValueError:
        return text.strip()  # an anonymised contact has a name that is not an address


# One way for every command that changes contacts: plan, show, confirm, carry out


# with a script's confirmation the run is running at once, without it is planned; None: no match
MakePlan = Callable[["Confirmation | None"], "Run | None"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of contacts: `preview` shows it before, and when no contact matches, unless
    `otherwise` does then."""

    make_plan: MakePlan
    preview: Callable[[], Presentation]
    otherwise: Callable[[], Presentation] | None = None

    def nothing(self) -> Presentation:
        """That no contact matches."""
        return (self.otherwise or self.preview)()


def change_any(
    invocation: ChangingInvocation,
    plan: "Callable[..., Run | None]",
    look: "Callable[..., Affected]",
    *what: object,
) -> Presentation:
    """Change the contacts of any status that criteria select: `plan` and `look` are given the
    session, `what` is to be done, and the selection."""
    manner, source = invocation.manner(), invocation.criteria_source()
    with invocation.open_session() as session:
        selection, reason = operations.plans.select_any(session, source), invocation.reason

        def preview() -> Presentation:
            return output.criteria.present_affected(look(session, *what, selection))

        change = Change(
            lambda said: plan(session, *what, selection, reason=reason, said=said), preview
        )
        return change_selection(invocation, session, manner, change)


def change_selection(
    invocation: StoreInvocation, session: "Session", manner: Manner, change: Change
) -> Presentation:
    """Preview the change, keep its plan, or apply it, as the manner says."""
    if manner.dry_run:
        return change.preview()
    if manner.keeps_plan:
        return keep_plan(session, change.make_plan) or change.nothing()
    return make_change(invocation, session, manner, change)


def make_change(
    invocation: StoreInvocation, session: "Session", manner: Manner, change: Change
) -> Presentation:
    """Plan, ask for confirmation, apply; a refused script gets the preview with the refusal."""
    try:
        if manner.said is None:
            require_may_ask(invocation, session)
        made = plan_and_carry_out(invocation, session, manner, change.make_plan)
    except RefusedError as refused:
        if invocation.console.can_prompt:
            raise  # everything was shown before the question
        preview = change.preview()
        if manner.said is None and not preview.data["count"]:
            return change.nothing()
        return preview.failed(refused)
    return change.nothing() if made is None else made


def require_may_ask(invocation: StoreInvocation, session: "Session") -> None:
    """RefusedError where the config asks for a second operator, or nobody can be asked."""
    operations.runs.require_same_operator_policy(session)
    require_someone_to_ask(invocation.console)


def plan_and_carry_out(
    invocation: StoreInvocation, session: "Session", manner: Manner, make_plan: MakePlan
) -> Presentation | None:
    """Plan, ask for confirmation, apply; None when nothing matches.

    Raises RefusedError when it is not confirmed: the plan is deleted, nothing was changed.
    """
    if manner.said is not None:
        return _carry_out_confirmed(invocation, session, manner, make_plan)
    run = make_plan(None)
    if run is None:
        return None
    with dropped_unless_started(session, run.id):
        ask_for_plan(invocation, session, run.id)
        return carry_out(invocation, session, run.id, manner)


def ask_and_apply(invocation: StoreInvocation, session: "Session", run_id: int) -> "Run":
    """Show a plan, ask for its count and apply it; RefusedError, and no plan, if refused."""
    with dropped_unless_started(session, run_id):
        ask_for_plan(invocation, session, run_id)
        return operations.runs.apply_run(session, run_id)


def keep_plan(session: "Session", make_plan: MakePlan) -> Presentation | None:
    """Plan, and keep the plan for `runs apply`; None when nothing matches."""
    run = make_plan(None)
    if run is None:
        return None
    try:
        return output.runs.present_kept_plan(operations.plans.show_plan(session, run.id))
    except ContactctlError as error:
        how = (
            f"`contactctl runs show {run.id}` shows it, `contactctl runs cancel {run.id}` drops it"
        )
        raise type(error)(
            f"the plan is kept as run {run.id}, but cannot be shown: {error.message}",
            hint="; ".join(filter(None, (error.hint, how))),
            code=error.code,
        ) from error


def carry_out(
    invocation: StoreInvocation, session: "Session", run_id: int, manner: Manner
) -> Presentation:
    """Apply the confirmed plan and show what it did; in the background, start it and say so."""
    if not manner.background:
        return output.runs.present_run(
            operations.runs.apply_run(session, run_id, wait_seconds=manner.wait)
        )
    run = operations.runs.begin_run(session, run_id)
    finish_in_background(invocation, run)
    return output.runs.present_run(run)


def _carry_out_confirmed(
    invocation: StoreInvocation, session: "Session", manner: Manner, make_plan: MakePlan
) -> Presentation | None:
    run = operations.runs.run_confirmed(
        session,
        lambda: make_plan(manner.said),
        work=manner.work,
        leave_to_background=manner.background,
        wait_seconds=manner.wait,
    )
    if run is None:
        return None
    if manner.background:
        finish_in_background(invocation, run)
    return output.runs.present_run(run)


def require_someone_to_ask(console: Console) -> None:
    """RefusedError when there is neither a terminal nor a count on a flag."""
    if not console.can_prompt:
        raise nobody_to_ask("look at the preview, then give its count: --confirm COUNT")


def ask_for_plan(invocation: StoreInvocation, session: "Session", run_id: int) -> None:
    """Show a plan, and ask for its count; RefusedError for any other answer."""
    shown = operations.plans.show_plan(session, run_id)
    invocation.show_before_prompt(output.runs.present_plan(shown, facts_last=True))
    ask_for_count(invocation.console, shown.stakes)


def ask_for_count(console: Console, stakes: "Stakes") -> None:
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


@contextmanager
def dropped_unless_started(session: "Session", run_id: int) -> Iterator[None]:
    """Delete the plan when the body ends in an error before the run has started."""
    try:
        yield
    except BaseException:
        with uninterrupted():
            operations.plans.drop_if_planned(session, run_id, "not confirmed")
        raise


# Continue a run in its own process, which outlives this terminal


def finish_in_background(invocation: StoreInvocation, run: "Run") -> None:
    """Start `runs resume N --yes`, detached. The URL, with its password, goes by environment."""
    import subprocess

    from contactctl.processes import own_process

    program = own_process("from contactctl.__main__ import main; main()")
    command = [*program, "runs", "resume", str(run.id), "--yes"]
    if invocation.config is not None:
        command += ["--config", str(invocation.config)]  # unchanged: the folder is the same
    environment = {
        **os.environ,
        **invocation.console.environ,
        "CONTACTCTL_DATABASE_URL": invocation.settings.database,
    }
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=invocation.console.cwd,
        start_new_session=True,
    )
