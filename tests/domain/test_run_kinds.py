"""What a run of each kind is said to have been about."""

from typing import Any

import pytest

from contactctl.domain.run_kinds import RunKind, details_from_json

TOLD_BY_CRITERIA_OR_RESULTS = {RunKind.DEACTIVATE, RunKind.HANDLING}


WORDS: list[tuple[RunKind, dict[str, Any], str]] = [
    (RunKind.UNDO, {"undoes": 3}, "undoes run 3"),
    (RunKind.REACTIVATE, {"contact": 5, "group": None, "clears": False}, "contact 5"),
    (RunKind.REACTIVATE, {"contact": 5, "group": "news", "clears": False}, "contact 5 in news"),
    (
        RunKind.REACTIVATE,
        {"contact": 5, "group": "news", "clears": True},
        "contact 5 in news, its override cleared",
    ),
    (RunKind.GROUPS, {"action": "create", "group": "news"}, "the group news created"),
    (RunKind.GROUPS, {"action": "delete", "group": "news"}, "the group news deleted"),
    (
        RunKind.GROUPS,
        {"action": "rename", "group": "news", "to": "letter"},
        "the group news renamed to letter",
    ),
    (
        RunKind.GROUPS,
        {"action": "set", "group": "news", "settings": {"deactivate": "group"}},
        "the group news set to deactivate=group",
    ),
    (
        RunKind.GROUPS,
        {"action": "set", "group": "news", "settings": {}},
        "the group news set to the defaults",
    ),
    (
        RunKind.GROUPS,
        {"action": "add", "group": "news", "contact": 5},
        "contact 5 added to the group news",
    ),
    (
        RunKind.GROUPS,
        {"action": "remove", "group": "news", "contact": 5},
        "contact 5 removed from the group news",
    ),
    (RunKind.REMOVE_FROM_GROUP, {"group": "news", "group_id": 1}, "removed from the group news"),
    (RunKind.IMPORT, {"file": "may.csv", "renames": {}}, "the file may.csv"),
    (RunKind.INGEST, {"sources": ["a.eml", "b.eml"], "format": "auto"}, "a.eml, b.eml"),
    (RunKind.INGEST, {"mailbox": "bounces"}, "the mailbox bounces"),
    (RunKind.INGEST, {}, ""),
    (RunKind.RELEASE, {"run": 4, "domain": None}, "held responses of run 4"),
    (RunKind.DISCARD, {"run": 4, "domain": "x.no"}, "held responses of run 4 from x.no"),
    (RunKind.DISCARD, {"run": None, "domain": None}, "all held responses"),
    (RunKind.ADD, {"contact": 5}, "contact 5"),
    (RunKind.ANONYMIZE, {"contact": 5}, "contact 5"),
    (RunKind.DELETE, {"contact": 5}, "contact 5"),
    (RunKind.DELETE, {"lines": ["id = 5"]}, ""),
    (RunKind.THRESHOLDS, {"after_run": 4}, "responses of run 4"),
    (RunKind.THRESHOLDS, {}, ""),
    (RunKind.SUPPRESSIONS, {"action": "rotate-key"}, "rotate key"),
    (RunKind.DEACTIVATE, {"lines": ["id = 5"]}, ""),
    (RunKind.POLICY, {"policy": 2, "settings": ["allow_undo"]}, "policy 2: allow_undo"),
    (RunKind.POLICY, {"policy": 1, "settings": []}, "policy 1"),
    (RunKind.COPY, {"source": "a.db", "rows": 1200}, "1,200 rows of a.db"),
]


@pytest.mark.parametrize(("kind", "details", "words"), WORDS)
def test_what_a_run_was_about(kind: RunKind, details: dict[str, Any], words: str) -> None:
    assert details_from_json(kind, details).in_words() == words


def test_every_kind_says_what_it_was_about() -> None:
    said = {kind for kind, _, words in WORDS if words}
    assert said == set(RunKind) - TOLD_BY_CRITERIA_OR_RESULTS
