"""What one run did to one contact."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """`change` is a ChangeKind, or `ended` for a reason that the run ended.

    `email` is None where the contact is erased by now; `group` None: everywhere. `origin` and
    `category` are the deactivation's.
    """

    contact: int
    email: str | None
    change: str
    at: datetime
    group: str | None = None
    origin: str = ""
    category: str = ""
