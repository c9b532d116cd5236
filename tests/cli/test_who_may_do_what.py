"""Three kinds of login on Postgres: what each may do to policy, plans and records, tried by SQL and
by the program. docs/guarantees.md has the table."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from contactctl.store.database.store import open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.roles import logins

GUARANTEES = Path(__file__).parents[2] / "docs" / "guarantees.md"
POLICY = "limits: {max_contacts: 20, max_percent: 50}\nplans: {approval: second-operator}\n"
# what each client says, to set the policy aside
LOOSE = "limits: {max_contacts: 100000, max_percent: 100}\nplans: {approval: same-operator}\n"
REAL_CLOCK = {"CONTACTCTL_NOW": ""}
LOGIN_OF = {"viewer": "vera", "operator": "ole", "admin": "adam"}

RUN_COLUMNS = (
    "reason, message, planned, changed, operator, database_identity, planned_at, active_before,"
    " kind, state, clock_replaced, terms"
)
SAME = "'', '', 1, 0, 'me@host', 'db', now(), 100"


def begin(
    kind: str, *, state: str = "planned", clock: bool = False, approval: str = "second-operator"
) -> str:
    """SQL that begins a run, as a program of somebody's own would."""
    terms = f'{{"policy": 1, "approval": "{approval}", "max_contacts": 20, "max_percent": "50"}}'
    return (
        f"INSERT INTO run ({RUN_COLUMNS}) VALUES ({SAME}, '{kind}', '{state}',"
        f" {str(clock).lower()}, '{terms}')"
    )


# what is tried by SQL -> who may
SQL: Mapping[str, tuple[str, set[str]]] = {
    "read everything": (
        "SELECT * FROM policy, run, plan_item, deactivation LIMIT 1",
        {"viewer", "operator", "admin"},
    ),
    "write a policy": (
        "INSERT INTO policy (number, document, run_id, created) VALUES (99, '{}', 1, now())",
        {"admin"},
    ),
    "change a policy": ("UPDATE policy SET document = '{}'", {"admin"}),
    "number a policy anew": ("UPDATE policy SET number = 9", set()),
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
        f"INSERT INTO run ({RUN_COLUMNS}, planned_role) VALUES ({SAME}, 'deactivate', 'planned',"
        " false, '{}', 'ann')",
        set(),
    ),
    "apply a plan of one's own": (
        "UPDATE run SET state = 'running' WHERE kind = 'deactivate' AND state = 'planned'"
        " AND planned_role = session_user",
        {"admin"},
    ),
    "rewrite who asked, and why": (
        "UPDATE run SET operator = 'x', reason = 'y' WHERE id = 1",
        {"admin"},
    ),
    "rewrite the terms of a plan": (
        "UPDATE run SET terms = '{}' WHERE state = 'planned'",
        {"admin"},
    ),
    "change a finished run": ("UPDATE run SET changed = 0 WHERE state = 'done'", {"admin"}),
    "delete a run": ("DELETE FROM run", set()),
    "put contacts into a plan of an erasure": (
        "INSERT INTO plan_item (contact_id, run_id, revision) SELECT 1, id, 0 FROM run"
        " WHERE kind = 'delete'",
        {"admin"},
    ),
    "change an ended deactivation": (
        "UPDATE deactivation SET ended_at = now() WHERE ended_at IS NOT NULL",
        {"admin"},
    ),
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
    "contacts add": (("contacts", "add", "a@new.no"), {"operator", "admin"}),
    "contacts import": (("contacts", "import", "-"), {"operator", "admin"}),
    "deactivate --plan": (("deactivate", "--where", "id <= 3", "--plan"), {"operator", "admin"}),
    "deactivate --confirm, by oneself": (
        ("deactivate", "--where", "id <= 3", "--confirm", "3"),
        set(),
    ),
    "runs apply, one's own plan": (("runs", "apply", "OWN", "--confirm", "5"), set()),
    "runs apply, another's plan": (
        ("runs", "apply", "OTHER", "--confirm", "5"),
        {"operator", "admin"},
    ),
    "runs apply --limit-override, another's plan": (
        ("runs", "apply", "LARGE", "--confirm", "30", "--limit-override", "30"),
        {"admin"},
    ),
    "contacts delete --plan": (
        ("contacts", "delete", "--where", "id <= 3", "--plan"),
        {"admin"},
    ),
    "groups create": (("groups", "create", "new"), {"admin"}),
    "policy apply": (("policy", "apply", "loose.yaml", "--confirm", "3"), {"admin"}),
}


@pytest.fixture
def urls(postgres_url: str, tmp_path: Path):
    """Who can connect to a store of 100 contacts with the policy POLICY."""
    if "//postgres@" not in postgres_url:
        pytest.skip("needs a server that trusts whoever connects")
    store = open_store(postgres_url)
    seed_contacts(store, 100)
    store.close()
    (tmp_path / "loose.yaml").write_text(LOOSE)
    (tmp_path / "policy.yaml").write_text(POLICY)
    with logins(postgres_url) as urls:
        applied = run_as(postgres_url, tmp_path, "policy", "apply", "policy.yaml", "--confirm", "3")
        assert applied.exit_code == 0, applied.stdout
        yield urls


def run_as(url: str, folder: Path, *args: str) -> CliResult:
    return run_cli(
        [*args, "--database", url, "--config", folder / "loose.yaml", "--json"],
        cwd=folder,
        env=REAL_CLOCK,
        stdin="email\nb@new.no\n",
    )


@pytest.mark.parametrize("role", LOGIN_OF)
def test_the_server_holds_by_sql(postgres_url: str, urls: Mapping[str, str], role: str) -> None:
    login = LOGIN_OF[role]
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        for kind, state in (
            ("deactivate", "done"),
            ("deactivate", "planned"),
            ("delete", "planned"),
        ):
            planned = begin(kind, state=state).replace("terms)", "terms, planned_role)")
            owner.execute(f"{planned.removesuffix(')')}, 'cctl_{login}')".encode())
        owner.execute("INSERT INTO suppression (key_hash, created) VALUES ('k', now())")
        owner.execute(
            "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at,"
            " ended_at) VALUES (1, 0, 1, '', 'bulk', now(), now()),"
            " (2, 0, 1, '', 'bulk', now(), NULL)"
        )
        owner.execute("INSERT INTO \"group\" (name, name_folded, created) VALUES ('x', 'x', now())")
    found = {what: may(urls[login], statement) for what, (statement, _) in SQL.items()}
    assert found == {what: role in allowed for what, (_, allowed) in SQL.items()}


def may(url: str, statement: str) -> bool:
    """Whether the server does it; rows that row security hides are not changed."""
    with psycopg.connect(url) as connection:
        try:
            done = connection.execute(statement.encode()).rowcount > 0
        except psycopg.errors.InsufficientPrivilege:
            return False
        connection.rollback()
        return done or statement.startswith("SELECT")


@pytest.mark.parametrize("role", LOGIN_OF)
def test_the_program_holds(urls: Mapping[str, str], tmp_path: Path, role: str) -> None:
    url = urls[LOGIN_OF[role]]
    colleague = urls[{"viewer": "olga", "operator": "olga", "admin": "ada"}[role]]
    plans = {"OWN": "0"}
    if role != "viewer":
        plans["OWN"] = plan(url, tmp_path, "id between 11 and 15")
    plans["OTHER"] = plan(colleague, tmp_path, "id between 21 and 25")
    plans["LARGE"] = plan(colleague, tmp_path, "id between 31 and 60")

    found = {}
    for what, (args, _) in PROGRAM.items():
        result = run_as(url, tmp_path, *[plans.get(word, word) for word in args])
        found[what] = result.exit_code == 0
        assert result.exit_code in (0, 1, 2, 3, 4), result.stdout
    assert found == {what: role in allowed for what, (_, allowed) in PROGRAM.items()}


def test_an_admin_erases_an_address_from_policies_and_nobody_else_does(
    postgres_url: str, urls: Mapping[str, str], tmp_path: Path
) -> None:
    """A group may be named after an address; the policy in force says something about the group."""
    email = "ann.secret@example.com"
    (tmp_path / "named.yaml").write_text(
        f"{POLICY}groups: {{{email}: {{thresholds: {{transient: {{count: 2}}}}}}}}\n"
    )
    admin = urls["adam"]
    for args in (
        ("groups", "create", email),
        ("contacts", "add", email),
        ("policy", "apply", "named.yaml", "--confirm", "1"),
    ):
        assert run_as(admin, tmp_path, *args).exit_code == 0
    erase = ("contacts", "delete", email, "--confirm", email)
    for login in ("vera", "ole"):
        assert run_as(urls[login], tmp_path, *erase).exit_code == 3

    done = run_as(admin, tmp_path, *erase)

    assert done.exit_code == 0, done.stdout
    with closing(open_store(postgres_url)) as store:
        assert email not in str(dump(store))


def plan(url: str, folder: Path, where: str) -> str:
    kept = run_as(url, folder, "deactivate", "--where", where, "--plan")
    assert kept.exit_code == 0, kept.stdout
    return str(kept.json["data"]["run"])


def test_the_table_in_the_docs_is_what_was_tried() -> None:
    text = GUARANTEES.read_text()
    for attempts in (SQL, PROGRAM):
        for what, (_, allowed) in attempts.items():
            cells = ["yes" if role in allowed else "no" for role in LOGIN_OF]
            assert f"| {what} | {' | '.join(cells)} |" in text
