"""How recorded responses, and decisions about held ones, are shown."""

from collections.abc import Sequence
from typing import Any

from contactctl.domain.bursts import Incident
from contactctl.operations.list_responses import HeldResult
from contactctl.output.presentation import Column, KeyValues, Presentation, Rows, RowsTable
from contactctl.output.responses import incident_data, threshold_data
from contactctl.output.values import counted

_COLUMNS = (
    Column("occurred_at", "OCCURRED"),
    Column("recipient"),
    Column("category"),
    Column("status"),
    Column("diagnostic", yields=True),
    Column("not_counted", yields=True),
    Column("held", yields=True),
    Column("incident", yields=True),
    Column("group", yields=True),
    Column("run", yields=True),
    Column("contact", for_people=False),
    Column("email", for_people=False),
    Column("counts", for_people=False),
    Column("rule", for_people=False),
    Column("host", for_people=False),
    Column("channel", for_people=False),
    Column("recorded_at", for_people=False),
    Column("source", for_people=False),
    Column("source_key", for_people=False),
)
RESPONSE_FIELDS = tuple(column.key for column in _COLUMNS)

_INCIDENT_COLUMNS = (
    Column("incident"),
    Column("shared_by"),
    Column("name"),
    Column("category"),
    Column("held"),
    Column("started"),
    Column("last_hour", for_people=False),
)
INCIDENT_FIELDS = tuple(column.key for column in _INCIDENT_COLUMNS)


def present_responses(rows: Sequence[dict[str, Any]]) -> Presentation:
    """The responses, newest first."""
    items = [{**row, "group": row["group"] or None, "held": bool(row["held"])} for row in rows]
    return Presentation({}, Rows("responses", _COLUMNS, items), [RowsTable(empty="(no responses)")])


def present_incidents(incidents: Sequence[Incident]) -> Presentation:
    """What is held, burst by burst."""
    items = [incident_data(each) for each in incidents]
    return Presentation(
        {}, Rows("incidents", _INCIDENT_COLUMNS, items), [RowsTable(empty="(nothing is held)")]
    )


def present_held(result: HeldResult, verb: str) -> Presentation:
    """What was decided, and how many contacts it deactivated."""
    thresholds = result.thresholds
    deactivated = thresholds.deactivated if thresholds else 0
    data = {
        "run": result.run,
        "responses": result.responses,
        "deactivated": deactivated,
        **threshold_data(thresholds),
    }
    pairs = [(verb, counted(result.responses, "response")), ("Run", result.run)]
    if thresholds:
        pairs.append(("Deactivated", counted(deactivated, "contact")))
    shown = Presentation(data, blocks=[KeyValues(pairs)])
    refusal = thresholds.refusal if thresholds else None
    return shown.failed(refusal) if refusal else shown
