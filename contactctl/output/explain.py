"""How one contact is explained."""

from contactctl.operations.explain import Count, Expected, Explanation
from contactctl.operations.timeline import Happening
from contactctl.output.presentation import (
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
    Table,
    Text,
)

_TIMELINE_COLUMNS = (
    Column("at"),
    Column("kind"),
    Column("category"),
    Column("group"),
    Column("run"),
    Column("text", wraps=True),
)
TIMELINE_FIELDS = tuple(column.key for column in _TIMELINE_COLUMNS)
_COUNT_COLUMNS = (
    Column("category"),
    Column("group"),
    Column("counted"),
    Column("threshold"),
    Column("within_days", "WITHIN DAYS"),
    Column("counted_from", "COUNTED FROM"),
    Column("open"),
    Column("due"),
)


def present_explanation(explanation: Explanation) -> Presentation:
    """Status, timeline, counts against thresholds, and what comes next."""
    contact = explanation.contact
    groups = [{"name": each.group, "state": each.state} for each in contact.groups]
    data = {
        "id": contact.id,
        "email": contact.email,
        "status": contact.status,
        "groups": groups,
        "counts": [_count(each) for each in explanation.counts],
        "next": [_expected(each) for each in explanation.next],
    }
    rows = Rows("timeline", _TIMELINE_COLUMNS, [_happening(each) for each in explanation.timeline])
    return Presentation(data, rows, _blocks(explanation))


def _blocks(explanation: Explanation) -> list[Block]:
    contact = explanation.contact
    groups = [f"{each.group} ({each.state})" for each in contact.groups]
    counts: Block = Table(_COUNT_COLUMNS, [_count(each) for each in explanation.counts])
    if not explanation.counts:
        counts = Text("No thresholds are configured: responses do not deactivate anybody.")
    return [
        KeyValues(
            [
                ("Contact", f"{contact.id}, {contact.email}"),
                ("Status", contact.status),
                ("Groups", groups),
            ]
        ),
        Heading("What happened"),
        RowsTable(),
        Heading("What counts now"),
        counts,
        Heading("What comes next"),
        Text("\n".join(_next_lines(explanation))),
    ]


def _next_lines(explanation: Explanation) -> list[str]:
    lines = []
    for each in explanation.next:
        when = f"{each.at:%Y-%m-%d %H:%M} UTC: " if each.at else ""
        what = f"{each.category}: " if each.category else ""
        where = f" ({each.group})" if each.group else ""
        text = each.text if when or what else each.text[:1].upper() + each.text[1:]
        lines.append(f"{when}{what}{text}{where}")
    return lines or ["Nothing, unless more responses arrive."]


def _happening(each: Happening) -> Row:
    return {
        "at": each.at,
        "kind": each.kind,
        "category": each.category or None,
        "group": each.group,
        "run": each.run,
        "text": each.text,
    }


def _count(each: Count) -> Row:
    return {
        "category": each.category,
        "group": each.group,
        "counted": each.counted,
        "threshold": each.threshold,
        "within_days": _whole(each.within_days),
        "counted_from": each.counted_from,
        "open": each.is_open,
        "due": each.is_due,
    }


def _expected(each: Expected) -> Row:
    return {
        "action": each.action,
        "at": each.at,
        "category": each.category or None,
        "group": each.group,
        "text": each.text,
    }


def _whole(days: float | None) -> float | int | None:
    return int(days) if days is not None and days.is_integer() else days
