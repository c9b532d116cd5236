"""What a run of each kind is said to have been about."""

from typing import Any

import pytest

from contactctl.domain.errors import StoreError
from contactctl.domain.run_kinds import RUN_TYPES, RunKind, details_from_json
from contactctl.domain.runs import Run, RunState
from helpers.sessions import NOW as AT

NOW = "2026-06-15T12:00:00Z"
TOLD_BY_CRITERIA_OR_RESULTS = {RunKind.DEACTIVATE, RunKind.HANDLING}


def run_of(kind: RunKind, kept: dict[str, Any]) -> Run:
    return Run(
        id=7,
        kind=kind,
        state=RunState.DONE,
        operator="ann@host",
        applied_by="ann@host",
        resumed_by=None,
        database="contacts.db",
        reason="",
        details=details_from_json(kind, kept),
        planned=1,
        changed=1,
        skipped={},
        results={},
        cursor=0,
        active_before=None,
        active_after=None,
        planned_at=AT,
        started_at=AT,
        finished_at=AT,
        expires_at=None,
        clock_replaced=False,
        message="",
    )


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
    (RunKind.SYNC, {"source": "crm", "definition": "d"}, "the source crm"),
    (
        RunKind.SYNC,
        {"source": "crm", "definition": "d", "full": True},
        "the source crm, from the beginning",
    ),
    (RunKind.DEACTIVATE_MISSING, {"source": "crm"}, "no longer in the source crm"),
    (
        RunKind.PUSH,
        {"source": "mail", "adding": 1200, "removing": 3},
        "mail: 1,200 to suppress, 3 to take off",
    ),
    (RunKind.INGEST, {"source": "sendgrid"}, "the source sendgrid"),
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
    (RunKind.EDIT, {"contact": 5, "fields": ["phone", "company"]}, "contact 5: phone, company"),
    (RunKind.READDRESS, {"contact": 5}, "another address for contact 5"),
    (RunKind.MERGE, {"contact": 5, "merged": 6}, "contact 6 merged into contact 5"),
    (RunKind.TAG, {"tag": "vip", "contact": 5}, "the tag vip, contact 5"),
    (RunKind.UNTAG, {"tag": "vip"}, "the tag vip"),
    (RunKind.ATTRIBUTES, {"attribute": "plan", "to": "tier"}, "the attribute plan renamed to tier"),
    (RunKind.ATTRIBUTES, {"attribute": "plan"}, "the attribute plan dropped"),
]


@pytest.mark.parametrize(("kind", "details", "words"), WORDS)
def test_what_a_run_was_about(kind: RunKind, details: dict[str, Any], words: str) -> None:
    assert details_from_json(kind, details).in_words() == words


def test_every_kind_says_what_it_was_about() -> None:
    said = {kind for kind, _, words in WORDS if words}
    assert said == set(RunKind) - TOLD_BY_CRITERIA_OR_RESULTS


CRITERIA: dict[str, Any] = {
    "criteria": {"name": "Old", "all": ["id = 5", {"any": ["tag = ø"]}], "none": ["id = 7"]},
    "conditions": [["id = 5", "id = 5"], ["tag = ø", "tag = ø"]],
    "lines": ["all of", "  id = 5"],
    "as_of": "2026-06-15T12:00:00.000250Z",
    "time_zone": "Europe/Oslo",
    "prebuilt": False,
}
RULE = {"action": "reactivate", "category": "transient", "cutoff": "2026-06-15T12:00:00Z"}
THRESHOLD = {"category": "transient", "scope": 0, "threshold": "5 within 30 days"}
ENDED = {"run": 3, "origin": "threshold", "category": "transient"}
KEPT: list[tuple[RunKind, dict[str, Any]]] = [
    (RunKind.DEACTIVATE, CRITERIA | {"left_out": {"last_opportunity": 15}}),
    (RunKind.DEACTIVATE, CRITERIA),
    (RunKind.UNDO, {"undoes": 3}),
    (RunKind.REACTIVATE, {"contact": 2**40, "group": None, "clears": False, "ended": [ENDED]}),
    (RunKind.THRESHOLDS, {}),
    (RunKind.THRESHOLDS, {"after_run": 4, "thresholds": [THRESHOLD]}),
    (RunKind.HANDLING, {"rules": [RULE | {"group_id": None, "others": [1, 2]}], "as_of": NOW}),
    (RunKind.HANDLING, {"rules": [], "as_of": NOW}),
    (RunKind.IMPORT, {"file": "may.csv", "renames": {"E-mail": "email"}}),
    (RunKind.ADD, {"contact": 5}),
    (RunKind.ADD, {}),
    (RunKind.GROUPS, {"action": "set", "group": "news", "settings": {}}),
    (
        RunKind.GROUPS,
        {
            "action": "set",
            "group": "[erased]",
            "settings": {"bypass_system_wide": True, "thresholds": {"transient": {"count": 3}}},
        },
    ),
    (RunKind.REMOVE_FROM_GROUP, CRITERIA | {"group": "news", "group_id": 2}),
    (RunKind.SYNC, {"source": "crm", "definition": "d", "full": False}),
    (RunKind.DEACTIVATE_MISSING, {"source": "crm"}),
    (RunKind.PUSH, {"source": "mail", "adding": 4, "removing": 0}),
    (RunKind.INGEST, {"sources": ["a.eml"], "format": "auto"}),
    (RunKind.INGEST, {"mailbox": "bounces"}),
    (RunKind.RELEASE, {"run": None, "domain": None}),
    (RunKind.DISCARD, {"run": 4, "domain": "x.no"}),
    (RunKind.ANONYMIZE, {"contact": 5}),
    (RunKind.DELETE, CRITERIA),
    (RunKind.SUPPRESSIONS, {"action": "add"}),
    (RunKind.SUPPRESSIONS, {"action": "import", "file": "unsubscribed.csv"}),
    (RunKind.POLICY, {"policy": 2, "settings": ["limits.max_contacts"]}),
    (RunKind.COPY, {"source": "sqlite:///old.db", "rows": 12}),
    (RunKind.EDIT, {"contact": 5, "fields": ["phone"]}),
    (RunKind.READDRESS, {"contact": 5, "ended": [ENDED]}),
    (RunKind.MERGE, {"contact": 5, "merged": 6}),
    (RunKind.TAG, CRITERIA | {"tag": "vip"}),
    (RunKind.UNTAG, {"tag": "vip", "contact": 5}),
    (RunKind.ATTRIBUTES, {"attribute": "plan", "to": "tier"}),
]


@pytest.mark.parametrize(("kind", "kept"), KEPT)
def test_what_stores_hold_is_read_and_written_as_it_was(
    kind: RunKind, kept: dict[str, Any]
) -> None:
    details = details_from_json(kind, kept)
    assert isinstance(details, RUN_TYPES[kind])
    assert list(details.to_json().items()) == list(kept.items())


def test_every_kind_is_read() -> None:
    assert {kind for kind, _ in KEPT} == set(RunKind) == set(RUN_TYPES)


def test_what_an_older_version_kept_less_of() -> None:
    without_lines = {name: value for name, value in CRITERIA.items() if name != "lines"}
    deactivate = details_from_json(RunKind.DEACTIVATE, without_lines)
    assert deactivate.selected is not None
    assert deactivate.selected.lines == ()
    assert deactivate.left_out is None
    assert details_from_json(RunKind.IMPORT, {"file": "may.csv"}).in_words() == "the file may.csv"
    assert details_from_json(RunKind.UNDO, {"undoes": 3, "since": 1}).in_words() != ""


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (RunKind.UNDO, {}),
        (RunKind.UNDO, {"undoes": "3"}),
        (RunKind.UNDO, {"undoes": True}),
        (RunKind.UNDO, {"undoes": None}),
        (RunKind.THRESHOLDS, {"thresholds": {"category": "transient"}}),
        (RunKind.THRESHOLDS, {"thresholds": "transient"}),
        (RunKind.HANDLING, {"rules": [{**RULE, "group_id": None, "action": "x"}], "as_of": NOW}),
        (RunKind.HANDLING, {"rules": [RULE | {"group_id": None}], "as_of": "June"}),
        (RunKind.DEACTIVATE, {**CRITERIA, "conditions": [["id = 5"]]}),
        (RunKind.IMPORT, {"file": "may.csv", "renames": ["email"]}),
        (RunKind.REACTIVATE, {"contact": 5, "group": None, "clears": 1}),
    ],
)
def test_what_does_not_fit_is_handed_on_and_not_worked_on(
    kind: RunKind, kept: dict[str, Any]
) -> None:
    run = run_of(kind, kept)
    assert (run.details.to_json(), run.details.in_words()) == (kept, "")
    with pytest.raises(StoreError, match=f"cannot read what run 7 \\({kind}\\)"):
        run.details_as(RUN_TYPES[kind])
