"""Events as the store takes them: keys, instants in UTC, nothing that a database refuses."""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.emails import email_key
from contactctl.domain.responses import Activity, ActivityKind, Category, Rejection, Response
from contactctl.domain.text import fold
from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.store.ingest_batch import EventBatch
from contactctl.store.temporary import Staged, stored_instant

Suppressed = Callable[[Collection[str]], AbstractSet[str]]

_MAX_KEY_CHARACTERS = 320
_SUPPRESSED = "the address is suppressed: its contact was erased"
_SLOT = {ActivityKind.DELIVERED: 0, ActivityKind.OPENED: 1, ActivityKind.CLICKED: 2}


def nothing_suppressed(keys: Collection[str]) -> AbstractSet[str]:  # noqa: ARG001
    """No address is suppressed."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class ConvertedEvents:
    """Events ready for the store. `activities` counts them before they were put together."""

    batch: EventBatch
    activities: int
    rejected: Sequence[Rejection]


def to_batch(
    events: Sequence[Response | Activity],
    group_ids: Mapping[str, int],
    now: datetime,
    suppressed: Suppressed,
) -> ConvertedEvents:
    """Responses row by row, activities as the latest of each kind per address.

    An event without a time, or with one that is still to come, happened now.
    """
    conversion = _Conversion(group_ids, now)
    responses = [(each, conversion.response(each)) for each in events if isinstance(each, Response)]
    activities = [each for each in events if isinstance(each, Activity)]
    latest = conversion.activities(activities)
    forbidden = suppressed({key for _, row in responses for key in row[:2] if key} | latest.keys())
    rejected = [
        Rejection(response.source, _SUPPRESSED)
        for response, row in responses
        if row[0] in forbidden or row[1] in forbidden
    ]
    return ConvertedEvents(
        EventBatch(
            [row for _, row in responses if row[0] not in forbidden and row[1] not in forbidden],
            [(key, *instants, max(filter(None, instants))) for key, instants in latest.items()],
        ),
        len(activities),
        rejected,
    )


class _Conversion:
    def __init__(self, group_ids: Mapping[str, int], now: datetime) -> None:
        self.group_ids = group_ids
        self.now = now

    def response(self, response: Response) -> Staged:
        """The columns of store.ingest_batch, in order."""
        given = response.original_recipient or response.recipient
        key = first = _key(given)
        second = first if given == response.recipient else _key(response.recipient)
        if key is None:
            key = second or fold(given)[:_MAX_KEY_CHARACTERS]
        group = fold(response.group) if response.group else ""
        return _storable(
            (
                key,
                second if second != key else None,
                response.source_key,
                response.category.value,
                response.counts,
                response.not_counted,
                response.counts and response.category is Category.BLOCKED,
                response.status,
                response.diagnostic,
                response.rule,
                given,
                response.channel,
                self.group_ids.get(group, SYSTEM_WIDE),
                group,
                self._instant(response.occurred_at),
                response.source,
                None,
            )
        )

    def activities(self, activities: Sequence[Activity]) -> dict[str, list[str | None]]:
        """By key: when last delivered, opened, clicked. Mail alone says how a mailbox is."""
        latest: dict[str, list[str | None]] = {}
        for activity in activities:
            key = _key(activity.recipient)
            if key is None or activity.channel != "email":
                continue
            instants = latest.setdefault(key, [None, None, None])
            slot, instant = _SLOT[activity.kind], self._instant(activity.occurred_at)
            instants[slot] = max(instants[slot] or "", instant)
        return latest

    def _instant(self, occurred_at: datetime | None) -> str:
        at = self.now if occurred_at is None else min(occurred_at, self.now)
        return stored_instant(at)


def _key(address: str) -> str | None:
    """The key of an address; None where it is none that a contact could have."""
    try:
        return email_key(address)
    except ValueError:
        return None


def _storable(row: Staged) -> Staged:
    """The row with NUL and lone surrogates, which no database takes, as U+FFFD."""
    text = "".join([value for value in row if value.__class__ is str])
    if text.isascii() and "\0" not in text:
        return row
    return tuple(_storable_text(value) if isinstance(value, str) else value for value in row)


def _storable_text(text: str) -> str:
    without_nul = text.replace("\0", "\ufffd")
    return without_nul.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
