"""A contact as the domain sees it: plain values, no database."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from contactctl.domain.criteria.fields import (
    ATTRIBUTE_PREFIX,
    EXTERNAL_ID_FIELD,
    NOT_COUNTED_FIELD,
    RESPONSES_PREFIX,
    UNSUBSCRIBED_FIELD,
    UNSUBSCRIBED_FROM_FIELD,
)
from contactctl.domain.lazy import dataclass


class Status(StrEnum):
    """Active exactly when no system-wide deactivation is open."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class MembershipState(StrEnum):
    """`follows`: the contact's status decides; `active`: override; `inactive`: here alone."""

    FOLLOWS = "follows"
    ACTIVE = "active"
    INACTIVE = "inactive"


class Origin(StrEnum):
    """Where a deactivation came from."""

    BULK = "bulk"
    INDIVIDUAL = "individual"
    THRESHOLD = "threshold"
    IMPORT = "import"
    UNSUBSCRIBE = "unsubscribe"


# A contact with all that is stored about it, to be shown or exported


@dataclass(frozen=True)
class GroupMembership:
    """A contact's place in one group."""

    group: str
    state: MembershipState


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class FormerAddress:
    """An address that a contact had until a run gave it another.

    `from_contact` had it, where that one was merged into this one.
    """

    email: str
    ended_at: datetime
    run: int
    from_contact: int | None = None


@dataclass(frozen=True)
class ExternalId:
    """What a source of the config calls a contact."""

    source: str
    id: str

    def __str__(self) -> str:
        return f"{self.source}:{self.id}"


@dataclass(frozen=True)
class ContactRecord:
    """One contact. `values` maps every field that is a column of its own to its value or None.

    `responses` are the counted ones by category, `not_counted` why others are not. What
    was not asked for is empty.
    """

    id: int
    email: str
    email_domain: str
    status: Status
    values: Mapping[str, object]
    attributes: Mapping[str, object]
    tags: Sequence[str] = ()
    groups: Sequence[GroupMembership] = ()
    deactivations: Sequence[DeactivationRecord] = field(default_factory=tuple)
    responses: Mapping[str, int] = field(default_factory=dict)
    not_counted: Sequence[str] = ()
    unsubscribed: datetime | None = None
    unsubscribed_from: Sequence[str] = ()
    former_addresses: Sequence[FormerAddress] = ()
    external_ids: Sequence[ExternalId] = ()

    def by_field(self) -> dict[str, object]:
        """The value of each field of the catalogue that the contact has, by the field's name."""
        return {
            "id": self.id,
            "email": self.email,
            "email_domain": self.email_domain,
            "status": self.status,
            **self.values,
            "tag": self.tags,
            "group": [membership.group for membership in self.groups],
            "group_active": self._groups_that_are(MembershipState.ACTIVE),
            "group_inactive": self._groups_that_are(MembershipState.INACTIVE),
            EXTERNAL_ID_FIELD: [str(each) for each in self.external_ids],
            **self._deactivation_values(),
            **{f"{RESPONSES_PREFIX}{name}": number for name, number in self.responses.items()},
            NOT_COUNTED_FIELD: self.not_counted,
            UNSUBSCRIBED_FIELD: self.unsubscribed,
            UNSUBSCRIBED_FROM_FIELD: self.unsubscribed_from,
            **{f"{ATTRIBUTE_PREFIX}{name}": value for name, value in self.attributes.items()},
        }

    def _groups_that_are(self, state: MembershipState) -> list[str]:
        return [membership.group for membership in self.groups if membership.state is state]

    def _deactivation_values(self) -> dict[str, object]:
        """Of the deactivations that are open system-wide and make the contact inactive."""
        ours = [d for d in self.deactivations if d.group is None and d.ended_at is None]
        return {
            "deactivated": max((each.started_at for each in ours), default=None),
            "deactivation_origin": sorted({each.origin for each in ours}),
            "deactivation_category": sorted({each.category for each in ours} - {""}),
            "deactivation_run": sorted({each.run for each in ours}),
        }
