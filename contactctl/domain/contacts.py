"""A contact as the domain sees it: plain values, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

JsonValue = object


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


@dataclass(frozen=True)
class ContactView:
    """Everything criteria can ask of one contact. Instants are aware; attributes are raw JSON.

    `values` are those of the other fields that are columns of their own, where there is one.
    """

    id: int
    email_key: str
    email_domain: str
    status: Status
    created: datetime
    updated: datetime
    values: Mapping[str, str | date | datetime | None] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    deactivated: datetime | None = None
    deactivation_origins: frozenset[str] = frozenset()
    deactivation_categories: frozenset[str] = frozenset()
    response_counts: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
