"""What handling rules do to one contact, and when: the reference for the sweep and for `explain`.

A rule waits for its own category's threshold deactivations, each with a clock of its own. The
general rules hold for system-wide deactivations; for memberships and for deactivations in one
group those of the group come first, category by category.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.criteria.values import format_duration
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import HandlingAction, HandlingRule, ResponsePolicy
from contactctl.domain.responses import Category

# What common practice recommends; None: review by hand, or never reactivate.
RECOMMENDED: dict[Category, str] = {
    Category.TRANSIENT: "reactivate after 7 to 14 days",
    Category.UNKNOWN: "reactivate after 7 to 14 days",
    Category.COMMUNICATION_FAILURE: "reactivate after 14 to 21 days",
    Category.BLOCKED: "review by hand before reactivating",
    Category.INVALID_ADDRESS: "do not reactivate; the address does not exist",
    Category.SPAM_COMPLAINT: "do not reactivate; the recipient objected",
}
RECOMMENDED_DAYS: dict[Category, tuple[int, int]] = {
    Category.TRANSIENT: (7, 14),
    Category.UNKNOWN: (7, 14),
    Category.COMMUNICATION_FAILURE: (14, 21),
}
# no rule should bring these back; by hand, it needs more than the email typed
NOT_TO_REACTIVATE = (Category.SPAM_COMPLAINT, Category.INVALID_ADDRESS)


@dataclass(frozen=True)
class TimedRule:
    """A handling rule at one instant: it is due for what started at `cutoff` or before.

    `group_id` None is the general rule; `others` are the groups with a rule of their own for this
    category, where the general one does not hold.
    """

    action: HandlingAction
    category: Category
    cutoff: datetime
    group_id: int | None
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class OpenDeactivation:
    """A reason why a contact is inactive now; `group` None: system-wide. Bulk has no category."""

    group: str | None
    origin: Origin
    category: Category | None
    started_at: datetime


@dataclass(frozen=True)
class HandledContact:
    """What handling rules look at. `complained`: a complaint by email is on record, ever."""

    open: Sequence[OpenDeactivation]
    groups: frozenset[str]
    complained: bool = False

    @property
    def blocks_reactivation(self) -> bool:
        """A complaint, recorded or still open as a deactivation, blocks every reactivation."""
        return self.complained or any(
            each.category is Category.SPAM_COMPLAINT for each in self.open
        )


@dataclass(frozen=True)
class Step:
    """One thing that a rule does. `group` None: the system-wide deactivation ends.

    `blocked`: a complaint keeps it from happening.
    """

    action: HandlingAction
    category: Category
    group: str | None
    due_at: datetime
    blocked: bool = False


def upcoming_steps(contact: HandledContact, policy: ResponsePolicy) -> list[Step]:
    """Everything the rules will do if nothing else happens, soonest first; each step once."""
    soonest: dict[tuple[HandlingAction, Category, str | None], Step] = {}
    for step in _steps(contact, policy):
        key = (step.action, step.category, step.group)
        known = soonest.get(key)
        if known is None or step.due_at < known.due_at:
            soonest[key] = step
    return sorted(soonest.values(), key=lambda step: (step.due_at, step.category, step.group or ""))


def _steps(contact: HandledContact, policy: ResponsePolicy) -> Iterator[Step]:
    for each in contact.open:
        if (rule := reactivation_rule(each, policy)) and each.category:
            yield Step(
                HandlingAction.REACTIVATE,
                each.category,
                each.group,
                each.started_at + rule.after,
                blocked=contact.blocks_reactivation,
            )
        yield from _removals(each, contact, policy)


def rule_text(rule: HandlingRule) -> str:
    """`remove from group after 90 days`."""
    return f"{rule.action.replace('-', ' ')} after {format_duration(rule.after)}"


def reactivation_rule(
    deactivation: OpenDeactivation, policy: ResponsePolicy
) -> HandlingRule | None:
    """The rule that will end it; only a threshold's deactivation ever ends by rule."""
    if deactivation.origin is not Origin.THRESHOLD or deactivation.category is None:
        return None
    group = deactivation.group
    rules = policy.handling if group is None else policy.handling_in(group)
    rule = rules.get(deactivation.category)
    return rule if rule and rule.action is HandlingAction.REACTIVATE else None


def _removals(
    deactivation: OpenDeactivation, contact: HandledContact, policy: ResponsePolicy
) -> Iterator[Step]:
    """The memberships that the deactivation removes: all, or that of its own group."""
    if deactivation.origin is not Origin.THRESHOLD or deactivation.category is None:
        return
    held_in = contact.groups if deactivation.group is None else {deactivation.group}
    for group in sorted(held_in & contact.groups):
        rule = policy.handling_in(group).get(deactivation.category)
        if rule and rule.action is HandlingAction.REMOVE_FROM_GROUP:
            yield Step(
                rule.action, deactivation.category, group, deactivation.started_at + rule.after
            )


# What keeps one contact from getting messages, and what brings it back


@dataclass(frozen=True)
class Reason:
    """One open deactivation; `group_id` SYSTEM_WIDE, or that of the only group it holds in."""

    group_id: int
    group: str | None
    run: int
    origin: Origin
    category: str
    started_at: datetime


@dataclass(frozen=True)
class ContactStanding:
    """A contact with what stands between it and messages; compared to tell whether it changed."""

    id: int
    email: str
    email_key: str
    status: Status
    revision: int
    complained: bool
    reasons: tuple[Reason, ...]
    memberships: tuple[tuple[int, str, MembershipState], ...]

    @property
    def is_erased(self) -> bool:
        """Anonymised: what stands in place of the address is none."""
        return "@" not in self.email_key

    def reasons_in(self, group_id: int) -> tuple[Reason, ...]:
        """The open deactivations of one scope."""
        return tuple(reason for reason in self.reasons if reason.group_id == group_id)

    def membership_in(self, group_id: int) -> MembershipState | None:
        """The state of the membership; None where there is none."""
        states = {number: state for number, _, state in self.memberships}
        return states.get(group_id)

    def as_handled(self) -> HandledContact:
        """The contact as handling rules look at it; an override is out of their reach."""
        return HandledContact(
            open=tuple(
                OpenDeactivation(
                    reason.group,
                    reason.origin,
                    Category(reason.category) if reason.category else None,
                    reason.started_at,
                )
                for reason in self.reasons
            ),
            groups=frozenset(
                name for _, name, state in self.memberships if state is not MembershipState.ACTIVE
            ),
            complained=self.complained,
        )
