"""What other thresholds and handling rules would do to the contacts as they are now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contactctl.config.load import load_settings_file
from contactctl.domain.policies import HandlingAction
from contactctl.domain.responses import Category
from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.operations.handling import handling_due
from contactctl.operations.session import Session
from contactctl.operations.thresholds import threshold_rules_in_force
from contactctl.store.groups import group_names_by_id
from contactctl.store.threshold_sql import DueCounts, count_reached


@dataclass(frozen=True, slots=True)
class Rule:
    """What one category leads to. `action` None: deactivate; `group` None: system-wide."""

    action: HandlingAction | None
    group: str | None
    category: Category


@dataclass(frozen=True, slots=True)
class Effect:
    """How many contacts are due now under one config, each of them once, and under each rule.

    Thresholds would deactivate `deactivated` contacts, `active` of which are active now; handling
    rules would reactivate `handled` contacts or remove them from groups.
    """

    deactivated: int
    active: int
    handled: int
    by_rule: Mapping[Rule, int]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The effect of a file's rules beside that of the rules in force."""

    file: Path
    warnings: tuple[str, ...]
    found: Effect
    in_force: Effect


def what_if(session: Session, path: Path) -> WhatIf:
    """Count with the thresholds and handling rules of a config file. Raises ConfigError."""
    loaded = load_settings_file(path)
    other = replace(session, settings=loaded.settings)
    return WhatIf(path, loaded.warnings, _effect(other), _effect(session))


def _effect(session: Session) -> Effect:
    thresholds = threshold_rules_in_force(session)
    with session.store.reading() as connection:
        names = group_names_by_id(connection)
        due = count_reached(connection, thresholds, session.now)
    handling = handling_due(session)
    by_rule = dict(_reaching_thresholds(due, names))
    by_rule |= {
        Rule(each.action, each.group, each.category): each.contacts for each in handling.by_rule
    }
    return Effect(due.contacts, due.active, handling.contacts, by_rule)


def _reaching_thresholds(due: DueCounts, names: Mapping[int, str]) -> Iterator[tuple[Rule, int]]:
    for (scope, category), contacts in sorted(due.by_scope.items()):
        group = None if scope == SYSTEM_WIDE else names[scope]
        yield Rule(None, group, category), contacts
