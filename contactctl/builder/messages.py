"""What the builder's screens and threads tell the application."""

from dataclasses import dataclass
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


@dataclass
class StoreOpened(Message):
    """The store is open: the conditions can be edited."""

    opened: "Opened"


class Changed(Message):
    """What the header says may have changed."""


@dataclass
class Answered(Message):
    """The store has answered a query of the live count."""

    answer: "Answer"


@dataclass
class Chosen(Message):
    """Deactivate the contacts of these criteria."""

    criteria: "Criteria"


@dataclass
class PlanMade(Message):
    """The plan is ready; None: no contact matches. `waiting` is the screen shown until then."""

    plan: "ShownPlan | None"
    waiting: Screen[None]


@dataclass
class Confirmed(Message):
    """The right answer was typed, for this run."""

    run: "Run"
    said: "Confirmation"


@dataclass
class Kept(Message):
    """The plan stays, for a second operator."""

    run: "Run"


@dataclass
class Declined(Message):
    """The plan is not wanted."""

    run: "Run"


@dataclass
class Begun(Message):
    """The run has started, in its own process."""

    run: "Run"


@dataclass
class Advanced(Message):
    """The run has processed this many more contacts."""

    steps: int


@dataclass
class Finished(Message):
    """The run is final, or no process works on it."""

    watched: "Watched"


@dataclass
class Failed(Message):
    """A thread met an expected failure; `waiting` is the screen, if any, that waits for it."""

    problem: "ContactctlError"
    waiting: Screen[None] | None
