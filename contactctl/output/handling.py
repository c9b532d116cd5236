"""How handling rules, what-ifs and sweeps are shown."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from contactctl import operations
from contactctl.domain.errors import ContactctlError, ExitCode, Problem
from contactctl.domain.groups import format_threshold
from contactctl.domain.handling import rule_text
from contactctl.domain.text import counted
from contactctl.output import view
from contactctl.output.criteria import Pairs, limit_blocks, preview_rows, rows_blocks
from contactctl.output.runs import run_data
from contactctl.output.values import escape_unsafe_in_json, instant_text

if TYPE_CHECKING:
    from contactctl.operations.response_policy import OutOfReach, RuleInForce
    from contactctl.operations.sweep import DueNow, SweepPart, SweepResult
    from contactctl.operations.thresholds import Rule, WhatIf

_COLUMNS = (
    *view.columns("category", "group"),
    view.Column("handling", wraps=True),
    view.Column("recommended", wraps=True),
    view.Column("advice", wraps=True),
)
RULE_FIELDS = tuple(column.key for column in _COLUMNS)


def present_rules(rules: "Sequence[RuleInForce]") -> view.Presentation:
    """The rules in force next to what is recommended."""
    return view.listed("rules", _COLUMNS, _rows(rules))


def present_check(
    rules: "Sequence[RuleInForce]", out_of_reach: "Sequence[OutOfReach]" = ()
) -> view.Presentation:
    """The rules that differ from the recommendations, as an error if there are any."""
    against = [each for each in rules if each.advice]
    data = {
        "checked": len(rules),
        "against": len(against),
        "out_of_reach": [
            {
                "category": each.category,
                "group": each.group,
                "threshold": format_threshold(each.threshold),
                "days_between_mails": each.days,
            }
            for each in out_of_reach
        ],
    }
    warnings = [_hardly_reached(each) for each in out_of_reach]
    blocks = [view.RowsTable() if against else view.Text("Every rule is as recommended.")]
    rows = view.Rows("rules", _COLUMNS, _rows(against))
    shown = view.Presentation(data, rows, blocks, warnings=warnings)
    if not against:
        return shown
    return shown.failed(
        ContactctlError(
            f"not as recommended: {counted(len(against), 'rule')}",
            hint="`contactctl rules recommend` prints rules that are",
            code="not-recommended",
        )
    )


def _hardly_reached(each: "OutOfReach") -> str:
    threshold = (
        f"the threshold for {each.category}{f' in {each.group}' if each.group else ''}"
        f" ({format_threshold(each.threshold)})"
    )
    if each.days is None:
        return f"{threshold} can never be reached: its `within` is too short for the rest of it"
    return (
        f"{threshold} can hardly be reached: responses come every {counted(each.days, 'day')},"
        f" at most {each.most} in that time;"
        " `contactctl rules recommend --sending` proposes others"
    )


def _rows(rules: "Sequence[RuleInForce]") -> list[view.Row]:
    return [
        {
            "category": each.category,
            "group": each.group,
            "handling": rule_text(each.rule) if each.rule else "stays deactivated",
            "recommended": each.recommended,
            "advice": each.advice or None,
        }
        for each in rules
    ]


# How the effect of other thresholds and handling rules is shown


_WHAT_IF_COLUMNS = (
    *view.columns("action", "group", "category", "contacts"),
    view.Column("contacts_in_force", "IN FORCE NOW"),
)
WHAT_IF_FIELDS = tuple(column.key for column in _WHAT_IF_COLUMNS)


def present_what_if(effects: "WhatIf") -> view.Presentation:
    """How many contacts are due now under the file's rules and under those in force."""
    found, in_force = effects.found, effects.in_force
    data = {
        "file": str(effects.file),
        "contacts": found.deactivated,
        "active": found.active,
        "contacts_in_force": in_force.deactivated,
        "handled": found.handled,
        "handled_in_force": in_force.handled,
    }
    rules = dict.fromkeys([*found.by_rule, *in_force.by_rule])
    rows = [_row(rule, effects) for rule in rules]
    pairs = [
        ("Rules of", str(effects.file)),
        (
            "Would deactivate",
            f"{counted(found.deactivated, 'contact')}, {found.active:,} active now"
            f" (rules in force: {in_force.deactivated:,})",
        ),
        (
            "Would handle",
            f"{counted(found.handled, 'contact')}, reactivated or removed from groups"
            f" (rules in force: {in_force.handled:,})",
        ),
    ]
    blocks: list[view.Block] = [view.KeyValues(pairs), view.RowsTable(empty="(nobody)")]
    notes = [*effects.warnings, "nothing was changed"]
    return view.Presentation(
        data, view.Rows("by_scope", _WHAT_IF_COLUMNS, rows), blocks, notes=notes
    )


def _row(rule: "Rule", effects: "WhatIf") -> dict[str, object]:
    return {
        "action": rule.action or "deactivate",
        "group": rule.group,
        "category": rule.category,
        "contacts": effects.found.by_rule.get(rule, 0),
        "contacts_in_force": effects.in_force.by_rule.get(rule, 0),
    }


# How a sweep, or what one would do, is shown


_COUNTED = ("contact", "contact", "contact", "membership", "", "", "contact")  # of the figures
_RULE_COLUMNS = view.columns("rule", "group", "contacts")
_RUN_COLUMNS = (
    *view.columns("run", "kind", "state", "planned", "changed"),
    view.Column("message", wraps=True),
)


def present_sweep(result: "SweepResult") -> view.Presentation:
    """What the sweep did, and what is over the limits."""
    runs = _runs(result)
    blocks: list[view.Block] = [view.KeyValues(_result_pairs(result))]
    if runs:
        blocks += [view.Heading("Runs"), view.Table(_RUN_COLUMNS, runs)]
    shown = view.Presentation({**_figures(result), "runs": runs}, None, blocks)
    return _with_problems(shown, result)


def present_sweep_log(
    result: "SweepResult", name: str, now: datetime, *, as_json: bool = False
) -> view.Presentation:
    """The same as one line, for a log file."""
    at = instant_text(now.replace(microsecond=0))
    line = _json_line(result, name, at) if as_json else _text_line(result, name, at)
    data = {**_figures(result), "runs": _runs(result)}
    return _with_problems(view.Presentation(data, None, [view.Verbatim(line)]), result)


def _text_line(result: "SweepResult", name: str, at: str) -> str:
    said = (f"{key.replace('_', ' ')} {number}" for key, number in _figures(result).items())
    return f"{at} sweep {name}: {', '.join(said)}\n"


def _json_line(result: "SweepResult", name: str, at: str) -> str:
    """One JSON object a sweep; an error is what kept it from its end."""
    level = "warning" if result.problems else "info"
    if not operations.sweep.came_to_its_end(result):
        level = "error"
    data = {
        "time": at,
        "level": level,
        "command": f"sweep {name}",
        **_figures(result),
        "problems": [each.message for each in result.problems],
    }
    return escape_unsafe_in_json(json.dumps(data, ensure_ascii=False)) + "\n"


def present_due(due: "DueNow") -> view.Presentation:
    """What a sweep would do now: rule by rule, with the first contacts due for handling."""
    by_rule = _by_rule(due)
    data: dict[str, object] = {
        "parts": list(due.parts),
        "due": due.contacts,
        "due_by_rule": by_rule,
        "limits_exceeded": list(due.limits_exceeded),
        "waiting_runs": [run.id for run in due.waiting],
        **dict.fromkeys(("deactivated", "reactivated", "removed"), 0),
        **dict.fromkeys(("runs_finished", "plans_expired"), 0),
        "interrupted_runs": [run.id for run in due.interrupted],
        "overdue_plans": list(due.overdue),
        "runs": [],
    }
    blocks: list[view.Block] = [view.KeyValues(_due_pairs(due)), *limit_blocks(due.limits_exceeded)]
    if by_rule:
        blocks += [view.Heading("Due under each rule"), view.Table(_RULE_COLUMNS, by_rule)]
    if due.rows:
        blocks += [
            view.Heading("Due for handling"),
            *rows_blocks(len(due.rows), due.handling_total),
        ]
    return view.Presentation(data, preview_rows(due.rows), blocks, notes=["nothing was changed"])


def _due_pairs(due: "DueNow") -> Pairs:
    """The parts that were asked for, and the plans of earlier sweeps."""
    parts = operations.sweep.SweepPart
    of_part: dict[SweepPart, Pairs] = {
        parts.RUNS: [
            ("Interrupted runs", len(due.interrupted)),
            *(
                ("Left alone", f"run {run.id}, {run.kind}, begun by {run.applied_by}, who may not")
                for run in due.left_alone
            ),
            ("Overdue plans", len(due.overdue)),
        ],
        parts.THRESHOLDS: [("At a threshold", _at_a_threshold(due))],
        parts.HANDLING: [("Due for handling", counted(due.handling_total, "contact"))],
    }
    waiting: Pairs = [
        ("Waiting plan", f"run {run.id}, {counted(run.planned, 'contact')}") for run in due.waiting
    ]
    return [pair for part in due.parts for pair in of_part[part]] + waiting


def _at_a_threshold(due: "DueNow") -> str:
    """`5 contacts; 2 are inactive already`: the limits do not count those."""
    already = f"; {due.inactive_already:,} are inactive already" if due.inactive_already else ""
    return counted(due.thresholds_total, "contact") + already


def _by_rule(due: "DueNow") -> list[view.Row]:
    thresholds = [
        {"rule": f"{category}: deactivate", "group": group, "contacts": contacts}
        for group, category, contacts in due.thresholds
    ]
    handling = [
        {"rule": f"{each.category}: {each.action}", "group": each.group, "contacts": each.contacts}
        for each in due.handling
    ]
    return [*thresholds, *handling]


def _figures(result: "SweepResult") -> dict[str, int]:
    return {
        "due": result.due,
        "deactivated": result.deactivated,
        "reactivated": result.reactivated,
        "removed": result.removed,
        "runs_finished": len(result.finished),
        "plans_expired": len(result.expired),
        "waiting": sum(run.planned for run in result.waiting),
    }


def _runs(result: "SweepResult") -> list[view.Row]:
    return [run_data(run) for run in (*result.runs, *result.waiting)]


def _result_pairs(result: "SweepResult") -> Pairs:
    return [
        (key.replace("_", " ").capitalize(), counted(number, noun) if noun else number)
        for (key, number), noun in zip(_figures(result).items(), _COUNTED, strict=True)
    ]


def _with_problems(shown: view.Presentation, result: "SweepResult") -> view.Presentation:
    """The first problem's exit code: so "busy", which ends by itself, comes after the others."""
    codes = [problem.exit_code for problem in result.problems]
    return replace(
        shown,
        problems=[Problem.of(problem) for problem in result.problems],
        exit_code=codes[0] if codes else ExitCode.DONE,
    )
