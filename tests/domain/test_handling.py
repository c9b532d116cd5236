"""Which rule does what to a contact, and when: every precedence by name."""

from datetime import UTC, datetime, timedelta

import pytest

from contactctl.domain.contacts import Origin
from contactctl.domain.handling import (
    HandledContact,
    OpenDeactivation,
    Step,
    upcoming_steps,
)
from contactctl.domain.policies import GroupPolicy, HandlingAction, HandlingRule, ResponsePolicy
from contactctl.domain.responses import Category
from helpers.handled import due_steps, ended_by

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
TRANSIENT, UNKNOWN, COMPLAINT = Category.TRANSIENT, Category.UNKNOWN, Category.SPAM_COMPLAINT
REACTIVATE, REMOVE = HandlingAction.REACTIVATE, HandlingAction.REMOVE_FROM_GROUP


def days(number: float) -> timedelta:
    return timedelta(days=number)


def rule(action: HandlingAction, after_days: int) -> HandlingRule:
    return HandlingRule(action, days(after_days))


def policy(*, groups: dict[str, HandlingRule] | None = None, **general: HandlingRule):
    """Rules for `transient` and so on; `groups` have one for transient each."""
    handling = {Category(name.replace("_", "-")): each for name, each in general.items()}
    own = {
        name: GroupPolicy(name, handling={TRANSIENT: each}) for name, each in (groups or {}).items()
    }
    return ResponsePolicy(handling=handling, groups=own)


def opened(
    category: Category | None = TRANSIENT,
    *,
    group: str | None = None,
    origin: Origin = Origin.THRESHOLD,
    started_at: datetime = START,
) -> OpenDeactivation:
    return OpenDeactivation(group, origin, category, started_at)


def contact(*deactivations: OpenDeactivation, groups: str = "", complained: bool = False):
    return HandledContact(deactivations, frozenset(groups.split()), complained)


def actions(steps: list[Step]) -> list[tuple[HandlingAction, str | None]]:
    return [(step.action, step.group) for step in steps]


TEN_DAYS = policy(transient=rule(REACTIVATE, 10))


def test_a_rule_is_due_exactly_when_its_days_are_over() -> None:
    waiting = contact(opened())

    assert due_steps(waiting, TEN_DAYS, START + days(10) - timedelta(microseconds=1)) == []
    assert actions(due_steps(waiting, TEN_DAYS, START + days(10))) == [(REACTIVATE, None)]


def test_without_a_rule_nothing_ever_happens() -> None:
    assert upcoming_steps(contact(opened(UNKNOWN)), TEN_DAYS) == []


@pytest.mark.parametrize("origin", [Origin.BULK, Origin.INDIVIDUAL, Origin.IMPORT])
def test_only_what_a_threshold_opened_ends_by_rule(origin: Origin) -> None:
    assert upcoming_steps(contact(opened(origin=origin)), TEN_DAYS) == []


def test_each_deactivation_has_a_clock_of_its_own() -> None:
    both = policy(transient=rule(REACTIVATE, 10), unknown=rule(REACTIVATE, 14))
    late = opened(UNKNOWN, started_at=START + days(3))
    waiting = contact(opened(), late)

    assert ended_by(waiting, both, START + days(10)) == [opened()]
    assert ended_by(waiting, both, START + days(17)) == [opened(), late]


def test_a_rule_ends_only_its_own_category() -> None:
    waiting = contact(opened(), opened(UNKNOWN))

    assert ended_by(waiting, TEN_DAYS, START + days(99)) == [opened()]


def test_a_recorded_complaint_blocks_the_pending_reactivation() -> None:
    waiting = contact(opened(), complained=True)

    assert due_steps(waiting, TEN_DAYS, START + days(99)) == []
    assert [step.blocked for step in upcoming_steps(waiting, TEN_DAYS)] == [True]


def test_an_open_complaint_blocks_other_categories_and_is_never_ended_itself() -> None:
    allowed = policy(transient=rule(REACTIVATE, 10), spam_complaint=rule(REACTIVATE, 1))
    waiting = contact(opened(), opened(COMPLAINT))

    assert due_steps(waiting, allowed, START + days(99)) == []
    assert ended_by(waiting, allowed, START + days(99)) == []


def test_a_complaint_does_not_keep_a_contact_in_a_group() -> None:
    removing = policy(spam_complaint=rule(REMOVE, 5))
    waiting = contact(opened(COMPLAINT), groups="news", complained=True)

    assert actions(due_steps(waiting, removing, START + days(5))) == [(REMOVE, "news")]


def test_a_general_removal_costs_every_membership() -> None:
    removing = policy(transient=rule(REMOVE, 5))

    due = due_steps(contact(opened(), groups="news offers"), removing, START + days(5))

    assert actions(due) == [(REMOVE, "news"), (REMOVE, "offers")]


def test_a_groups_own_rule_comes_before_the_general_one() -> None:
    rules = policy(transient=rule(REMOVE, 5), groups={"news": rule(REMOVE, 30)})

    due = due_steps(contact(opened(), groups="news offers"), rules, START + days(5))

    assert actions(due) == [(REMOVE, "offers")]


def test_a_removal_and_a_reactivation_that_are_both_due_both_happen() -> None:
    rules = policy(transient=rule(REACTIVATE, 10), groups={"news": rule(REMOVE, 7)})

    due = due_steps(contact(opened(), groups="news"), rules, START + days(21))

    assert actions(due) == [(REMOVE, "news"), (REACTIVATE, None)]


def test_a_groups_reactivation_ends_only_what_is_open_in_that_group() -> None:
    rules = policy(groups={"news": rule(REACTIVATE, 3)})
    waiting = contact(opened(), opened(group="news"), opened(group="offers"), groups="news offers")

    assert ended_by(waiting, rules, START + days(3)) == [opened(group="news")]


def test_the_general_reactivation_holds_in_groups_without_a_rule_of_their_own() -> None:
    rules = policy(transient=rule(REACTIVATE, 10), groups={"news": rule(REACTIVATE, 30)})
    waiting = contact(opened(group="news"), opened(group="offers"), groups="news offers")

    assert ended_by(waiting, rules, START + days(10)) == [opened(group="offers")]


def test_a_deactivation_in_one_group_costs_that_membership_alone() -> None:
    removing = policy(transient=rule(REMOVE, 5))
    waiting = contact(opened(group="news"), groups="news offers")

    assert actions(due_steps(waiting, removing, START + days(5))) == [(REMOVE, "news")]


def test_a_contact_that_left_the_group_is_not_removed_again() -> None:
    removing = policy(transient=rule(REMOVE, 5))

    assert due_steps(contact(opened(group="news")), removing, START + days(5)) == []


def test_two_reasons_for_one_removal_are_one_step_at_the_sooner_time() -> None:
    removing = policy(transient=rule(REMOVE, 5))
    waiting = contact(opened(started_at=START + days(1)), opened(group="news"), groups="news")

    (step,) = upcoming_steps(waiting, removing)

    assert step.due_at == START + days(5)
