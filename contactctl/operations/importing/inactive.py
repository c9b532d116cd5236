"""Which rows of a file are of contacts that must not get mail, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.contacts import Origin, Status
from contactctl.operations.importing.options import InactiveRule

Cells = Sequence[str | None]

# deactivations of these origins have no category of their own
_WITHOUT_CATEGORY = {Origin.BULK.value, Origin.INDIVIDUAL.value}


@dataclass(frozen=True, slots=True)
class Inactive:
    """Why a contact is inactive: response categories, or empty text where none is known.

    `since` is an instant as staged rows hold it; None: nobody has said.
    """

    reasons: tuple[str, ...]
    since: str | None = None


def inactive_rows(
    rows: int,
    status: Mapping[str, Sequence[Any]],
    rules: Sequence[tuple[Cells, InactiveRule]],
    all_inactive: str | None,
) -> dict[int, Inactive]:
    """By position, every row that something calls inactive.

    `status` maps the status fields that the file has to their values: any of them that says so is
    enough, whatever the others say. `rules` come with the cells of their column.
    """
    reasons: dict[int, set[str]] = {}
    if all_inactive is not None:
        reasons = {at: {all_inactive} for at in range(rows)}
    for cells, rule in rules:
        for at, cell in enumerate(cells):
            if rule.holds_for(cell):
                reasons.setdefault(at, set()).add(rule.reason)
    for at, value in enumerate(status.get("status", ())):
        if value == Status.INACTIVE:
            reasons.setdefault(at, set())
    for name in ("deactivation_category", "deactivation_origin", "deactivated"):
        for at, value in enumerate(status.get(name, ())):
            if value:
                reasons.setdefault(at, set()).update(_reasons_in(name, value))
    since = status.get("deactivated")
    return {
        at: Inactive(tuple(sorted(_without_doubt(found))), since[at] if since else None)
        for at, found in reasons.items()
    }


def _reasons_in(name: str, value: Any) -> Sequence[str]:
    if name == "deactivation_category":
        return tuple(value)
    if name == "deactivation_origin":
        return ("bulk",) if not _WITHOUT_CATEGORY.isdisjoint(value) else ()
    return ()


def _without_doubt(reasons: set[str]) -> set[str]:
    """A reason without a category says nothing beside one with, unless the origins tell of both."""
    named = reasons - {"", "bulk"}
    return named | {""} if not named or "bulk" in reasons else named
