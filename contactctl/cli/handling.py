"""The commands below `rules` and `sweep`: to look first, and for cron."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl.cli import options
from contactctl.cli.confirmation import nobody_to_ask
from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.cli.options import argument, flag, option
from contactctl.domain.errors import ContactctlError, RefusedError, UsageError
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contactctl.domain.runs import Run
    from contactctl.operations.session import Session
    from contactctl.operations.sweep import SweepPart, SweepResult


Sending = Annotated[
    str | None,
    option("--sending", "HOW-OFTEN", "How often a contact gets mail: daily, weekly or monthly."),
]


def show(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl rules show
        contactctl rules show --json

    Without a rule, contacts of a category stay deactivated until somebody
    reactivates them.
    """
    from contactctl.operations.response_policy import read_rules
    from contactctl.output.handling import RULE_FIELDS, present_rules

    invocation.check_fields(*RULE_FIELDS)
    with invocation.open_session() as session:
        return present_rules(read_rules(session))


def check(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl rules check
        contactctl rules check --json

    Exits with 1 if a rule is not as recommended; nothing is changed. It warns of
    thresholds that mail sent as rarely as it seems to be cannot reach.
    """
    from contactctl.operations.response_policy import read_rules, thresholds_out_of_reach
    from contactctl.output.handling import RULE_FIELDS, present_check

    invocation.check_fields(*RULE_FIELDS)
    with invocation.open_session() as session:
        return present_check(read_rules(session), thresholds_out_of_reach(session))


def recommend(
    invocation: Invocation,  # noqa: ARG001
    sending: Sending = None,
) -> Presentation:
    """Examples:
        contactctl rules recommend
        contactctl rules recommend --sending weekly >> contactctl.yaml

    With --sending it prints thresholds too, for contacts that get mail so often.
    """
    from contactctl.cli.options import chosen
    from contactctl.operations.response_policy import Sending as HowOften
    from contactctl.operations.response_policy import recommended_config, recommended_thresholds
    from contactctl.output.handling import present_recommendation

    thresholds = ""
    if sending is not None:
        thresholds = recommended_thresholds(chosen(HowOften, sending, "--sending"))
    return present_recommendation(thresholds + recommended_config())


# The command `rules what-if`


File = Annotated[Path, argument("FILE", "A config file with other rules.")]


def what_if(invocation: StoreInvocation, file: File) -> Presentation:
    """Examples:
        contactctl rules what-if stricter.yaml
        contactctl rules what-if stricter.yaml --json

    Contacts are counted by action, group and category, next to those due under
    the rules in force. Nothing is changed.
    """
    from contactctl.operations.thresholds import what_if as count_what_if
    from contactctl.output.handling import WHAT_IF_FIELDS, present_what_if

    invocation.check_fields(*WHAT_IF_FIELDS)
    with invocation.open_session() as session:
        return present_what_if(count_what_if(session, file))


# The commands below `sweep`: for cron, and for a person to look first


Log = Annotated[bool, flag("--log", "Print one line with the time, for a log file; needs --yes.")]


LogFormat = Annotated[
    str, option("--log-format", "FORMAT", "With --log: the line as text or json.")
]
_LOG_FORMATS = ("text", "json")


class SweepInvocation(StoreInvocation):
    """A sweep: without questions for cron, or shown and confirmed on a terminal."""

    yes: options.Yes = False
    dry_run: options.DryRun = False
    log: Log = False
    log_format: LogFormat = "text"


def thresholds(invocation: SweepInvocation) -> Presentation:
    """Examples:
    contactctl sweep thresholds
    contactctl sweep thresholds --dry-run
    contactctl sweep thresholds --yes --log
    """
    return _sweep(invocation, "thresholds")


def handling(invocation: SweepInvocation) -> Presentation:
    """Examples:
        contactctl sweep handling
        contactctl sweep handling --dry-run
        contactctl sweep handling --yes --json

    `contactctl rules show` lists the rules. A rule ends only deactivations of its
    own category that a threshold has opened; a complaint blocks reactivation.
    """
    return _sweep(invocation, "handling")


def runs(invocation: SweepInvocation) -> Presentation:
    """Examples:
    contactctl sweep runs
    contactctl sweep runs --yes
    """
    return _sweep(invocation, "runs")


def all_(invocation: SweepInvocation) -> Presentation:
    """Examples:
        contactctl sweep all
        contactctl sweep all --yes --log
        contactctl sweep all --yes --log-format json

    On a terminal each part is shown, and confirmed by typing its count. For cron,
    --yes does what is within the limits; the rest waits as a plan (exit code 4).
    Cron may start it every minute and on several hosts: each change is made once,
    and while another process is at work it exits with 6.
    """
    return _sweep(invocation, "all")


def _sweep(invocation: SweepInvocation, name: str) -> Presentation:
    from contactctl.operations.sweep import (
        IN_ORDER,
        SweepPart,
        came_to_its_end,
        look,
        note_sweep,
        sweep,
    )
    from contactctl.output.handling import present_due, present_sweep, present_sweep_log

    yes, dry_run, log_format = invocation.yes, invocation.dry_run, invocation.log_format
    if yes and dry_run:
        raise UsageError("--yes and --dry-run cannot be combined")
    if log_format not in _LOG_FORMATS:
        raise UsageError(f"--log-format '{log_format}' is unknown", hint="text or json")
    log = invocation.log or log_format == "json"
    if log and not yes:
        raise UsageError("--log needs --yes")
    parts = IN_ORDER if name == "all" else (SweepPart(name),)
    with invocation.open_session() as session:
        if dry_run:
            return present_due(look(session, parts))
        if not yes and not invocation.console.can_prompt:
            refusal = nobody_to_ask("give --yes to do what is within the limits")
            return present_due(look(session, parts)).failed(refusal)
        if yes:
            result = sweep(session, parts)
        else:
            result = _sweep_asking(invocation, session, parts)
            note_sweep(session, parts, result)
        if log:
            as_json = log_format == "json"
            shown = present_sweep_log(result, name, session.now, as_json=as_json)
        else:
            shown = present_sweep(result)
        return _with_heartbeat(shown, session) if came_to_its_end(result) else shown


def _with_heartbeat(shown: Presentation, session: "Session") -> Presentation:
    """The watchdog is told; where that fails it is a warning, for the sweep is done."""
    url = session.settings.heartbeat.url
    if not url:
        return shown
    from contactctl.operations.sweep import ping

    failure = ping(url)
    if not failure:
        return shown
    warning = f"the heartbeat was not received: {failure}"
    return replace(shown, warnings=[*shown.warnings, warning])


def _sweep_asking(
    invocation: StoreInvocation, session: "Session", parts: "Sequence[SweepPart]"
) -> "SweepResult":
    """Each part is shown and confirmed separately; the first refusal ends the sweep."""
    from contactctl.operations.sweep import SweepPart, SweepResult

    asking = {
        SweepPart.RUNS: _finish_runs,
        SweepPart.THRESHOLDS: _apply_thresholds,
        SweepPart.HANDLING: _apply_handling,
    }
    done = SweepResult()
    for part in parts:
        try:
            done += asking[part](invocation, session)
        except ContactctlError as error:
            return done + SweepResult(problems=(error,))
        if done.declined or done.is_busy:
            return done
    return done


def _finish_runs(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    from contactctl.cli.confirmation import ask_for_remaining
    from contactctl.operations.runs import begun_by_right, interrupted_runs
    from contactctl.operations.sweep import SweepResult, sweep_runs
    from contactctl.output.runs import present_runs

    interrupted = [run for run in interrupted_runs(session) if begun_by_right(session, run)]
    if interrupted:
        remaining = sum(run.remaining for run in interrupted)
        invocation.show_before_prompt(present_runs(interrupted))
        try:
            ask_for_remaining(invocation.console, remaining)
        except RefusedError as refusal:
            return SweepResult(problems=(refusal,), declined=(remaining,))
    return sweep_runs(session)


def _apply_thresholds(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    from contactctl.operations.thresholds import plan_thresholds

    return _apply_asking(invocation, session, plan_thresholds(session, ask_first=True))


def _apply_handling(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    from contactctl.operations.handling import plan_what_is_due

    return _apply_asking(invocation, session, plan_what_is_due(session))


def _apply_asking(
    invocation: StoreInvocation, session: "Session", run: "Run | None"
) -> "SweepResult":
    from contactctl.cli.confirmation import ask_for_plan, dropped_unless_started
    from contactctl.operations.runs import apply_run
    from contactctl.operations.sweep import SweepResult

    if run is None:
        return SweepResult()
    try:
        with dropped_unless_started(session, run.id):
            ask_for_plan(invocation, session, run.id)
            return SweepResult(runs=(apply_run(session, run.id),))
    except RefusedError as refusal:
        return SweepResult(problems=(refusal,), declined=(run.planned,))
