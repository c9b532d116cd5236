"""Three kinds of login on Postgres: what each may do to policy, plans and records, tried by SQL and
by the program. docs/guarantees.md has the table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from contactctl.store.store import open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.roles import LOGINS, logins

GUARANTEES = Path(__file__).parents[2] / "docs" / "guarantees.md"
POLICY = "limits: {max_contacts: 20, max_percent: 50}\nplans: {approval: second-operator}\n"
# what each client says, to set the policy aside
LOOSE = "limits: {max_contacts: 100000, max_percent: 100}\nplans: {approval: same-operator}\n"
REAL_CLOCK = {"CONTACTCTL_NOW": ""}
LOGIN_OF = {"viewer": "vera", "operator": "ole", "admin": "adam"}

RUN_COLUMNS = "kind, state, operator, database_identity, planned_at, clock_replaced, terms"


def begin(kind: str, *, state: str = "planned", clock: bool = False, approval: str = "second-operator") -> str:
    """SQL that begins a run, as a program of somebody's own would."""
    terms = f'{{"policy": 1, "approval": "{approval}", "max_contacts": 20, "max_percent": "50"}}'
    return (
        f"INSERT INTO run ({RUN_COLUMNS}) VALUES ('{kind}', '{state}', 'me@host', 'db', now(),"
        f" {str(clock).lower()}, '{terms}')"
    )


# what is tried by SQL -> who may
SQL: Mapping[str, tuple[str, set[str]]] = {
    "read everything": ("SELECT * FROM policy, run, plan_item, deactivation LIMIT 1", {"viewer", "operator", "admin"}),
    "write a policy": (
        "INSERT INTO policy (number, document, run_id, created) VALUES (99, '{}', 1, now())",
        {"admin"},
    ),
    "change a policy": ("UPDATE policy SET document = '{}'", set()),
    "delete a policy": ("DELETE FROM policy", set()),
    "plan a deactivation": (begin("deactivate"), {"operator", "admin"}),
    "plan one without the second operator": (
        begin("deactivate", approval="same-operator"),
        {"admin"},
    ),
    "begin a deactivation that nobody approved": (begin("deactivate", state="running"), {"admin"}),
    "plan by a replaced clock": (begin("deactivate", clock=True), {"admin"}),
    "begin an erasure": (begin("delete"), {"admin"}),
    "begin taking a run back": (begin("undo"), {"admin"}),
    "begin a change of suppressions": (begin("suppressions"), {"admin"}),
    "begin a change of groups": (begin("groups"), {"admin"}),
    "name somebody else as the planner": (
        "INSERT INTO run (planned_role, kind, state, operator, database_identity, planned_at,"
        " clock_replaced) VALUES ('ann', 'deactivate', 'planned', 'ann@host', 'db', now(), false)",
        set(),
    ),
    "apply a plan of one's own": ("UPDATE run SET state = 'running' WHERE kind = 'deactivate' AND state = 'planned' AND planned_role = session_user", {"admin"}),
    "rewrite who asked, and why": ("UPDATE run SET operator = 'x', reason = 'y' WHERE id = 1", {"admin"}),
    "rewrite the terms of a plan": ("UPDATE run SET terms = '{}' WHERE state = 'planned'", {"admin"}),
    "change a finished run": ("UPDATE run SET changed = 0 WHERE state = 'done'", {"admin"}),
    "delete a run": ("DELETE FROM run", set()),
    "put contacts into a plan of an erasure": (
        "INSERT INTO plan_item (contact_id, run_id, revision) SELECT 1, id, 0 FROM run"
        " WHERE kind = 'delete'",
        {"admin"},
    ),
    "change an ended deactivation": ("UPDATE deactivation SET ended_at = now() WHERE ended_at IS NOT NULL", {"admin"}),
    "end an open deactivation": (
        "UPDATE deactivation SET ended_at = now() WHERE ended_at IS NULL",
        {"operator", "admin"},
    ),
    "change why somebody was deactivated": ("UPDATE deactivation SET origin = 'x'", {"admin"}),
    "delete a deactivation": ("DELETE FROM deactivation", {"admin"}),
    "change a suppressed address": ("UPDATE suppression SET key_hash = 'x'", set()),
    "delete a contact": ("DELETE FROM contact", {"admin"}),
    "change a group's rules": ("UPDATE \"group\" SET settings = '{}'", {"admin"}),
}

# what is tried with the program -> who may; each with a config that would allow everything
PROGRAM: Mapping[str, tuple[tuple[str, ...], set[str]]] = {
    "status": (("status",), {"viewer", "operator", "admin"}),
    "contacts add a@new.no": (("contacts", "add", "a@new.no"), {"operator", "admin"}),
    "deactivate --plan": (("deactivate", "--where", "id <= 10", "--plan"), {"operator", "admin"}),
    "deactivate --confirm, alone": (("deactivate", "--where", "id <= 10", "--confirm", "10"), set()),
    "runs apply, a plan of one's own": (("runs", "apply", "OWN", "--confirm", "5"), set()),
    "runs apply, another's plan": (
        ("runs", "apply", "OTHER", "--confirm", "5"),
        {"operator", "admin"},
    ),
    "runs apply --limit-override, another's plan": (
        ("runs", "apply", "LARGE", "--confirm", "30", "--limit-override", "30"),
        {"admin"},
    ),
    "runs apply, by a replaced clock": (("runs", "apply", "OTHER", "--confirm", "5", "NOW"), set()),
    "sweep all --yes": (("sweep", "all", "--yes"), {"operator", "admin"}),
    "reactivate": (("contacts", "reactivate", "100", "--yes"), {"operator", "admin"}),
    "contacts delete --plan": (("contacts", "delete", "--where", "id <= 3", "--plan"), {"admin"}),
    "groups create": (("groups", "create", "new"), {"admin"}),
    "policy apply": (("policy", "apply", "contactctl.yaml", "--confirm", "CHANGES"), {"admin"}),
    "db backup": (("db", "backup", "store.backup"), {"viewer", "operator", "admin"}),
}
