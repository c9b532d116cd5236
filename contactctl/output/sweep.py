"""How a sweep, or what one would do, is shown."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contactctl.domain.errors import ExitCode
from contactctl.domain.results import Problem
from contactctl.operations.sweep import DueNow, SweepPart, SweepResult
from contactctl.output.presentation import (
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Table,
    Verbatim,
)
from contactctl.output.runs import run_data
from contactctl.output.selection import Pairs, limit_blocks, preview_rows, rows_blocks
from contactctl.output.values import counted, instant_text

_RULE_COLUMNS = (Column("rule"), Column("group"), Column("contacts"))
_RUN_COLUMNS = (
    Column("run"),
    Column("kind"),
    Column("state"),
    Column("planned"),
    Column("changed"),
    Column("message", wraps=True),
)


def present_sweep(result: SweepResult) -> Presentation:
    """What the sweep did, and what is over the limits."""
    runs = _runs(result)
    blocks: list[Block] = [KeyValues(_result_pairs(result))]
    if runs:
        blocks += [Heading("Runs"), Table(_RUN_COLUMNS, runs)]
    shown = Presentation(_data(result, runs), None, blocks)
    return _with_problems(shown, result)


def present_sweep_log(result: SweepResult, name: str, now: datetime) -> Presentation:
    """The same as one line, for a log file."""
    at = instant_text(now.replace(microsecond=0))
    line = (
        f"{at} sweep {name}: due {result.due}, deactivated {result.deactivated},"
        f" reactivated {result.reactivated}, removed {result.removed},"
        f" runs finished {len(result.finished)}, plans expired {len(result.expired)},"
        f" waiting {sum(run.planned for run in result.waiting)}\n"
    )
    return _with_problems(
        Presentation(_data(result, _runs(result)), None, [Verbatim(line)]), result
    )


def present_due(due: DueNow) -> Presentation:
    """What a sweep would do now: rule by rule, with the first contacts due for handling."""
    by_rule = _by_rule(due)
    data: dict[str, object] = {
        "parts": list(due.parts),
        "due": due.contacts,
        "due_by_rule": by_rule,
        "limits_exceeded": list(due.limits_exceeded),
        "waiting_runs": [run.id for run in due.waiting],
        "deactivated": 0,
        "reactivated": 0,
        "removed": 0,
        "runs_finished": 0,
        "plans_expired": 0,
        "interrupted_runs": [run.id for run in due.interrupted],
        "overdue_plans": list(due.overdue),
        "runs": [],
    }
    blocks: list[Block] = [KeyValues(_due_pairs(due)), *limit_blocks(due.limits_exceeded)]
    if by_rule:
        blocks += [Heading("Due under each rule"), Table(_RULE_COLUMNS, by_rule)]
    if due.rows:
        blocks += [Heading("Due for handling"), *rows_blocks(len(due.rows), due.handling_total)]
    return Presentation(data, preview_rows(due.rows), blocks, notes=["nothing was changed"])


def _due_pairs(due: DueNow) -> Pairs:
    """The parts that were asked for, and the plans of earlier sweeps."""
    of_part: dict[SweepPart, Pairs] = {
        SweepPart.RUNS: [
            ("Interrupted runs", len(due.interrupted)),
            *(
                ("Left alone", f"run {run.id}, {run.kind}, begun by {run.applied_by}, who may not")
                for run in due.left_alone
            ),
            ("Overdue plans", len(due.overdue)),
        ],
        SweepPart.THRESHOLDS: [("At a threshold", counted(due.thresholds_total, "contact"))],
        SweepPart.HANDLING: [("Due for handling", counted(due.handling_total, "contact"))],
    }
    waiting: Pairs = [
        ("Waiting plan", f"run {run.id}, {counted(run.planned, 'contact')}") for run in due.waiting
    ]
    return [pair for part in due.parts for pair in of_part[part]] + waiting


def _by_rule(due: DueNow) -> list[Row]:
    thresholds = [
        {"rule": f"{category}: deactivate", "group": group, "contacts": contacts}
        for group, category, contacts in due.thresholds
    ]
    handling = [
        {"rule": f"{each.category}: {each.action}", "group": each.group, "contacts": each.contacts}
        for each in due.handling
    ]
    return [*thresholds, *handling]


def _data(result: SweepResult, runs: Sequence[Row]) -> dict[str, object]:
    return {
        "due": result.due,
        "deactivated": result.deactivated,
        "reactivated": result.reactivated,
        "removed": result.removed,
        "runs_finished": len(result.finished),
        "plans_expired": len(result.expired),
        "waiting": sum(run.planned for run in result.waiting),
        "runs": list(runs),
    }


def _runs(result: SweepResult) -> list[Row]:
    return [run_data(run) for run in (*result.runs, *result.waiting)]


def _result_pairs(result: SweepResult) -> Pairs:
    return [
        ("Due", counted(result.due, "contact")),
        ("Deactivated", counted(result.deactivated, "contact")),
        ("Reactivated", counted(result.reactivated, "contact")),
        ("Removed", counted(result.removed, "membership")),
        ("Runs finished", len(result.finished)),
        ("Plans expired", len(result.expired)),
        ("Waiting", counted(sum(r.planned for r in result.waiting), "contact")),
    ]


def _with_problems(shown: Presentation, result: SweepResult) -> Presentation:
    """The first problem's exit code: so "busy", which ends by itself, comes after the others."""
    codes = [problem.exit_code for problem in result.problems]
    return replace(
        shown,
        problems=[Problem.of(problem) for problem in result.problems],
        exit_code=codes[0] if codes else ExitCode.DONE,
    )
