"""What the builder's screens and threads tell the application."""

from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen

if TYPE_CHECKING:
    from contactctl.builder.live_count import Answer
    from contactctl.builder.opened import Opened
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.domain.errors import ContactctlError
    from contactctl.domain.runs import Confirmation, Run
    from contactctl.operations.plans import ShownPlan
    from contactctl.operations.runs import Watched


class StoreOpened(Message):
    """The store is open: the conditions can be edited."""

    def __init__(self, opened: "Opened") -> None:
        super().__init__()
        self.opened = opened


class Changed(Message):
    """What the header says may have changed."""


class Answered(Message):
    """The store has answered a query of the live count."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__()
        self.answer = answer


class Chosen(Message):
    """Deactivate the contacts of these criteria."""

    def __init__(self, criteria: "Criteria") -> None:
        super().__init__()
        self.criteria = criteria


class PlanMade(Message):
    """The plan is ready; None: no contact matches. `waiting` is the screen shown until then."""

    def __init__(self, plan: "ShownPlan | None", waiting: Screen[None]) -> None:
        super().__init__()
        self.plan = plan
        self.waiting = waiting


class Confirmed(Message):
    """The right answer was typed, for this run."""

    def __init__(self, run: "Run", said: "Confirmation") -> None:
        super().__init__()
        self.run = run
        self.said = said


class Kept(Message):
    """The plan stays, for a second operator."""

    def __init__(self, run: "Run") -> None:
        super().__init__()
        self.run = run


class Declined(Message):
    """The plan is not wanted."""

    def __init__(self, run: "Run") -> None:
        super().__init__()
        self.run = run


class Begun(Message):
    """The run has started, in its own process."""

    def __init__(self, run: "Run") -> None:
        super().__init__()
        self.run = run


class Advanced(Message):
    """The run has processed this many more contacts."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps


class Finished(Message):
    """The run is final, or no process works on it."""

    def __init__(self, watched: "Watched") -> None:
        super().__init__()
        self.watched = watched


class Failed(Message):
    """A thread met an expected failure; `waiting` is the screen, if any, that waits for it."""

    def __init__(self, problem: "ContactctlError", waiting: Screen[None] | None) -> None:
        super().__init__()
        self.problem = problem
        self.waiting = waiting
