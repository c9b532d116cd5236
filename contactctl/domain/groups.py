"""A group as it is listed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group with its size; `active_members` are those whose contact is active."""

    id: int
    name: str
    created: datetime
    members: int
    active_members: int
