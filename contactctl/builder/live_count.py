"""The count while criteria are edited: one query at a time, and always the newest.

Every edit starts a new generation of the query, and cancels the one that runs. An answer carries
its query's generation, so an answer to older criteria is recognised and never shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import CANCELLED, ContactctlError
from contactctl.operations.criteria import Preview

DEBOUNCE_S = 0.15
_CANCEL_AGAIN_S = 0.05  # a cancellation between two statements reaches neither


@dataclass(frozen=True, slots=True)
class Answer:
    """What criteria of one generation select, or why they cannot be counted."""

    generation: int
    preview: Preview | None = None
    problem: ContactctlError | None = None


class LiveCount:
    """Queries in one thread and cancels in another: `request` never waits for the store.

    `ask` counts, and raises ContactctlError if `cancel` is called meanwhile; `deliver` gets the
    answers, in the querying thread.
    """

    def __init__(
        self,
        ask: Callable[[Criteria], Preview],
        cancel: Callable[[], None],
        deliver: Callable[[Answer], None],
        *,
        debounce_s: float = DEBOUNCE_S,
    ) -> None:
        self._ask = ask
        self._cancel = cancel
        self._deliver = deliver
        self._debounce_s = debounce_s
        self._changed = Condition()
        self._generation = 0
        self._waiting: Criteria | None = None
        self._asked: int | None = None  # the generation that the store is counting
        self._cancelling = False
        self._closed = False
        self._threads = [
            Thread(target=self._ask_on, name="count", daemon=True),
            Thread(target=self._cancel_on, name="cancel count", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def request(self, criteria: Criteria | None) -> int:
        """Count these criteria from now on (None: nothing); returns their generation."""
        with self._changed:
            self._generation += 1
            self._waiting = criteria
            self._changed.notify_all()
            return self._generation

    def is_current(self, answer: Answer) -> bool:
        """The answer belongs to the newest query."""
        with self._changed:
            return answer.generation == self._generation

    def close(self) -> None:
        """Stop counting; a running query is cancelled, and has ended on return."""
        with self._changed:
            self._closed = True
            self._generation += 1
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _ask_on(self) -> None:
        while (question := self._next_question()) is not None:
            answer = self._answer(*question)
            with self._changed:
                self._asked = None
                self._changed.notify_all()
            if self.is_current(answer):
                self._deliver(answer)

    def _next_question(self) -> tuple[int, Criteria] | None:
        """The newest query, once it has not changed for a moment; None when closed."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._closed or self._may_ask())
                if self._closed:
                    return None
                resting = self._generation
                if self._edited_since(resting) or self._waiting is None:
                    continue
                criteria, self._waiting = self._waiting, None
                self._asked = resting
                return resting, criteria

    def _may_ask(self) -> bool:
        """A late cancellation must not reach the next query."""
        return self._waiting is not None and not self._cancelling

    def _edited_since(self, generation: int) -> bool:
        return self._changed.wait_for(lambda: self._generation != generation, self._debounce_s)

    def _answer(self, generation: int, criteria: Criteria) -> Answer:
        try:
            return self._attempt(generation, criteria)
        except ContactctlError as problem:
            if problem.code != CANCELLED:
                return Answer(generation, problem=problem)
        try:  # the server may pass on an older question's cancellation late
            return self._attempt(generation, criteria)
        except ContactctlError as problem:
            return Answer(generation, problem=problem)

    def _attempt(self, generation: int, criteria: Criteria) -> Answer:
        return Answer(generation, self._ask(criteria))

    def _cancel_on(self) -> None:
        while self._outdated():
            self._cancel()
            with self._changed:
                self._cancelling = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._asked is None, _CANCEL_AGAIN_S)

    def _outdated(self) -> bool:
        """Wait until the store is busy with an older query; False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_outdated() or self._closed)
            self._cancelling = self._is_outdated()
            return self._cancelling

    def _is_outdated(self) -> bool:
        return self._asked is not None and self._asked != self._generation
