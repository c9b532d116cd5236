"""One contact as thresholds look at it (domain.thresholds.ThresholdSubject)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from contactctl.domain.responses import Category
from contactctl.domain.thresholds import Due, RecordedResponse, ThresholdSubject
from contactctl.store import tables

_contact = tables.contact
_deactivation = tables.deactivation
_membership = tables.membership


def read_subject(
    connection: Connection, contact_id: int, responses: Sequence[Mapping[str, Any]]
) -> ThresholdSubject:
    """The contact with its `responses`, rows of store.responses.responses_of_contact."""
    contact = connection.execute(
        select(_contact.c.reactivated_at, _contact.c.delivered_at).where(
            _contact.c.id == contact_id
        )
    ).one()
    memberships = connection.execute(
        select(_membership.c.group_id, _membership.c.reactivated_at).where(
            _membership.c.contact_id == contact_id
        )
    )
    deactivations = connection.execute(
        select(_deactivation).where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.category != "",
            ~_deactivation.c.taken_back,
        )
    ).all()
    keyed = [((row.group_id, Category(row.category)), row.ended_at) for row in deactivations]
    ended: dict[Due, Any] = {}
    for due, ended_at in keyed:
        if ended_at is not None:
            ended[due] = max(ended_at, ended.get(due, ended_at))
    return ThresholdSubject(
        responses=[_recorded(row) for row in responses],
        reactivated_at=contact.reactivated_at,
        delivered_at=contact.delivered_at,
        memberships={row[0]: row[1] for row in memberships},
        ended=ended,
        open=frozenset(due for due, ended_at in keyed if ended_at is None),
    )


def _recorded(row: Mapping[str, Any]) -> RecordedResponse:
    return RecordedResponse(
        category=Category(row["category"]),
        occurred_at=row["occurred_at"],
        group_id=row["group_id"],
        counts=row["counts"],
        held=row["held"],
        channel=row["channel"],
        not_counted=row["not_counted"],
    )
