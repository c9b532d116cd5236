"""The commands below `rules` and `sweep`: to look first, and for cron."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import nobody_to_ask
from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.cli.options import argument, flag, option
from contactctl.domain.errors import ContactctlError, RefusedError, UsageError
from contactctl.output.view import Presentation, document

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
    invocation.check_fields(*output.handling.RULE_FIELDS)
    with invocation.open_session() as session:
        return output.handling.present_rules(operations.response_policy.read_rules(session))


def check(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl rules check
        contactctl rules check --json

    Exits with 1 if a rule is not as recommended; nothing is changed. It warns of
    thresholds that mail sent as rarely as it seems to be cannot reach.
    """
    invocation.check_fields(*output.handling.RULE_FIELDS)
    with invocation.open_session() as session:
        return output.handling.present_check(
            operations.response_policy.read_rules(session),
            operations.response_policy.thresholds_out_of_reach(session),
        )


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

    thresholds = ""
    if sending is not None:
        thresholds = operations.response_policy.recommended_thresholds(
            chosen(operations.response_policy.Sending, sending, "--sending")
        )
    text = thresholds + operations.response_policy.recommended_config()
    return document(text, yaml=text)


# The command `rules what-if`


File = Annotated[Path, argument("FILE", "A config file with other rules.")]


def what_if(invocation: StoreInvocation, file: File) -> Presentation:
    """Examples:
        contactctl rules what-if stricter.yaml
        contactctl rules what-if stricter.yaml --json

    Contacts are counted by action, group and category, next to those due under
    the rules in force. Nothing is changed.
    """
    invocation.check_fields(*output.handling.WHAT_IF_FIELDS)
    with invocation.open_session() as session:
        return output.handling.present_what_if(operations.thresholds.what_if(session, file))


# The commands below `sweep`: for cron, and for a person to look first


_LOG_FORMATS = ("text", "json")


class SweepInvocation(StoreInvocation):
    """A sweep: without questions for cron, or shown and confirmed on a terminal."""

    yes: options.Yes = False
    dry_run: options.DryRun = False
    log: Annotated[
        bool, flag("--log", "Print one line with the time, for a log file; needs --yes.")
    ] = False
    log_format: Annotated[
        str, option("--log-format", "FORMAT", "With --log: the line as text or json.")
    ] = "text"


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
    yes, dry_run, log_format = invocation.yes, invocation.dry_run, invocation.log_format
    if yes and dry_run:
        raise UsageError("--yes and --dry-run cannot be combined")
    if log_format not in _LOG_FORMATS:
        raise UsageError(f"--log-format '{log_format}' is unknown", hint="text or json")
    log = invocation.log or log_format == "json"
    if log and not yes:
        raise UsageError("--log needs --yes")
    parts = operations.sweep.IN_ORDER if name == "all" else (operations.sweep.SweepPart(name),)
    with invocation.open_session() as session:
        if dry_run:
            return output.handling.present_due(operations.sweep.look(session, parts))
        if not yes and not invocation.console.can_prompt:
            refusal = nobody_to_ask("give --yes to do what is within the limits")
            return output.handling.present_due(operations.sweep.look(session, parts)).failed(
                refusal
            )
        if yes:
            result = operations.sweep.sweep(session, parts)
        else:
            result = _sweep_asking(invocation, session, parts)
            operations.sweep.note_sweep(session, parts, result)
        if log:
            as_json = log_format == "json"
            shown = output.handling.present_sweep_log(result, name, session.now, as_json=as_json)
        else:
            shown = output.handling.present_sweep(result)
        return (
            _with_heartbeat(shown, session) if operations.sweep.came_to_its_end(result) else shown
        )


def _with_heartbeat(shown: Presentation, session: "Session") -> Presentation:
    """The watchdog is told; where that fails it is a warning, for the sweep is done."""
    url = session.settings.heartbeat.url
    if not url:
        return shown
    failure = operations.sweep.ping(url)
    if not failure:
        return shown
    warning = f"the heartbeat was not received: {failure}"
    return replace(shown, warnings=[*shown.warnings, warning])


def _sweep_asking(
    invocation: StoreInvocation, session: "Session", parts: "Sequence[SweepPart]"
) -> "SweepResult":
    """Each part is shown and confirmed separately; the first refusal ends the sweep."""
    asking = {
        operations.sweep.SweepPart.RUNS: _finish_runs,
        operations.sweep.SweepPart.THRESHOLDS: _apply_thresholds,
        operations.sweep.SweepPart.HANDLING: _apply_handling,
    }
    done = operations.sweep.SweepResult()
    for part in parts:
        try:
            done += asking[part](invocation, session)
        except ContactctlError as error:
            return done + operations.sweep.SweepResult(problems=(error,))
        if done.declined or done.is_busy:
            return done
    return done


def _finish_runs(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    from contactctl.cli.confirmation import ask_for_remaining

    interrupted = [
        run
        for run in operations.runs.interrupted_runs(session)
        if operations.runs.begun_by_right(session, run)
    ]
    if interrupted:
        remaining = sum(run.remaining for run in interrupted)
        invocation.show_before_prompt(output.runs.present_runs(interrupted))
        try:
            ask_for_remaining(invocation.console, remaining)
        except RefusedError as refusal:
            return operations.sweep.SweepResult(problems=(refusal,), declined=(remaining,))
    return operations.sweep.sweep_runs(session)


def _apply_thresholds(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    return _apply_asking(
        invocation, session, operations.thresholds.plan_thresholds(session, ask_first=True)
    )


def _apply_handling(invocation: StoreInvocation, session: "Session") -> "SweepResult":
    return _apply_asking(invocation, session, operations.handling.plan_what_is_due(session))


def _apply_asking(
    invocation: StoreInvocation, session: "Session", run: "Run | None"
) -> "SweepResult":
    from contactctl.cli.confirmation import ask_and_apply

    if run is None:
        return operations.sweep.SweepResult()
    try:
        return operations.sweep.SweepResult(runs=(ask_and_apply(invocation, session, run.id),))
    except RefusedError as refusal:
        return operations.sweep.SweepResult(problems=(refusal,), declined=(run.planned,))
