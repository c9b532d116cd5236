"""How runs and plans are shown, what undoing one would do, and what changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from contactctl.domain.changes import Change, Outcome
from contactctl.domain.runs import Run, RunState
from contactctl.domain.text import counted
from contactctl.output import view
from contactctl.output.criteria import (
    Pairs,
    asked_about,
    criteria_pairs,
    impact_blocks,
    impact_data,
    left_out_pairs,
    limit_blocks,
    present_before,
    preview_rows,
    rows_blocks,
    share,
)
from contactctl.output.values import to_people

if TYPE_CHECKING:
    from contactctl.operations.criteria import Preview
    from contactctl.operations.plans import ShownPlan
    from contactctl.operations.reactivation import UndoPreview
    from contactctl.operations.response_policy import DueUnderRule
    from contactctl.operations.runs import FoundRun


_TIMES = ("database", "planned_at", "started_at", "finished_at", "expires_at", "message")
_RUN_COLUMNS = (
    *view.columns("run", "kind", "state", "planned", "deactivated", "changed", "skipped"),
    view.Column("operator", yields=True),
    *view.columns("applied_by", "resumed_by"),
    view.Column("reason", yields=True),
    *view.columns("active_before", "active_after", *_TIMES),
)
_LISTED_COLUMNS = (
    *view.columns("run", "kind", "state", "contacts"),
    view.Column("operator", yields=True),
    view.Column("reason", yields=True),
    view.Column("when"),
)
_AS_KEPT = (
    *("active_before", "active_after", "operator", "applied_by", "resumed_by", "reason"),
    *_TIMES,
)
RUN_FIELDS = tuple(column.key for column in _RUN_COLUMNS)


def run_data(run: Run) -> dict[str, object]:
    """A run for programs."""
    return {
        "run": run.id,
        **view.picked(run, ("kind", "state", "planned")),
        "deactivated": run.changed if run.run_type.deactivates else 0,
        "changed": run.changed,
        "skipped": run.skipped_total,
        "skipped_reasons": dict(run.skipped),
        "results": dict(run.results),
        **view.picked(run, _AS_KEPT),
        "clock_replaced": run.clock_replaced,
        "terms": run.terms.to_json() if run.terms else None,
        "limit_override": run.limit_override,
        "details": run.details.to_json(),
    }


def present_run(run: Run) -> view.Presentation:
    """A run that a command has just worked on: what was asked, by whom, and what it did."""
    blocks = [view.KeyValues(_run_pairs(run)), *_next_steps(run, is_shown=False)]
    return view.Presentation(run_data(run), None, blocks)


def present_looked_up_run(found: "FoundRun") -> view.Presentation:
    """The same for a run that somebody looks at, and the runs that have undone it."""
    run = found.run
    pairs = _run_pairs(run)
    if found.taken_back_by:
        by = " and ".join(f"run {number}" for number in found.taken_back_by)
        pairs.append(("Undone", f"by {by}"))
    data = run_data(run) | {"taken_back_by": list(found.taken_back_by)}
    is_undone = bool(found.taken_back_by)  # then there is nothing more to advise
    next_steps = [] if is_undone else _next_steps(run, is_shown=True)
    return view.Presentation(data, None, [view.KeyValues(pairs), *next_steps])


def present_runs(runs: Sequence[Run], limit: int | None = None) -> view.Presentation:
    """The runs as rows, newest first; one more than the limit says that there are more."""
    items, cut = view.first_of([run_data(run) for run in runs], limit)
    rows = view.Rows("runs", _RUN_COLUMNS, items, beginning_of=cut)
    return view.Presentation(
        {"more": bool(cut)}, rows, [runs_table(runs[:limit]), *view.more_follows(cut)]
    )


def runs_table(runs: Sequence[Run], *, with_reasons: bool = True) -> view.Table:
    """A line for each run: how many contacts it changed, and when it started, or was planned."""
    items = [
        run_data(run)
        | {
            "contacts": run.changed if run.started_at else run.planned,
            "when": run.started_at or run.planned_at,
        }
        for run in runs
    ]
    columns = [each for each in _LISTED_COLUMNS if with_reasons or each.key != "reason"]
    return view.Table(columns, items, empty="(no runs)")


def present_plan(plan: "ShownPlan", *, facts_last: bool = False) -> view.Presentation:
    """Everything to see before a plan is confirmed.

    `facts_last`: the contacts first, so that a question below has the facts right above it.
    """
    data = run_data(plan.run) | {
        "limits_exceeded": list(plan.stakes.limits_exceeded),
        "by_rule": [_rule_data(each) for each in plan.by_rule],
    }
    if plan.undone is not None:
        data |= undone_data(plan.undone, plan.run.planned)
    facts = view.KeyValues(_plan_pairs(plan))
    contacts = rows_blocks(len(plan.rows), plan.run.planned)
    blocks: list[view.Block] = [*contacts, facts] if facts_last else [facts, *contacts]
    if plan.impact is not None:
        data["impact"] = impact_data(plan.impact)
        blocks += impact_blocks(plan.impact)
    blocks += limit_blocks(plan.stakes.limits_exceeded)
    rows = preview_rows(plan.rows, asked_about(plan.run.details.selected))
    return view.Presentation(data, rows, blocks)


def present_kept_plan(plan: "ShownPlan") -> view.Presentation:
    """A plan that waits for `runs apply`."""
    shown = present_plan(plan)
    blocks = [*shown.blocks, *_next_steps(plan.run, is_shown=True)]
    return view.Presentation(shown.data, shown.rows, blocks)


def present_nothing_to_do(preview: "Preview") -> view.Presentation:
    """No contact matches: nothing was planned, and that is not an error."""
    data = {
        "run": None,
        "state": RunState.DONE,
        "planned": 0,
        "deactivated": 0,
        "skipped": 0,
        "active_before": preview.active_total,
        "active_after": preview.active_total,
    }
    pairs = criteria_pairs(preview.selection.lines, prebuilt=preview.selection.prebuilt)
    blocks: list[view.Block] = [
        view.KeyValues(pairs),
        view.Text("No active contact matches; nothing was changed."),
    ]
    return view.Presentation(data, None, blocks)


def _run_pairs(run: Run) -> Pairs:
    pairs: Pairs = [
        ("Run", f"{run.id}, {run.kind}, {run.state}"),
        ("Database", run.database),
        *_asked_pairs(run),
        *_what_pairs(run),
        ("Planned", f"{counted(run.planned, 'contact')} at {run.planned_at:%Y-%m-%d %H:%M} UTC"),
        *_result_pairs(run),
    ]
    if run.terms and run.planned:
        pairs.append(("In force", _terms_text(run)))
    if run.message:
        pairs.append(("Message", run.message))
    if run.clock_replaced:
        pairs.append(("Clock", "replaced by CONTACTCTL_NOW"))
    return pairs


def _terms_text(run: Run) -> str:
    """`policy 3: at most 10,000 contacts, 25 %; same-operator; confirmed beyond that: 12,000`."""
    if run.terms is None:
        return ""
    limits = run.terms.limits
    source = f"policy {run.terms.policy}" if run.terms.policy else "the config"
    override = f"; confirmed beyond that: {run.limit_override:,}" if run.limit_override else ""
    return (
        f"{source}: at most {counted(limits.max_contacts, 'contact')}, {limits.max_percent} %;"
        f" {run.terms.approval}{override}"
    )


def _asked_pairs(run: Run) -> Pairs:
    """Who asked for the run and why, and who else applied or resumed it."""
    pairs: Pairs = [("Operator", run.operator)]
    if run.applied_by and run.applied_by != run.operator:
        pairs.append(("Applied by", run.applied_by))
    if run.resumed_by:
        pairs.append(("Resumed by", run.resumed_by))
    if run.reason:
        pairs.append(("Reason", run.reason))
    return pairs


def _what_pairs(run: Run) -> Pairs:
    what, kept = run.details.in_words(), run.details.selected
    criteria = criteria_pairs(kept.lines, prebuilt=kept.prebuilt) if kept else []
    return [*([("What", what)] if what else []), *criteria]


def _result_pairs(run: Run) -> Pairs:
    if run.state is RunState.PLANNED:
        return [("Expires", run.expires_at)]
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in run.skipped.items())
    pairs: Pairs = [
        ("Changed", f"{run.changed:,}"),
        ("Skipped", f"{run.skipped_total:,}" + (f" ({reasons})" if reasons else "")),
        *((name.replace("_", " ").capitalize(), f"{n:,}") for name, n in run.results.items()),
    ]
    if run.active_before is not None and run.active_after is not None:
        pairs.append(("Active", f"{run.active_before:,} -> {run.active_after:,}"))
    return pairs


def _plan_pairs(plan: "ShownPlan") -> Pairs:
    run, stakes = plan.run, plan.stakes
    return [
        ("Run", f"{run.id}, {run.kind}, {run.state}"),
        ("Database", run.database),
        *_asked_pairs(run),
        (
            "Planned",
            f"{to_people(run.planned_at)}, expires {to_people(run.expires_at)}",
        ),
        *([("Undoes", undone_text(plan.undone))] if plan.undone else _what_pairs(run)),
        ("Contacts", f"{share(stakes.count, stakes.total)} to {stakes.verb}"),
        *(touched_pairs(plan.undone, run.planned) if plan.undone else []),
        *_active_pairs(plan),
        *((f"{each.category}", _rule_text(each)) for each in plan.by_rule),
        *left_out_pairs(run.details.left_out or {}),
    ]


def _active_pairs(plan: "ShownPlan") -> Pairs:
    """How many become inactive, where others are inactive already: limits look at the former."""
    if plan.impact is None or not plan.run.run_type.deactivates:
        return []
    losing = plan.impact.active_before - plan.impact.active_after
    return [("Become inactive", f"{losing:,} of them")] if losing != plan.stakes.count else []


def _rule_text(due: "DueUnderRule") -> str:
    where = f" in {due.group}" if due.group else ""
    threshold = f" (threshold: {due.threshold})" if due.threshold else ""
    return f"{due.action or 'deactivate'} {due.contacts:,}{where}{threshold}"


def _rule_data(due: "DueUnderRule") -> dict[str, object]:
    return {
        "action": due.action or "deactivate",
        "category": due.category,
        "group": due.group,
        "threshold": due.threshold or None,
        "contacts": due.contacts,
    }


def _next_steps(run: Run, *, is_shown: bool) -> list[view.Block]:
    """What can be done with the run now; `is_shown`: it is being looked at already."""
    steps = ""
    if run.state is RunState.PLANNED:
        steps = (
            f"Nothing has changed yet. To apply it: contactctl runs apply {run.id}\n"
            f"To delete the plan: contactctl runs cancel {run.id}"
        )
    elif run.state is RunState.RUNNING:
        steps = (
            f"Watch it: contactctl runs watch {run.id}\n"
            f"If it was interrupted: contactctl runs resume {run.id}"
        )
    elif run.state is RunState.DONE and run.run_type.next_step:
        look = "" if is_shown else f"Look at it: contactctl runs show {run.id}\n"
        steps = f"{look}{run.run_type.next_step}"
    return [view.Text(steps)] if steps else []


# How undoing a run is shown before it is done


def present_undo(preview: "UndoPreview") -> view.Presentation:
    """Which run, how many of its contacts, the first of them, and what it would mean."""
    stakes = preview.stakes
    data = {
        "run": None,
        "database": preview.database,
        **undone_data(preview.undone, preview.count),
        "count": preview.count,
    }
    pairs: Pairs = [
        ("Database", preview.database),
        ("Undoes", undone_text(preview.undone)),
        ("Contacts", f"{share(stakes.count, stakes.total)} to {stakes.verb}"),
        *touched_pairs(preview.undone, preview.count),
    ]
    rows = preview_rows(preview.rows)
    return present_before(data, pairs, stakes, rows=rows, impact=preview.impact)


def undone_data(undone: Run, count: int) -> Mapping[str, object]:
    """Which run is undone, and how many of its contacts have changed since."""
    return {"undoes": undone.id, "touched_since": undone.changed - count}


def undone_text(undone: Run) -> str:
    """`run 8, deactivate, by ann@host on 2026-06-15: clean-up`."""
    reason = f": {undone.reason}" if undone.reason else ""
    when = undone.started_at or undone.planned_at
    return f"run {undone.id}, {undone.kind}, by {undone.operator} on {when:%Y-%m-%d}{reason}"


def touched_pairs(undone: Run, count: int) -> Pairs:
    """How many of the run's contacts are left out, if any."""
    touched = undone.changed - count
    if not touched:
        return []
    return [("Left out", f"{touched:,} of its {undone.changed:,}: changed since")]


# What changed, and whom a run changed


_CHANGE_COLUMNS = (
    *view.columns("number", "at", "change", "contact"),
    view.Column("email", yields=True),
    view.Column("previous_email", "PREVIOUS EMAIL", yields=True),
    view.Column("group"),
    view.Column("group_id", for_people=False),
    *view.columns("state", "into", "run"),
)
CHANGE_FIELDS = tuple(column.key for column in _CHANGE_COLUMNS)
_OUTCOME_COLUMNS = (
    view.Column("contact"),
    view.Column("email", yields=True),
    *view.columns("change", "group", "origin", "category", "at"),
)
OUTCOME_FIELDS = tuple(column.key for column in _OUTCOME_COLUMNS)


def present_changes(changes: Iterator[Change], delivered: Callable[[], None]) -> view.Presentation:
    """The changes as rows; `delivered` is called once all of them are written."""
    rows = map(_change_row, changes)
    return view.listed("changes", _CHANGE_COLUMNS, rows, "(no changes)", delivered=delivered)


def present_outcomes(run: int, outcomes: Iterator[Outcome]) -> view.Presentation:
    """Whom the run changed, as rows."""
    rows = map(_outcome_row, outcomes)
    return view.listed("contacts", _OUTCOME_COLUMNS, rows, "(no contacts)", data={"run": run})


def _change_row(change: Change) -> Mapping[str, object]:
    own = [name for name in CHANGE_FIELDS if name != "change"]
    row = view.picked(change, own) | {"change": change.kind, "state": change.state or None}
    return {name: row[name] for name in CHANGE_FIELDS}


def _outcome_row(outcome: Outcome) -> Mapping[str, object]:
    row = view.picked(outcome, OUTCOME_FIELDS)
    return row | {"origin": outcome.origin or None, "category": outcome.category or None}
