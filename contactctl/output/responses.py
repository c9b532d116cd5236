"""How responses on record are shown, decisions about held ones; the report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contactctl.domain.bursts import Incident
from contactctl.domain.errors import RefusedError
from contactctl.domain.response_report import Figures, ReportBy
from contactctl.domain.text import counted
from contactctl.output import view
from contactctl.output.picture import Bar, bars_svg

if TYPE_CHECKING:
    from contactctl.operations.plans import RulesApplied
    from contactctl.operations.responses import HeldResult, ResponseReport

_COLUMNS = (
    view.Column("occurred_at", "OCCURRED"),
    *view.columns("recipient", "category", "status"),
    *(
        view.Column(name, yields=True)
        for name in ("diagnostic", "not_counted", "held", "incident", "group", "run")
    ),
    *view.hidden("contact", "email", "counts", "rule", "evidence", "through", "host", "channel"),
    *view.hidden("recorded_at", "source", "source_key"),
)
RESPONSE_FIELDS = tuple(column.key for column in _COLUMNS)

_INCIDENT_COLUMNS = (
    *view.columns("incident", "shared_by", "name", "category", "held", "started"),
    view.Column("last_hour", for_people=False),
)
INCIDENT_FIELDS = tuple(column.key for column in _INCIDENT_COLUMNS)


def present_responses(found: Sequence[dict[str, Any]], limit: int) -> view.Presentation:
    """The responses, newest first; one more than the limit says that there are more."""
    items = [{**row, "group": row["group"] or None, "held": bool(row["held"])} for row in found]
    first, cut = view.first_of(items, limit)
    rows = view.Rows("responses", _COLUMNS, first, beginning_of=cut)
    return view.Presentation(
        {"more": bool(cut)}, rows, [view.RowsTable("(no responses)"), *view.more_follows(cut)]
    )


def present_incidents(incidents: Sequence[Incident]) -> view.Presentation:
    """What is held, burst by burst."""
    items = [incident_data(each) for each in incidents]
    return view.listed("incidents", _INCIDENT_COLUMNS, items, "(nothing is held)")


def incident_data(incident: Incident) -> view.Row:
    """An incident for programs; `name` is a domain, a receiving host, or a rule's id."""
    return {"incident": incident.id, **view.picked(incident, INCIDENT_FIELDS[1:])}


def threshold_data(result: "RulesApplied | None") -> dict[str, object]:
    """The runs that deactivated contacts, and the one that waits."""
    if result is None:
        return {"threshold_runs": [], "waiting_run": None}
    return {
        "threshold_runs": [run.id for run in result.runs],
        "waiting_run": result.waiting.id if result.waiting else None,
    }


def present_held(result: "HeldResult", verb: str) -> view.Presentation:
    """What was decided, and how many contacts it deactivated."""
    thresholds = result.thresholds
    deactivated = thresholds.changed if thresholds else 0
    data = {
        "run": result.run,
        "responses": result.responses,
        "deactivated": deactivated,
        **threshold_data(thresholds),
    }
    pairs = [(verb, counted(result.responses, "response")), ("Run", result.run)]
    if thresholds:
        pairs.append(("Deactivated", counted(deactivated, "contact")))
    shown = view.Presentation(data, blocks=[view.KeyValues(pairs)])
    refusal = thresholds.refusal if thresholds else None
    return shown.failed(refusal) if refusal else shown


# How many bounce: a table with a bar each, or drawn


_NUMBERS = ("delivered", "bounced", "complained")
REPORT_FIELDS = ("name", *_NUMBERS, "bounce_rate", "complaint_rate")
_MOST_FOR_PEOPLE = 30
_BAR_WIDTH = 20
_UNNAMED = "(not named)"


def present_report(report: "ResponseReport") -> view.Presentation:
    """The rows, the worst first; exit code 4 where a limit is exceeded."""
    rows = view.Rows("rows", view.columns(*REPORT_FIELDS), [_row(each) for each in report.rows])
    data = {
        "by": str(report.by),
        "since": report.since,
        "total": _row(report.total),
        "unmatched": report.unmatched,
        "exceeded": [
            {"limit": str(limit), "name": each.name, "rate": _rate_of(each, limit.what)}
            for limit, each in report.exceeded
        ],
    }
    presentation = view.Presentation(data, rows, _blocks(report), notes=_notes(report))
    for limit, each in report.exceeded:
        message = f"{_name(each)}: {_told(each, limit.what)}, over {limit}"
        presentation = presentation.failed(RefusedError(message, code="rate"))
    return presentation


def _blocks(report: "ResponseReport") -> Sequence[view.Block]:
    shown = report.rows[:_MOST_FOR_PEOPLE]
    heading = {ReportBy.DAY: "DAY (UTC)"}.get(report.by, str(report.by).upper())
    shown_columns = [
        view.Column("name", heading),
        *view.columns(*_NUMBERS),
        view.Column("bounces", "BOUNCES %"),
        view.Column("complaints", "COMPLAINTS %"),
        view.Column("bar", "BAD", yields=True),
    ]
    most = max((_bad_share(each) for each in shown), default=0.0)
    items = [_row_for_people(each, most) for each in shown]
    facts: list[tuple[str, object]] = [("Since", report.since), ("All", _sum(report.total))]
    if len(report.rows) > len(shown):
        facts.append(("Not shown", f"{len(report.rows) - len(shown):,} better ones"))
    empty = "(no delivery and no response)"
    return [view.Table(shown_columns, items, empty=empty), view.KeyValues(facts)]


def _notes(report: "ResponseReport") -> list[str]:
    notes = []
    if report.total.complained and not report.total.delivered:
        notes.append("no delivery is known: read the providers' delivered events as well")
    if report.unmatched:
        notes.append(f"{report.unmatched:,} responses to addresses of no contact are in no row")
    return notes


def _row(figures: Figures) -> view.Row:
    return {
        "name": figures.name or None,
        **view.picked(figures, _NUMBERS),
        "bounce_rate": _rounded(figures.bounce_rate),
        "complaint_rate": _rounded(figures.complaint_rate),
    }


def _row_for_people(figures: Figures, most: float) -> view.Row:
    length = round(_bad_share(figures) / most * _BAR_WIDTH) if most else 0
    return {
        "name": _name(figures),
        **view.picked(figures, _NUMBERS),
        "bounces": _in_percent(figures.bounce_rate),
        "complaints": _in_percent(figures.complaint_rate),
        "bar": "#" * max(length, 1 if _bad_share(figures) else 0),
    }


def _name(figures: Figures) -> str:
    return figures.name or _UNNAMED


def _bad_share(figures: Figures) -> float:
    bad = figures.bounced + figures.complained
    return bad / max(figures.tried, bad) if bad else 0.0


def _sum(figures: Figures) -> str:
    bounces, complaints = (_told(figures, what) for what in ("bounces", "complaints"))
    return f"{figures.delivered:,} delivered, {bounces}, {complaints}"


def _told(figures: Figures, what: str) -> str:
    """`12 complaints (0.4 %)`."""
    number = figures.bounced if what == "bounces" else figures.complained
    rate = _rate_of(figures, what)
    of_all = "no delivery known" if rate is None else f"{_in_percent(rate)} %"
    return f"{number:,} {what if number != 1 else what[:-1]} ({of_all})"


def _rate_of(figures: Figures, what: str) -> float | None:
    rate = figures.bounce_rate if what == "bounces" else figures.complaint_rate
    return _rounded(rate)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _in_percent(rate: float | None) -> str | None:
    return None if rate is None else f"{rate:.2f}"


# The picture


def picture_of(report: "ResponseReport") -> str:
    """An SVG: a bar for each row, bounces and complaints in two colours."""
    title = f"Bounces and complaints by {report.by} since {report.since:%Y-%m-%d %H:%M} UTC"
    bars = [_bar(each) for each in report.rows[:_MOST_FOR_PEOPLE]]
    return bars_svg(title, bars, f"All: {_sum(report.total)}")


def _bar(figures: Figures) -> Bar:
    bounced, complained = figures.bounced, figures.complained
    tried = max(figures.tried, bounced + complained) or 1
    parts = [(bounced / tried, "#c77700"), (complained / tried, "#b00020")]
    return _name(figures), parts, f"{_bad_share(figures) * 100:.2f} % of {figures.tried:,}"
