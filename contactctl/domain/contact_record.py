"""A contact with all that is stored about it, to be shown or exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contactctl.domain.contacts import MembershipState, Origin, Status


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """A contact's place in one group."""

    group: str
    state: MembershipState


@dataclass(frozen=True, slots=True)
class DeactivationRecord:
    """One reason why a contact is, or was, inactive; `group` None: system-wide.

    `run` opened it, `ended_by` ended it.
    """

    group: str | None
    origin: Origin
    category: str
    started_at: datetime
    ended_at: datetime | None
    run: int
    ended_by: int | None = None

    @property
    def scope(self) -> str:
        return "system-wide" if self.group is None else "group"


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One contact. `values` maps every field that is a column of its own to its value or None."""

    id: int
    email: str
    status: Status
    values: Mapping[str, object]
    attributes: Mapping[str, object]
    tags: Sequence[str] = ()
    groups: Sequence[GroupMembership] = ()
    deactivations: Sequence[DeactivationRecord] = field(default_factory=tuple)
