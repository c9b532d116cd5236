"""What a burst of responses is: more than is usual of one kind from one place, within some hours.

One mailbox that refuses says something about its owner. Three hundred at one domain within an hour
say something about the domain, or about the sender; whoever is behind these addresses may be well.

A burst is judged from how many responses there were in which hour, and from nothing else: neither
from when they were read, nor from how they were cut into ingests. This is the reference, and the
store keeps no other.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contactctl.domain.policies import IncidentGuard
from contactctl.domain.responses import Category

TAKEN_BACK = "taken_back"  # run.results of contacts that an incident made active again
USUAL_HOURS = 60 * 24  # how far back it is looked what is usual: two monthly mailings

# What these say, they say of one mailbox, however many receivers say the same on one day. The
# other categories speak of the sender or of the way as well.
_OF_ONE_MAILBOX = frozenset({Category.INVALID_ADDRESS, Category.SPAM_COMPLAINT, Category.TRANSIENT})


class SharedBy(StrEnum):
    """What the responses of a burst have in common, besides their category."""

    DOMAIN = "domain"
    HOST = "host"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class BurstKey:
    """`name` is a recipient domain, a receiving host, or the id of a classification rule."""

    shared_by: SharedBy
    name: str
    category: Category


@dataclass(frozen=True, slots=True)
class Rate:
    """Responses of one hour (since 1970, UTC) that are alike in all that a burst can share.

    `responses` are those that count, held and discarded ones included; `released` those among them
    that somebody has let go. `burst` is how the row was judged before.
    """

    hour: int
    category: Category
    domain: str
    host: str
    rule: str
    responses: int
    released: int = 0
    burst: BurstKey | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A burst from `started` to the hour of `last_hour`; `held` responses still wait."""

    id: int
    shared_by: SharedBy
    name: str
    category: Category
    started: datetime
    last_hour: datetime
    held: int


# (domains, hour) -> contacts there with a delivery since the hour's beginning
Delivered = Callable[[AbstractSet[str], int], int]


def hour_of(instant: datetime) -> int:
    """The hour since 1970, UTC, in which it happened."""
    return int(instant.timestamp() // 3600)


def hour_start(hour: int) -> datetime:
    """When an hour began."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def find_bursts(
    rates: Sequence[Rate], guard: IncidentGuard, since: int, delivered: Delivered
) -> dict[Rate, BurstKey]:
    """The rows from `since` on that belong to a burst, each with what is bursting.

    `rates` must reach back to `first_hour_needed(guard, since)`; how rows before `since` were
    judged is taken as it is, so `since` must lie the guard's window before the first change.
    A domain's burst comes first; what it explains adds to no burst of a host, nor that to a rule's.
    """
    found: dict[Rate, BurstKey] = {}
    left = list(rates)
    for shared_by in SharedBy:
        for key, rows in _grouped(left, shared_by).items():
            hours = _burst_hours(key, rows, guard, since, delivered)
            found |= {row: key for row in rows if row.hour in hours}
        left = [row for row in left if row not in found]
    return {row: key for row, key in found.items() if row.hour >= since}


def first_hour_needed(guard: IncidentGuard, since: int) -> int:
    """The first hour whose responses matter to judging those from `since` on."""
    return since - 2 * guard.hours - USUAL_HOURS


def _grouped(rates: Iterable[Rate], shared_by: SharedBy) -> dict[BurstKey, list[Rate]]:
    groups: dict[BurstKey, list[Rate]] = defaultdict(list)
    for rate in rates:
        name = getattr(rate, shared_by.value)
        if name and (shared_by is not SharedBy.RULE or rate.category not in _OF_ONE_MAILBOX):
            groups[BurstKey(shared_by, name, rate.category)].append(rate)
    return groups


def _burst_hours(
    key: BurstKey, rows: Sequence[Rate], guard: IncidentGuard, since: int, delivered: Delivered
) -> set[int]:
    """The hours of this group that lie in a window over the mark."""
    all_, released = _by_hour(rows)
    hours = sorted(all_)
    burst = {row.hour for row in rows if row.hour < since and row.burst == key}
    usual = _UsualPeak(hours, all_, released, burst, guard.hours)
    domains = {row.domain for row in rows}
    for end in hours[bisect_left(hours, since) :]:
        window = _window(hours, end, guard.hours)
        count = sum(all_[hour] for hour in window)
        if count <= guard.more_than:
            continue
        peak = usual.before(end - guard.hours)
        if count > guard.mark(peak) and count > guard.mark(
            peak, delivered(domains, end - guard.hours + 1)
        ):
            burst.update(hour for hour in window if hour >= since)
    return burst


class _UsualPeak:
    """The most that a window held of what was no burst, as the windows go by.

    What somebody has released is usual from then on; what is held or discarded never is.
    """

    def __init__(
        self,
        hours: Sequence[int],
        all_: Mapping[int, int],
        released: Mapping[int, int],
        burst: AbstractSet[int],
        length: int,
    ) -> None:
        self._hours, self._all, self._released = hours, all_, released
        self._burst, self._length = burst, length
        self._next = 0
        self._falling: deque[tuple[int, int]] = deque()  # (end of a window, its responses)

    def before(self, last: int) -> int:
        """The peak of the windows that end at `last` or within USUAL_HOURS before."""
        while self._next < len(self._hours) and self._hours[self._next] <= last:
            self._add(self._hours[self._next])
            self._next += 1
        while self._falling and self._falling[0][0] < last - USUAL_HOURS:
            self._falling.popleft()
        return self._falling[0][1] if self._falling else 0

    def _add(self, end: int) -> None:
        window = _window(self._hours, end, self._length)
        number = sum((self._released if h in self._burst else self._all)[h] for h in window)
        while self._falling and self._falling[-1][1] <= number:
            self._falling.pop()
        self._falling.append((end, number))


def _by_hour(rows: Iterable[Rate]) -> tuple[dict[int, int], dict[int, int]]:
    """By hour: all responses, and those released."""
    all_: dict[int, int] = defaultdict(int)
    released: dict[int, int] = defaultdict(int)
    for row in rows:
        all_[row.hour] += row.responses
        released[row.hour] += row.released
    return all_, released


def _window(hours: Sequence[int], end: int, length: int) -> Sequence[int]:
    """The hours with responses among the `length` that end with `end`."""
    return hours[bisect_right(hours, end - length) : bisect_right(hours, end)]
