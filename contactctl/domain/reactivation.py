"""What keeps one contact from getting messages, and what brings it back."""

from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.handling import HandledContact, OpenDeactivation
from contactctl.domain.responses import Category


@dataclass(frozen=True, slots=True)
class Reason:
    """One open deactivation; `group_id` SYSTEM_WIDE, or that of the only group it holds in."""

    group_id: int
    group: str | None
    run: int
    origin: Origin
    category: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class ContactStanding:
    """A contact with what stands between it and messages; compared to tell whether it changed."""

    id: int
    email: str
    email_key: str
    status: Status
    revision: int
    complained: bool
    reasons: tuple[Reason, ...]
    memberships: tuple[tuple[int, str, MembershipState], ...]

    @property
    def is_erased(self) -> bool:
        """Anonymised: what stands in place of the address is none."""
        return "@" not in self.email_key

    def reasons_in(self, group_id: int) -> tuple[Reason, ...]:
        """The open deactivations of one scope."""
        return tuple(reason for reason in self.reasons if reason.group_id == group_id)

    def membership_in(self, group_id: int) -> MembershipState | None:
        """The state of the membership; None where there is none."""
        states = {number: state for number, _, state in self.memberships}
        return states.get(group_id)

    def as_handled(self) -> HandledContact:
        """The contact as handling rules look at it; an override is out of their reach."""
        return HandledContact(
            open=tuple(
                OpenDeactivation(
                    reason.group,
                    reason.origin,
                    Category(reason.category) if reason.category else None,
                    reason.started_at,
                )
                for reason in self.reasons
            ),
            groups=frozenset(
                name for _, name, state in self.memberships if state is not MembershipState.ACTIVE
            ),
            complained=self.complained,
        )
