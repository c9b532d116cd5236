"""What the builder's threads tell its screens."""

from collections.abc import Sequence

from textual.message import Message
from textual.screen import Screen

from contactctl.builder.live_count import Answer
from contactctl.domain.errors import ContactctlError
from contactctl.domain.runs import Run
from contactctl.operations.plans import ShownPlan
from contactctl.operations.runs import Watched


class Answered(Message):
    """The store has answered a query of the live count."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class GroupsRead(Message):
    """The names of the store's groups are there: the conditions can be edited."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names


class PlanMade(Message):
    """The plan is ready; None: no contact matches. `waiting` is the screen shown until then."""

    def __init__(self, plan: ShownPlan | None, waiting: Screen[None]) -> None:
        super().__init__()
        self.plan = plan
        self.waiting = waiting


class Begun(Message):
    """The run has started, in its own process."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


class Advanced(Message):
    """The run has processed this many more contacts."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps


class Finished(Message):
    """The run is final, or no process works on it."""

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self.watched = watched


class Failed(Message):
    """A thread met an expected failure; `waiting` is the screen, if any, that waits for it."""

    def __init__(self, problem: ContactctlError, waiting: Screen[None] | None) -> None:
        super().__init__()
        self.problem = problem
        self.waiting = waiting
