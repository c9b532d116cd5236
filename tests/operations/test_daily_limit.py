"""What automatic runs may deactivate within 24 hours, over midnight and a change of the clocks,
against a model that knows no SQL."""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from contactctl.domain.policies import DailyLimit, IncidentGuard, Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.runs import RunState
from contactctl.operations.runs import apply_run, resume_run
from contactctl.operations.thresholds import plan_thresholds, sweep_thresholds
from contactctl.store.database.store import Store
from helpers.ingested import add, deactivated, ingest, response
from helpers.responses import respond
from helpers.sessions import make_session
from helpers.thorough import IS_THOROUGH

MOST = 6
DAY = timedelta(days=1)
START = datetime(2026, 3, 28, 20, tzinfo=UTC)  # the night in which Europe puts its clocks forward
POLICY = ResponsePolicy(
    thresholds={Category.INVALID_ADDRESS: Threshold(1)},
    incident_guard=IncidentGuard(more_than=10**6),
)
LIMITS = Limits(10**6, per_day=DailyLimit(max_contacts=MOST))


@dataclass
class Model:
    """Who is due, who waits in the one plan, and who is gone."""

    due: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    planned_at: datetime = START
    gone: set[int] = field(default_factory=set)
    spent: list[tuple[datetime, int]] = field(default_factory=list)

    def pass_time(self, now: datetime) -> None:
        """A plan that nobody has confirmed for a day is none any more."""
        if now >= self.planned_at + DAY:
            self.due |= self.waiting
            self.waiting = set()

    def look_at(self, contacts: set[int], now: datetime) -> None:
        """Deactivate them within the day's limit; over it, let them wait unless others do."""
        spent = sum(number for at, number in self.spent if at > now - DAY)
        if not contacts:
            return
        if spent + len(contacts) <= MOST:
            self.gone |= contacts
            self.spent.append((now, len(contacts)))
        elif self.waiting:
            return
        else:
            self.waiting, self.planned_at = set(contacts), now
        self.due -= contacts

    def confirm(self) -> None:
        """What a person has seen is no automatic run's."""
        self.gone |= self.waiting
        self.waiting = set()


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(6 if IS_THOROUGH else 1))
def test_days_of_bounces_go_as_in_the_model(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    add(store, *(f"c{number}@example.com" for number in range(1, 201)))
    model, now, following = Model(), START, 1
    waited = 0
    for _ in range(16):
        now += timedelta(minutes=chance.choice([5, 60, 175, 360, 720, 1439, 1440, 1441]))
        session = make_session(store, now=now, responses=POLICY, limits=LIMITS)
        model.pass_time(now)
        new = set(range(following, following + chance.choice([0, 1, 1, 2, 3, 8])))
        following += len(new)
        events = [
            response(f"c{each}@example.com", "k", Category.INVALID_ADDRESS, occurred_at=now)
            for each in new
        ]
        ingest(session, events, [].append)
        model.due |= new
        model.look_at(set(new), now)
        assert {row[0] for row in deactivated(store)} == model.gone

        result = sweep_thresholds(session)
        model.look_at(set(model.due), now)
        assert {row[0] for row in deactivated(store)} == model.gone
        assert (result.waiting.planned if result.waiting else 0) == len(model.waiting)
        waited += bool(model.waiting)
        if result.waiting and chance.random() < 0.2:
            apply_run(session, result.waiting.id)
            model.confirm()
    assert waited
    assert model.spent


def test_a_further_reason_for_an_inactive_contact_spends_nothing_of_the_day(store: Store) -> None:
    add(store, *(f"c{number}@example.com" for number in range(1, 20)))
    policy = replace(
        POLICY, thresholds={**POLICY.thresholds, Category.SPAM_COMPLAINT: Threshold(1)}
    )
    session = make_session(store, now=START, responses=policy, limits=LIMITS)

    def tell(category: Category, *numbers: int) -> set[int]:
        events = [
            response(f"c{each}@example.com", category, category, occurred_at=START)
            for each in numbers
        ]
        ingest(session, events, [].append)
        return {row[0] for row in deactivated(store)}

    first = {1, 2, 3, 4}
    assert tell(Category.INVALID_ADDRESS, *first) == first
    assert tell(Category.SPAM_COMPLAINT, *first) == first
    assert len(deactivated(store)) == 8
    assert tell(Category.INVALID_ADDRESS, 5, 6) == first | {5, 6}
    assert tell(Category.INVALID_ADDRESS, 7) == first | {5, 6}  # the day is spent


def test_what_a_run_does_a_day_after_it_began_is_spent_of_that_day(store: Store) -> None:
    """One that was interrupted, and goes on when cron comes again."""
    add(store, *(f"c{number}@example.com" for number in range(1, 20)))
    session = make_session(store, now=START, responses=POLICY, limits=LIMITS)
    for number in (1, 2, 3, 4):
        respond(store, number, START, category=Category.INVALID_ADDRESS)
    run = plan_thresholds(session)
    assert run is not None
    assert run.state is RunState.RUNNING

    later = make_session(store, now=START + timedelta(hours=30), responses=POLICY, limits=LIMITS)
    resume_run(later, run.id)
    for number in (5, 6, 7):
        respond(store, number, later.now, category=Category.INVALID_ADDRESS)
    held_back = sweep_thresholds(later).waiting

    assert {row[0] for row in deactivated(store)} == {1, 2, 3, 4}
    assert held_back is not None
    assert held_back.planned == 3
