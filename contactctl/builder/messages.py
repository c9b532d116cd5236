"""What the builder's screens tell the application."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.domain.runs import Confirmation, Run


class Changed(Message):
    """What the header says may have changed."""


@dataclass
class Chosen(Message):
    """Deactivate the contacts of these criteria."""

    criteria: "Criteria"


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
