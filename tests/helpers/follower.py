"""Another system that follows the changes of a store, and knows nothing else of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contactctl.store.database.store import Store
from contactctl.store.selections import deliverable, deliverable_in, stream_contacts


@dataclass
class Follower:
    """Keeps what the lines of `contacts changes --format jsonl` say, each once."""

    active: dict[int, bool] = field(default_factory=dict)
    emails: dict[int, str] = field(default_factory=dict)
    members: dict[tuple[int, int], str] = field(default_factory=dict)
    unsubscribed: set[int] = field(default_factory=set)
    seen: set[tuple[int, int, int | None]] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)

    def take(self, lines: Iterable[str]) -> list[str]:
        """Follow the lines; what was new among them, as `contact change group`."""
        return [told for line in lines if (told := self._follow(json.loads(line)))]

    def _follow(self, change: dict[str, Any]) -> str:
        key = (change["number"], change["contact"], change["group_id"])
        if key in self.seen:
            return ""
        self.seen.add(key)
        self.numbers.append(change["number"])
        contact, kind, group = change["contact"], change["change"], change["group_id"]
        if change["email"]:
            self.emails[contact] = change["email"]
        if group is None:
            self._follow_contact(contact, kind)
        elif kind == "left":
            self.members.pop((contact, group), None)
        elif change["state"]:
            self.members[contact, group] = change["state"]
        return " ".join([str(contact), kind, *([change["group"]] if change["group"] else [])])

    def _follow_contact(self, contact: int, kind: str) -> None:
        match kind:
            case "added":
                self.active[contact] = True
            case "deactivated" | "reactivated":
                self.active[contact] = kind == "reactivated"
                if kind == "reactivated":
                    self.unsubscribed.discard(contact)
            case "unsubscribed":
                self.unsubscribed.add(contact)
            case "erased" | "merged":
                self.active.pop(contact, None)
                self.emails.pop(contact, None)
                for member in [each for each in self.members if each[0] == contact]:
                    del self.members[member]

    def deliverable(self) -> set[str]:
        return {self.emails[contact] for contact, active in self.active.items() if active}

    def deliverable_in(self, group: int, *, bypasses: bool) -> set[str]:
        return {
            self.emails[contact]
            for (contact, of_group), state in self.members.items()
            if of_group == group
            and (state == "active" or (state == "follows" and self._is_mailed(contact, bypasses)))
        }

    def _is_mailed(self, contact: int, bypasses: bool) -> bool:
        return contact not in self.unsubscribed if bypasses else self.active[contact]


def require_followed(store: Store, follower: Follower, groups: Iterable[int]) -> None:
    """The follower would mail exactly whom the store would mail, in every group as well."""
    with store.reading() as connection:

        def mailed(condition: object) -> set[str]:
            return {contact.email for contact in stream_contacts(connection, [condition])}

        assert follower.deliverable() == mailed(deliverable())
        for group in groups:
            for bypasses in (False, True):
                expected = mailed(deliverable_in(group, bypass_system_wide=bypasses))
                assert follower.deliverable_in(group, bypasses=bypasses) == expected
