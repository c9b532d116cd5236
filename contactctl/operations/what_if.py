"""What other thresholds would do to the contacts as they are now; nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contactctl.config.load import load_settings_file
from contactctl.domain.responses import Category
from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.operations.session import Session
from contactctl.operations.thresholds import rules_in_force
from contactctl.store.groups import group_names_by_id
from contactctl.store.threshold_sql import DueCounts, count_due


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What thresholds would deactivate now, beside what those in force would.

    `by_scope` maps (group, category) to contacts; group None: system-wide.
    """

    file: Path
    warnings: tuple[str, ...]
    contacts: int
    active: int
    contacts_in_force: int
    by_scope: Mapping[tuple[str | None, Category], int]
    by_scope_in_force: Mapping[tuple[str | None, Category], int]


def what_if(session: Session, path: Path) -> WhatIf:
    """Count with the thresholds of a config file. Raises ConfigError."""
    loaded = load_settings_file(path)
    rules = rules_in_force(replace(session, settings=loaded.settings))
    rules_now = rules_in_force(session)
    with session.store.reading() as connection:
        names = group_names_by_id(connection)
        found = count_due(connection, rules, session.now)
        found_now = count_due(connection, rules_now, session.now)
    return WhatIf(
        path,
        loaded.warnings,
        found.contacts,
        found.active,
        found_now.contacts,
        _named(found, names),
        _named(found_now, names),
    )


def _named(counts: DueCounts, names: Mapping[int, str]) -> dict[tuple[str | None, Category], int]:
    return {
        (None if scope == SYSTEM_WIDE else names[scope], category): number
        for (scope, category), number in sorted(counts.by_scope.items())
    }
