"""What happened to who may be mailed, as other systems are told of it."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from contactctl.domain.lazy import dataclass


class ChangeKind(StrEnum):
    """What happened to a contact, in a group or everywhere.

    In a group: `deactivated` there alone, `reactivated` there, which may be an override.
    `merged` is told of the contact that is gone.
    """

    ADDED = "added"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    JOINED = "joined"
    LEFT = "left"
    OVERRIDE_CLEARED = "override-cleared"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    READDRESSED = "readdressed"
    MERGED = "merged"
    ERASED = "erased"
    EDITED = "edited"
    TAGGED = "tagged"
    UNTAGGED = "untagged"


# who follows learns who may be mailed where, and by which address; data and tags are not followed
FOLLOWED: Collection[ChangeKind] = frozenset(ChangeKind) - {
    ChangeKind.EDITED,
    ChangeKind.TAGGED,
    ChangeKind.UNTAGGED,
}


@dataclass(frozen=True)
class Change:
    """One change of one contact. `number` grows in the order in which changes took place; those of
    one batch may share it, and come in the order of contacts and groups.

    `email` is the address that the contact had after the change, None where it is erased by now;
    `previous_email` the one that the change took away. `group` None: everywhere. `state` is the
    membership's (MembershipState) after it, '' where the change is not one of a group. `into` is
    the contact that another was merged into; `run` None: it was so when the record began.
    """

    number: int
    at: datetime
    kind: ChangeKind
    contact: int
    email: str | None
    previous_email: str | None = None
    group_id: int | None = None
    group: str | None = None
    state: str = ""
    into: int | None = None
    run: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What one run did to one contact.

    `change` is a ChangeKind, or `ended` for a reason that the run ended. `email` is None where the
    contact is erased by now; `group` None: everywhere. `origin` and `category` are the
    deactivation's.
    """

    contact: int
    email: str | None
    change: str
    at: datetime
    group: str | None = None
    origin: str = ""
    category: str = ""
