"""What thresholds mean: which responses count, where, and which deactivations become due.

Every response counts in one place. A group's responses count separately if the group has its own
threshold for their category, or deactivates only within the group; else all count together,
whatever their group. Those that say of themselves that they do not count do so nowhere, but for an
echo that echoes nothing: neither a response of its category is on record, nor an earlier echo.

Where the contact's address is an alias or a list, and another one failed behind it, the response
went `through` it. One dead member must not end the alias: these count apart, and need more.

This is the reference; the store does the same for many contacts at once.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from datetime import datetime
from hashlib import sha256

from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import ResponsePolicy, Scope, Threshold
from contactctl.domain.responses import Category

TIMES_THROUGH = 3  # as many responses through an address as of it end it, by default
SYSTEM_WIDE = 0  # in place of a group's id when no single group is meant, in the store too

# A delivery says that the mailbox works, not that a complaint was withdrawn; and a server that
# accepts everything and bounces later "delivers" to addresses that do not exist.
RESET_BY_DELIVERY = frozenset(
    {
        Category.TRANSIENT,
        Category.UNKNOWN,
        Category.COMMUNICATION_FAILURE,
        Category.BLOCKED,
    }
)

ECHO = "echo"  # response.not_counted of what repeats an earlier response
DISCARDED = "discarded"  # of one that was held, and that somebody decided against

Due = tuple[int, Category]  # a deactivation in a group, or SYSTEM_WIDE, for a category


@dataclass(frozen=True)
class ThresholdRule:
    """One threshold and what it is applied to.

    It counts the responses of `group_id`; SYSTEM_WIDE: of any group without a rule of
    its own. It deactivates in `scope`, a group's id or SYSTEM_WIDE. `through`: it counts those
    that went through the contact's address, else the others.
    """

    group_id: int
    scope: int
    category: Category
    threshold: Threshold
    through: bool = False

    @property
    def needed(self) -> int:
        """How many responses reach it."""
        if not self.through:
            return self.threshold.count
        return self.threshold.through_count or TIMES_THROUGH * self.threshold.count

    def window_start(self, now: datetime) -> datetime | None:
        """The first instant that still counts; None: all of the past does."""
        return None if self.threshold.within is None else now - self.threshold.within

    @property
    def days_apart(self) -> int:
        """Responses of one such period count once; 0: each counts.

        One mail through a list comes back from each of its dead members, so a day counts once.
        """
        given = self.threshold.days_apart
        days = given if given is not None else int(self.category in RESET_BY_DELIVERY)
        return max(days, int(self.through))

    @property
    def over_seconds(self) -> int:
        """How far the first and the last response lie apart at least."""
        over = self.threshold.over_at_least
        return 0 if over is None else int(over.total_seconds())

    def both_ways(self) -> tuple["ThresholdRule", "ThresholdRule"]:
        """As it counts responses of the address itself, and those that went through it."""
        return self, replace(self, through=True)


@dataclass(frozen=True)
class ThresholdRules:
    """All thresholds of a store; `own_groups` are the (group, category) counted apart."""

    rules: tuple[ThresholdRule, ...]
    own_groups: frozenset[tuple[int, Category]]
    reset_on_delivery: bool

    @property
    def digest(self) -> str:
        """The same for rules that find the same contacts due."""
        means = [
            (
                way.group_id,
                way.scope,
                str(way.category),
                str(way.threshold.within),
                way.needed,
                way.days_apart,
                way.over_seconds,
                self.reset_by_delivery(way.category),
            )
            for rule in self.rules
            for way in rule.both_ways()
        ]
        apart = sorted((group_id, str(category)) for group_id, category in self.own_groups)
        return sha256(repr((sorted(means), apart)).encode()).hexdigest()

    def counted_in(self, group_id: int, category: Category) -> int:
        """The group whose rule counts such a response, SYSTEM_WIDE for the general one."""
        return group_id if (group_id, category) in self.own_groups else SYSTEM_WIDE

    def reset_by_delivery(self, category: Category) -> bool:
        """Whether earlier responses of the category no longer count after a delivery."""
        return self.reset_on_delivery and category in RESET_BY_DELIVERY


@dataclass(frozen=True)
class RecordedResponse:
    """What thresholds need of a response. `held`: nobody has decided yet whether it counts."""

    category: Category
    occurred_at: datetime
    group_id: int = SYSTEM_WIDE
    counts: bool = True
    held: bool = False
    channel: str = "email"
    not_counted: str = ""
    through: bool = False


@dataclass(frozen=True)
class ThresholdSubject:
    """What thresholds need of a contact.

    `memberships` maps a group to the contact's last reactivation there, if any; `ended` a
    deactivation to when it last ended; `open` are those still open.
    """

    responses: Sequence[RecordedResponse] = ()
    reactivated_at: datetime | None = None
    delivered_at: datetime | None = None
    memberships: Mapping[int, datetime | None] = field(default_factory=dict)
    ended: Mapping[Due, datetime] = field(default_factory=dict)
    open: AbstractSet[Due] = frozenset()


def threshold_rules(policy: ResponsePolicy, group_ids: Mapping[str, int]) -> ThresholdRules:
    """The rules of a store whose groups have these ids, by folded name; other groups have none."""
    rules = [
        ThresholdRule(SYSTEM_WIDE, SYSTEM_WIDE, category, threshold)
        for category, threshold in policy.thresholds.items()
    ]
    own_groups = set()
    for folded, group in policy.groups.items():
        group_id = group_ids.get(folded)
        if group_id is None:
            continue
        stays_inside = group.deactivate is Scope.GROUP
        scope = group_id if stays_inside else SYSTEM_WIDE
        own = policy.thresholds_in(group.name) if stays_inside else group.thresholds
        rules += [ThresholdRule(group_id, scope, each, own[each]) for each in own]
        own_groups |= {(group_id, each) for each in (Category if stays_inside else own)}
    return ThresholdRules(tuple(rules), frozenset(own_groups), policy.reset_on_delivery)


def due_deactivations(subject: ThresholdSubject, rules: ThresholdRules, now: datetime) -> set[Due]:
    """The deactivations that the contact's responses make due; except those already open."""
    return {
        (rule.scope, rule.category)
        for each in rules.rules
        for rule in each.both_ways()
        if (rule.scope, rule.category) not in subject.open
        and _is_reached(subject, rule)
        and reaches(rule, counted_responses(subject, rule, rules, now))
    }


def reaches(rule: ThresholdRule, responses: Sequence[RecordedResponse]) -> bool:
    """Whether these responses, which count, are enough and far enough apart."""
    if number_counted(rule, responses) < rule.needed:
        return False
    seconds = [int(each.occurred_at.timestamp() // 1) for each in responses]
    return max(seconds) - min(seconds) >= rule.over_seconds


def number_counted(rule: ThresholdRule, responses: Sequence[RecordedResponse]) -> int:
    """How many they are for the rule: those of one period count once."""
    if rule.days_apart == 0:
        return len(responses)
    days = {int(each.occurred_at.timestamp() // 86_400) for each in responses}
    return len({day // rule.days_apart for day in days})


def counted_responses(
    subject: ThresholdSubject, rule: ThresholdRule, rules: ThresholdRules, now: datetime
) -> list[RecordedResponse]:
    """The responses that count now for this rule.

    One at the very start of the window counts; one at the instant of the watermark does not.
    """
    since, after = rule.window_start(now), watermark(subject, rule, rules)
    return [
        response
        for response in subject.responses
        if (response.counts or _echoes_nothing(subject, response))
        and not response.held
        and response.channel == "email"
        and response.category is rule.category
        and response.through is rule.through
        and rules.counted_in(response.group_id, response.category) == rule.group_id
        and (since is None or response.occurred_at >= since)
        and (after is None or response.occurred_at > after)
    ]


def watermark(
    subject: ThresholdSubject, rule: ThresholdRule, rules: ThresholdRules
) -> datetime | None:
    """Only responses after this instant count, in addition to the window.

    The latest of: the contact's last reactivation, that in the group where the rule deactivates,
    the end of the last such deactivation (a rule can end one while others stay open), and, where
    it resets the category, the last delivery.
    """
    instants = [
        subject.reactivated_at,
        subject.memberships.get(rule.scope),
        subject.ended.get((rule.scope, rule.category)),
        subject.delivered_at if rules.reset_by_delivery(rule.category) else None,
    ]
    return max((each for each in instants if each is not None), default=None)


def _echoes_nothing(subject: ThresholdSubject, response: RecordedResponse) -> bool:
    """Whether it is the first echo of a category of which no response is on record."""
    if response.not_counted != ECHO:
        return False
    alike = [
        each
        for each in subject.responses
        if each.category is response.category and each.channel == "email"
    ]
    if any(each.counts or each.not_counted == DISCARDED for each in alike):
        return False
    echoes = [each for each in alike if each.not_counted == ECHO]
    return bool(echoes) and min(echoes, key=lambda each: each.occurred_at) is response


def _is_reached(subject: ThresholdSubject, rule: ThresholdRule) -> bool:
    """A group can deactivate only its members."""
    return rule.scope == SYSTEM_WIDE or rule.scope in subject.memberships
