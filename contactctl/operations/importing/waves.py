"""Rows of one batch -> waves in which no address occurs twice, so that each can go in as a set."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from contactctl.domain.contacts import MembershipState
from contactctl.domain.text import fold
from contactctl.operations.importing.convert import KEY, Converted
from contactctl.store.imports import Wave
from contactctl.store.staged import Staged


@dataclass(slots=True)
class Waves:
    """Row lists to be put in one after the other; `repeated` rows say what the one before said."""

    rows: list[list[Staged]] = field(default_factory=list)
    repeated: int = 0


def split_into_waves(converted: Converted) -> Waves:
    """The rows as if each were applied alone, in the file's order, in as few waves as possible."""
    rows = converted.rows
    if len({row[KEY] for row in rows}) == len(rows):
        return Waves([rows] if rows else [])
    waves = Waves()
    latest: dict[str, tuple[int, object]] = {}
    for row in rows:
        content = (row[KEY + 1 :], converted.besides(row[0]))
        number, before = latest.get(row[KEY], (-1, None))
        if before == content:
            waves.repeated += 1
            continue
        latest[row[KEY]] = (number + 1, content)
        if number + 1 == len(waves.rows):
            waves.rows.append([])
        waves.rows[number + 1].append(row)
    return waves


def wave_of(
    rows: Sequence[Staged],
    converted: Converted,
    group_ids: Mapping[str, int],
    moved: AbstractSet[int] = frozenset(),
) -> Wave:
    """The rows with the tags, memberships and reasons to be inactive that they bring; `moved` are
    the positions of those whose contact has had another address until now."""
    tags, inactive, ids = converted.tags, converted.inactive, converted.external_ids
    states = {
        MembershipState.FOLLOWS: converted.groups,
        MembershipState.ACTIVE: converted.groups_active,
        MembershipState.INACTIVE: converted.groups_inactive,
    }
    # of two states in one group the last one holds: the one that keeps mail away
    members: dict[tuple[int, int], str] = {
        (row[0], group_ids[fold(name)]): state.value
        for state, groups in states.items()
        if groups
        for row in rows
        for name in groups.get(row[0], ())
    }
    return Wave(
        rows,
        [(row[0], fold(tag), tag) for row in rows for tag in tags.get(row[0], ())] if tags else (),
        [(*member, state) for member, state in members.items()],
        [
            (row[0], reason, inactive[row[0]].since)
            for row in rows
            if row[0] in inactive
            for reason in inactive[row[0]].reasons
        ]
        if inactive
        else (),
        [(row[KEY], ids[row[0]]) for row in rows] if ids else (),
        [(row[0],) for row in rows if row[0] in moved] if moved else (),
    )
