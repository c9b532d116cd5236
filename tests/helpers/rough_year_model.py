"""What becomes of contacts in a year in which things go wrong: a model that knows no SQL.

Beside `year_model` it has bursts, the limit of a day, days that count once, people who leave
groups, and machines that open mails. Of bursts it takes what the year promises: where no burst is,
at most USUAL responses of one category come from one domain on one day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contactctl.domain.policies import (
    DailyLimit,
    HandlingAction,
    HandlingRule,
    Limits,
    ResponsePolicy,
    Threshold,
)
from contactctl.domain.responses import Activity, ActivityKind, Category
from helpers.engagement_model import Engagement, engagement

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
INVALID, COMPLAINT = Category.INVALID_ADDRESS, Category.SPAM_COMPLAINT
FULL = Category.TRANSIENT
LEFT = ""  # in the place of a category
EVERYWHERE = ""  # in the place of a group
USUAL = 3
MOST_A_DAY = 4
POLICY = ResponsePolicy(
    thresholds={INVALID: Threshold(1), COMPLAINT: Threshold(1), FULL: Threshold(3, 30 * DAY, 2)},
    handling={FULL: HandlingRule(HandlingAction.REACTIVATE, 10 * DAY)},
    reset_on_delivery=True,
)
LIMITS = Limits(10**9, per_day=DailyLimit(max_contacts=MOST_A_DAY))


@dataclass
class Refusal:
    """A response. `held`: somebody has yet to decide; `decided`: somebody has."""

    category: Category
    at: datetime
    recorded_at: datetime
    counts: bool = True
    held: bool = False
    decided: bool = False


@dataclass
class Opened:
    """A deactivation; `by_itself`: nobody confirmed it."""

    at: datetime
    by_itself: bool = False


@dataclass
class Person:
    """A contact as the model has it; `open` by group (EVERYWHERE) and category (LEFT)."""

    domain: str
    groups: dict[str, str]
    open: dict[tuple[str, str], Opened] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    signs: dict[str, Activity] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)
    reactivated: datetime | None = None
    revision: int = 0

    @property
    def is_active(self) -> bool:
        return all(group for group, _ in self.open)

    @property
    def engagement(self) -> Engagement:
        return engagement(self.signs.values(), timedelta(seconds=POLICY.machine_click_seconds))

    def see(self, sign: Activity) -> None:
        if sign.source_key in self.signs:
            return
        before = self._seen
        self.signs[sign.source_key] = sign
        self.revision += sign.kind is ActivityKind.DELIVERED or self._seen != before

    @property
    def _seen(self) -> tuple[Engagement, datetime | None]:
        return self.engagement, self._last_sign

    @property
    def _last_sign(self) -> datetime | None:
        return max((each.occurred_at for each in self.signs.values()), default=None)

    def leave(self, group: str, at: datetime) -> None:
        if (group, LEFT) in self.open or (group and group not in self.groups):
            return
        self.open[group, LEFT] = Opened(at)
        if group:
            self.groups[group] = "inactive"
        self.revision += 1

    def come_back(self, at: datetime) -> None:
        """Everywhere: by hand, or by the rule that ended the last reason."""
        self.open = {key: each for key, each in self.open.items() if key[0]}
        self.reactivated = at
        self.revision += 1

    def is_due(self, category: Category, now: datetime) -> bool:
        threshold = POLICY.thresholds[category]
        after = [self.reactivated, self.ended.get(category)]
        if category is FULL:
            after.append(self._last_sign)
        days = [
            each.at.toordinal()
            for each in self.refusals.values()
            if each.category is category
            and each.counts
            and not each.held
            and all(instant is None or each.at > instant for instant in after)
            and (threshold.within is None or now - each.at <= threshold.within)
        ]
        if (EVERYWHERE, category) in self.open:
            return False
        # 1970 began with an even number of days since the year 1, less one
        enough = len({(day - 719_163) // 2 for day in days}) if category is FULL else len(days)
        return enough >= threshold.count


@dataclass
class Plan:
    """What waits for a person: the revision that each contact had, by (contact, category)."""

    expires: datetime
    items: dict[tuple[int, Category], int]


@dataclass
class World:
    """All contacts, by number; `unswept` are to be looked at by the next sweep."""

    people: dict[int, Person]
    plan: Plan | None = None
    unswept: set[int] = field(default_factory=set)
    spent: list[tuple[datetime, dict[int, set[Category]]]] = field(default_factory=list)
    most_spent: int = 0

    def waiting(self, now: datetime) -> Plan | None:
        return self.plan if self.plan and self.plan.expires > now else None

    def held(self, domain: str, category: Category) -> list[tuple[int, Refusal]]:
        return [
            (number, each)
            for number, person in self.people.items()
            if person.domain == domain
            for each in person.refusals.values()
            if each.held and each.category is category
        ]

    def judge(self, places: Iterable[tuple[str, Category]], now: datetime) -> set[int]:
        """Hold what is a burst, and take back what it has done; who must be looked at again."""
        return {each for place in sorted(places) for each in self._judge(*place, now)}

    def _judge(self, domain: str, category: Category, now: datetime) -> set[int]:
        told = [
            (number, each)
            for number, person in self.people.items()
            if person.domain == domain
            for each in person.refusals.values()
            if each.category is category
        ]
        new = [
            (number, each)
            for number, each in told
            if each.counts and not each.held and not each.decided and _is_burst(each, told)
        ]
        for _, each in new:
            each.held = True
        return self._take_back(new)

    def _take_back(self, new: Iterable[tuple[int, Refusal]]) -> set[int]:
        """As if what they have deactivated had never been; who must be looked at again."""
        concerned = set()
        for number, refusal in new:
            category = refusal.category
            done = self.people[number].open.get((EVERYWHERE, category))
            if done and done.by_itself and refusal.recorded_at <= done.at:
                del self.people[number].open[EVERYWHERE, category]
                for at, lost in self.spent:
                    if at == done.at and number in lost:
                        lost[number].discard(category)
                concerned.add(number)
            if self.plan and self.plan.items.pop((number, category), None) is not None:
                concerned.add(number)
        if self.plan and not self.plan.items:
            self.plan = None
        return concerned

    def look(self, numbers: set[int], now: datetime) -> bool:
        """Deactivate who is due, within the limit of the day; over it let them wait. Whether that
        was done: one plan at a time waits."""
        waiting = self.waiting(now)
        found = {
            (number, category): self.people[number].revision
            for number in numbers
            for category in POLICY.thresholds
            if self.people[number].is_due(category, now)
            and not (waiting and (number, category) in waiting.items)
        }
        losing = {number for number, _ in found if self.people[number].is_active}
        spent = self._spent(now)
        if losing and spent + len(losing) > MOST_A_DAY:
            if waiting:
                return False
            self._expire()
            self.plan = Plan(now + DAY, found)
        else:
            for number, category in found:
                self.people[number].open[EVERYWHERE, category] = Opened(now, by_itself=True)
            lost = {
                number: {category for each, category in found if each == number}
                for number in losing
            }
            self.spent.append((now, lost))
            self.most_spent = max(self.most_spent, self._spent(now))
        return True

    def _spent(self, now: datetime) -> int:
        """How many have lost something within 24 hours that was not taken back."""
        return sum(
            bool(categories)
            for at, lost in self.spent
            if at > now - DAY
            for categories in lost.values()
        )

    def confirm(self, now: datetime) -> None:
        """A person applies the plan: whoever has changed since is left, and looked at again."""
        assert self.plan
        for (number, category), revision in self.plan.items.items():
            person = self.people[number]
            if person.revision == revision and (EVERYWHERE, category) not in person.open:
                person.open[EVERYWHERE, category] = Opened(now)
            else:
                self.unswept.add(number)
        self.plan = None

    def sweep(self, now: datetime) -> None:
        """Plans whose time is over, thresholds, rules."""
        if not self.waiting(now):
            self._expire()
        if self.look(self.unswept, now):
            self.unswept = set()
        for person in self.people.values():
            full = person.open.get((EVERYWHERE, FULL))
            complained = any(each.category is COMPLAINT for each in person.refusals.values())
            if full is None or complained or now - full.at < POLICY.handling[FULL].after:
                continue
            del person.open[EVERYWHERE, FULL]
            person.ended[FULL] = now
            if person.is_active:
                person.come_back(now)

    def _expire(self) -> None:
        """The plan's time is over, and whom it had held is looked at by the next sweep."""
        if self.plan:
            self.unswept |= {number for number, _ in self.plan.items}
            self.plan = None

    def decide(self, domain: str, category: Category, now: datetime, *, released: bool) -> int:
        """Release or discard what is held there; how many responses."""
        held = self.held(domain, category)
        for _, refusal in held:
            refusal.held, refusal.decided, refusal.counts = False, True, released
        concerned = {number for number, _ in held}
        if released and not self.look(concerned, now):
            self.unswept |= concerned
        return len(held)


def _is_burst(refusal: Refusal, told: list[tuple[int, Refusal]]) -> bool:
    """Whether some 24 whole hours around it have more than the guard allows."""
    hour = _hour(refusal.at)
    hours = [_hour(each.at) for _, each in told if abs(_hour(each.at) - hour) < 24]
    return any(
        sum(end - 24 < each <= end for each in hours) > POLICY.incident_guard.more_than
        for end in range(hour, hour + 24)
    )


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
