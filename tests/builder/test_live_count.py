"""The live count asks for the newest criteria alone, whatever comes in between."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Queue
from threading import Event
from typing import cast

import pytest

from contactctl.builder.live_count import Answer, LiveCount
from contactctl.domain.criteria.conditions import parse_condition
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import CANCELLED, BusyError, StoreError
from contactctl.operations.criteria import Preview

PATIENCE_S = 120


def criteria(number: int) -> Criteria:
    return Criteria(all=(parse_condition(f"id = {number}", FieldCatalogue()),))


@dataclass
class SlowStore:
    """Answers a question with itself, when it is told to; a cancelled one never."""

    asked: Queue[Criteria] = field(default_factory=Queue)
    released: Event = field(default_factory=Event)
    cancelled: Event = field(default_factory=Event)
    answers: Queue[Answer] = field(default_factory=Queue)
    errors: list[Exception] = field(default_factory=list)

    def ask(self, criteria: Criteria) -> Preview:
        self.cancelled.clear()
        self.asked.put(criteria)
        while not self.released.wait(0.001):
            if self.cancelled.is_set():
                raise BusyError("cancelled")
        if self.errors:
            raise self.errors.pop()
        return cast(Preview, criteria)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def count(store: SlowStore) -> Iterator[LiveCount]:
    counting = LiveCount(store.ask, store.cancelled.set, store.answers.put, debounce_s=0)
    counting.start()
    yield counting
    counting.close()


def test_an_edit_cancels_the_question_before(store: SlowStore, count: LiveCount) -> None:
    count.request(criteria(1))
    assert store.asked.get(timeout=PATIENCE_S) == criteria(1)
    for number in (2, 3, 4):
        newest = count.request(criteria(number))
    store_was_asked = store.asked.get(timeout=PATIENCE_S)
    while store_was_asked != criteria(4):
        store_was_asked = store.asked.get(timeout=PATIENCE_S)
    store.released.set()

    answer = store.answers.get(timeout=PATIENCE_S)

    assert (answer.generation, answer.preview) == (newest, criteria(4))
    assert count.is_current(answer)
    assert store.answers.empty()


def test_an_answer_is_no_longer_current_after_an_edit(store: SlowStore, count: LiveCount) -> None:
    store.released.set()
    count.request(criteria(1))
    answer = store.answers.get(timeout=PATIENCE_S)
    assert count.is_current(answer)

    count.request(None)

    assert not count.is_current(answer)


def test_unfinished_criteria_are_not_asked(store: SlowStore, count: LiveCount) -> None:
    store.released.set()
    count.request(None)
    count.request(criteria(2))

    assert store.answers.get(timeout=PATIENCE_S).preview == criteria(2)
    assert store.asked.qsize() == 1


def test_a_cancellation_that_comes_late_is_outlived(store: SlowStore, count: LiveCount) -> None:
    store.released.set()
    store.errors.append(StoreError("cancelled by the server", code=CANCELLED))
    count.request(criteria(1))

    assert store.answers.get(timeout=PATIENCE_S).preview == criteria(1)


def test_a_failure_is_an_answer(store: SlowStore, count: LiveCount) -> None:
    store.released.set()
    store.errors.append(StoreError("gone"))
    count.request(criteria(1))

    problem = store.answers.get(timeout=PATIENCE_S).problem

    assert problem is not None and problem.message == "gone"


def test_closing_ends_a_question_that_runs(store: SlowStore) -> None:
    counting = LiveCount(store.ask, store.cancelled.set, store.answers.put, debounce_s=0)
    counting.start()
    counting.request(criteria(1))
    store.asked.get(timeout=PATIENCE_S)

    counting.close()

    assert store.answers.empty()
