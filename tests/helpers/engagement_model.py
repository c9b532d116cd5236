"""What contacts do with their mail, from all that was told of it: a model that knows no SQL."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contactctl.domain.responses import Activity, ActivityKind


@dataclass(frozen=True)
class Engagement:
    """What a contact shows."""

    last_opened: datetime | None
    last_clicked: datetime | None
    last_machine_opened: datetime | None
    last_engaged: datetime | None
    delivered_at: datetime | None
    mails_received: int
    mails_since_engaged: int


def engagement(
    activities: Iterable[Activity], machine_click: timedelta, came_back: Collection[str] = ()
) -> Engagement:
    """Of one contact: every event once, however often it was told, in whatever order. `came_back`
    are the ids of mails that bounced, sooner or later."""
    told = {
        (each.kind, each.occurred_at, each.message or each.source_key): each for each in activities
    }.values()
    deliveries = [each.occurred_at for each in told if each.kind is ActivityKind.DELIVERED]

    def is_by_machine(sign: Activity) -> bool:
        is_fast = sign.kind is ActivityKind.CLICKED and any(
            timedelta(0) <= sign.occurred_at - at <= machine_click for at in deliveries
        )
        return sign.by_machine or is_fast

    signs = [each for each in told if each.kind is not ActivityKind.DELIVERED]
    humans = [each for each in signs if not is_by_machine(each)]
    machines = [each for each in signs if is_by_machine(each)]
    engaged = _latest(humans)
    return Engagement(
        last_opened=_latest(each for each in humans if each.kind is ActivityKind.OPENED),
        last_clicked=_latest(each for each in humans if each.kind is ActivityKind.CLICKED),
        last_machine_opened=_latest(machines),
        last_engaged=engaged,
        delivered_at=_latest(each for each in told if each.message not in came_back),
        mails_received=len(deliveries),
        mails_since_engaged=sum(engaged is None or at > engaged for at in deliveries),
    )


def _latest(signs: Iterable[Activity]) -> datetime | None:
    return max((each.occurred_at for each in signs), default=None)
