"""Which plan may be begun, kept or dropped."""

import pytest

from contactctl.builder.opened import PlanInHand
from contactctl.builder.plan import confirmation_in
from contactctl.domain.criteria.tree import prebuilt_criteria
from contactctl.domain.errors import RefusedError
from contactctl.domain.runs import Confirmation, Run, RunState, Stakes
from contactctl.operations.plans import ShownPlan
from contactctl.operations.session import Session
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS, active_ids, plan_items, states
from helpers.sessions import make_session

CONTACTS = 40


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS)


def make(hand: PlanInHand) -> ShownPlan:
    plan = hand.make(prebuilt_criteria(), "", prebuilt=True, wanted=lambda: True)
    assert plan is not None
    return plan


def said(plan: ShownPlan) -> Confirmation:
    return Confirmation(plan.run.planned)


def test_a_plan_takes_the_place_of_another(session: Session, store: Store) -> None:
    hand = PlanInHand(session, lambda _run: None)
    first, second = make(hand), make(hand)

    assert states(store) == [RunState.CANCELLED, RunState.PLANNED]
    assert plan_items(store) == second.run.planned
    with pytest.raises(RefusedError, match="run 1 is no longer waiting"):
        hand.begin(first.run.id, said(first))
    with pytest.raises(RefusedError, match="run 1 is no longer waiting"):
        hand.keep(first.run.id)
    hand.drop(first.run.id)
    assert states(store) == [RunState.CANCELLED, RunState.PLANNED]


def test_a_run_begins_once(session: Session, store: Store) -> None:
    processes: list[Run] = []
    hand = PlanInHand(session, processes.append)
    plan = make(hand)

    begun = hand.begin(plan.run.id, said(plan))

    assert hand.begin(plan.run.id, said(plan)) == begun == hand.begun
    assert processes == [begun.run]
    hand.close()
    assert states(store) == [RunState.RUNNING]


def test_another_count_than_the_plans_begins_nothing(session: Session, store: Store) -> None:
    hand = PlanInHand(session, lambda _run: None)
    plan = make(hand)

    with pytest.raises(RefusedError, match="contacts match"):
        hand.begin(plan.run.id, Confirmation(plan.run.planned + 1))
    assert states(store) == [RunState.CANCELLED]
    assert (plan_items(store), len(active_ids(store))) == (0, CONTACTS)


def test_a_plan_over_a_limit_is_not_begun_by_its_count(session: Session, store: Store) -> None:
    hand = PlanInHand(make_session(store), lambda _run: None)
    plan = make(hand)

    with pytest.raises(RefusedError, match="over the limits"):
        hand.begin(plan.run.id, said(plan))
    assert states(store) == [RunState.CANCELLED]


def test_a_kept_plan_outlives_the_builder(session: Session, store: Store) -> None:
    hand = PlanInHand(session, lambda _run: None)
    hand.keep(make(hand).run.id)
    hand.close()

    assert states(store) == [RunState.PLANNED]


def test_no_plan_is_made_once_the_builder_is_left(session: Session, store: Store) -> None:
    hand = PlanInHand(session, lambda _run: None)
    make(hand)
    hand.close()

    assert hand.make(prebuilt_criteria(), "", prebuilt=True, wanted=lambda: True) is None
    assert states(store) == [RunState.CANCELLED]


@pytest.mark.parametrize(
    ("exceeded", "typed", "confirmation"),
    [
        ((), "1,284", Confirmation(1284)),
        ((), "1285", None),
        (("too many",), "1284", None),
        (("too many",), " deactivate 1284 of 9000 ", Confirmation(1284, 1284)),
    ],
)
def test_what_is_typed_confirms_these_stakes(
    exceeded: tuple[str, ...], typed: str, confirmation: Confirmation | None
) -> None:
    stakes = Stakes("deactivate", 1284, 9000, exceeded)

    assert confirmation_in(typed, stakes) == confirmation
