"""Thresholds and handling rules for one contact after the other: a model that knows no SQL.

It says once more what contactctl.domain says, in other words; test_year holds the stores to it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    HandlingRule,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category

DAY = timedelta(days=1)
TRANSIENT, UNKNOWN, INVALID = Category.TRANSIENT, Category.UNKNOWN, Category.INVALID_ADDRESS
BLOCKED, COMPLAINT = Category.BLOCKED, Category.SPAM_COMPLAINT
REACTIVATE, REMOVE = HandlingAction.REACTIVATE, HandlingAction.REMOVE_FROM_GROUP
GROUP_NAMES = ("news", "offers", "alerts", "events")
APART = "alerts"  # the only group that counts, and deactivates, for itself
EVERYWHERE = ""
HEALING = frozenset({TRANSIENT, UNKNOWN, Category.COMMUNICATION_FAILURE, BLOCKED})
LEFT = "unsubscribed"  # in the place of a category

Key = tuple[str, str]  # where a deactivation holds, a group or EVERYWHERE, and for what
Standing = tuple[str, dict[str, str]]  # a contact's status, and its membership states by group


def rule(action: HandlingAction, days: int) -> HandlingRule:
    return HandlingRule(action, days * DAY)


POLICY = ResponsePolicy(
    thresholds={
        TRANSIENT: Threshold(2, 20 * DAY),
        UNKNOWN: Threshold(2),
        INVALID: Threshold(1),
        BLOCKED: Threshold(2, 60 * DAY),
        COMPLAINT: Threshold(1),
    },
    handling={
        TRANSIENT: rule(REACTIVATE, 10),
        UNKNOWN: rule(REACTIVATE, 14),
        INVALID: rule(REMOVE, 30),
    },
    groups={
        "offers": GroupPolicy("offers", handling={TRANSIENT: rule(REMOVE, 5)}),
        "alerts": GroupPolicy(
            "alerts",
            thresholds={TRANSIENT: Threshold(1)},
            handling={TRANSIENT: rule(REACTIVATE, 3)},
            deactivate=Scope.GROUP,
        ),
        "events": GroupPolicy("events", handling={BLOCKED: rule(REMOVE, 20)}),
    },
)
_THRESHOLDS = {EVERYWHERE: POLICY.thresholds, APART: POLICY.thresholds_in(APART)}
_RULES = {EVERYWHERE: POLICY.handling} | {name: POLICY.handling_in(name) for name in GROUP_NAMES}


@dataclass
class Person:
    """A contact as the model has it: what is open since when, and what counts from when on.

    `responses` are kept where they count, `echoes` by category, with where they would count;
    `ended` says when a deactivation last ended, and `reactivated` when the contact, or its
    membership, last came back.
    """

    groups: dict[str, str]
    open: dict[Key, datetime] = field(default_factory=dict)
    responses: dict[Key, list[datetime]] = field(default_factory=dict)
    echoes: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    ended: dict[Key, datetime] = field(default_factory=dict)
    reactivated: dict[str, datetime] = field(default_factory=dict)
    complained: bool = False
    history: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "inactive" if self._is_open_in(EVERYWHERE) else "active"

    @property
    def standing(self) -> Standing:
        return self.status, self.groups

    def respond(self, category: Category, group: str, at: datetime) -> None:
        """A response that speaks of a group, or of none ('')."""
        counted_in = APART if group == APART else EVERYWHERE
        self.responses.setdefault((counted_in, category), []).append(at)
        self.complained |= category is COMPLAINT
        self._note(at, f"{category} response", group)

    def echo(self, category: Category, group: str, at: datetime) -> None:
        """A provider did not send, because of an earlier response that may be on record or not."""
        counted_in = APART if group == APART else EVERYWHERE
        self.echoes.setdefault(category, []).append((at, counted_in))
        self.responses.setdefault((counted_in, category), [])
        self.complained |= category is COMPLAINT  # to the provider, and before
        self._note(at, f"echo of {category}", group)

    @property
    def has_left(self) -> bool:
        return (EVERYWHERE, LEFT) in self.open

    def leave(self, at: datetime) -> None:
        """The person wants no more mail: no override outlives that, and no rule ends it."""
        self.open[EVERYWHERE, LEFT] = at
        self.groups = {
            name: "follows" if state == "active" else state for name, state in self.groups.items()
        }
        self._note(at, "left")

    def sweep(self, now: datetime) -> None:
        """Thresholds, then rules."""
        for key in [key for key in self.responses if self._is_due(key, now)]:
            self._deactivate(key, now)
        if self.open:
            self._apply_rules(now)

    def bring_back(self, now: datetime) -> None:
        """`reactivate EMAIL`: whatever is open everywhere ends."""
        self._forget_open(EVERYWHERE)
        self.reactivated[EVERYWHERE] = now
        self._note(now, "brought back")

    def bring_back_in(self, group: str, now: datetime) -> None:
        """`reactivate EMAIL --group`, of an inactive contact: an override, if it has none yet."""
        if self.groups[group] == "active":
            return
        self._forget_open(group)
        self.groups[group] = "active"
        self.reactivated[group] = now
        self._note(now, "brought back", group)

    def _is_due(self, key: Key, now: datetime) -> bool:
        where, category = key
        threshold = _THRESHOLDS[where].get(category)
        if threshold is None or key in self.open or (where and where not in self.groups):
            return False
        told = [*self.responses[key], *self._echo_of_nothing(key)]
        counting = [at for at in told if self._counts(key, at)]
        if threshold.within is not None:
            counting = [at for at in counting if now - at <= threshold.within]
        if category in HEALING:  # several on one day say no more than one
            return len({at.date() for at in counting}) >= threshold.count
        return len(counting) >= threshold.count

    def _echo_of_nothing(self, key: Key) -> list[datetime]:
        """The first echo of a category, if no response of it is on record."""
        where, category = key
        known = [at for (_, each), ats in self.responses.items() if each == category for at in ats]
        if known or category not in self.echoes:
            return []
        first, counted_in = min(self.echoes[category])
        return [first] if counted_in == where else []

    def _counts(self, key: Key, at: datetime) -> bool:
        """Whether it came after all that made earlier ones count no more.

        Coming back everywhere wipes the slate of a group that counts for itself, too; a
        deactivation that ended while another is open wipes that of its own category alone.
        """
        since = (
            self.reactivated.get(EVERYWHERE),
            self.reactivated.get(key[0]),
            self.ended.get(key),
        )
        return all(instant is None or at > instant for instant in since)

    def _deactivate(self, key: Key, now: datetime) -> None:
        where, category = key
        self.open[key] = now
        if where in self.groups:
            self.groups[where] = "inactive"
        self._note(now, f"deactivated for {category}", where)

    def _apply_rules(self, now: datetime) -> None:
        ending = [] if self.complained else [key for key in self.open if self._ends(key, now)]
        removing = {
            group
            for key in self.open
            for group in self._held_in(key[0])
            if self._is_over(key, REMOVE, group, now) and self.groups[group] != "active"
        }
        for key in ending:
            self._end(key, now)
        for where in {where for where, _ in ending}:
            if not self._is_open_in(where):
                self._come_back(where, now)
        for group in removing:
            del self.groups[group]
            self._note(now, "removed", group)

    def _ends(self, key: Key, now: datetime) -> bool:
        return self._is_over(key, REACTIVATE, key[0], now)

    def _is_over(self, key: Key, action: HandlingAction, where: str, now: datetime) -> bool:
        """Whether the rule that holds there is of that action, and has waited long enough."""
        rule_here = _RULES[where].get(key[1])
        return (
            rule_here is not None
            and rule_here.action is action
            and now - self.open[key] >= rule_here.after
        )

    def _held_in(self, where: str) -> list[str]:
        """The memberships that a deactivation can cost."""
        return [group for group in self.groups if where in (EVERYWHERE, group)]

    def _end(self, key: Key, now: datetime) -> None:
        del self.open[key]
        self.ended[key] = now
        self._note(now, f"{key[1]} over", key[0])

    def _come_back(self, where: str, now: datetime) -> None:
        self.reactivated[where] = now
        if self.groups.get(where) == "inactive":
            self.groups[where] = "follows"

    def _forget_open(self, where: str) -> None:
        for key in [key for key in self.open if key[0] == where]:
            del self.open[key]

    def _is_open_in(self, where: str) -> bool:
        return any(each == where for each, _ in self.open)

    def _note(self, at: datetime, what: str, group: str = "") -> None:
        self.history.append(f"{at:%b %d %H}h  {what}{f' in {group}' if group else ''}")
