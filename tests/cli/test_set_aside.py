"""An operator with a login of his own, a config of his own and an environment of his own: none of
them sets the store's policy aside."""

from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from contactctl.store.database.store import open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.roles import logins

STRICT = (
    "limits: {max_contacts: 20, max_percent: 50}\nplans: {approval: second-operator}\n"
    "thresholds: {transient: {count: 3}}\n"
)
LOOSE = (
    "limits: {max_contacts: 100000, max_percent: 100}\nplans: {approval: same-operator}\n"
    "allow_undo: true\nallow_replaced_clock: true\nthresholds: {transient: {count: 1}}\n"
    "handling: {transient: {reactivate_after: 1 day}}\n"
    "groups: {newsletter: {bypass_system_wide: true, thresholds: {transient: {count: 1}}}}\n"
    "incident_guard: {more_than: 100000}\ntime_zone: Asia/Tokyo\n"
)
EVENT = (
    '{{"email": "{}", "category": "transient", "id": "1", "occurred_at": "2026-06-01T12:00:00Z"}}\n'
)
BY_ENVIRONMENT = {
    "CONTACTCTL_PLANS__APPROVAL": "same-operator",
    "CONTACTCTL_LIMITS__MAX_CONTACTS": "100000",
    "CONTACTCTL_LIMITS__MAX_PERCENT": "100",
    "CONTACTCTL_ALLOW_UNDO": "true",
    "CONTACTCTL_ALLOW_REPLACED_CLOCK": "true",
}
LATER = {"CONTACTCTL_NOW": "2031-01-01T00:00:00Z"}
GONE = "gone@example.com"
MANY = ("--where", "id between 41 and 90")

# what an operator tries; the words of `{}` are numbers of plans and runs
TRIES: tuple[tuple[str, ...], ...] = (
    ("deactivate", "--where", "id = 1", "--confirm", "1"),
    ("deactivate", "--where", "id = 1", "--confirm", "1", "--limit-override", "1"),
    ("deactivate", *MANY, "--confirm", "50", "--limit-override", "50"),
    ("runs", "apply", "{own}", "--confirm", "5"),
    ("runs", "apply", "{own}", "--confirm", "5", "--limit-override", "5"),
    ("runs", "apply", "{large}", "--confirm", "50"),
    ("runs", "apply", "{large}", "--confirm", "50", "--limit-override", "50"),
    ("runs", "apply", "{large}", "--confirm", "50", "--background"),
    ("runs", "undo", "{done}", "--confirm", "3"),
    ("runs", "resume", "{erasing}", "--yes"),
    ("runs", "resume", "{erasing}", "--confirm", "4", "--limit-override", "4"),
    ("contacts", "delete", "--where", "id = 1", "--confirm", "1"),
    ("contacts", "anonymize", "--where", "id = 1", "--plan"),
    ("suppressions", "add", "x@example.com", "--confirm", "x@example.com"),
    ("suppressions", "remove", GONE, "--confirm", GONE),
    ("groups", "set", "newsletter", "--bypass"),
    ("groups", "delete", "partners"),
    ("policy", "apply", "loose.yaml", "--confirm", "9"),
    ("policy", "apply", "loose.yaml", "--confirm", "8"),
    ("db", "upgrade"),
)


@pytest.fixture
def urls(postgres_url: str, tmp_path: Path):
    if "//postgres@" not in postgres_url:
        pytest.skip("needs a server that trusts whoever connects")
    store = open_store(postgres_url)
    seed_contacts(store, 100)
    store.close()
    (tmp_path / "loose.yaml").write_text(LOOSE)
    (tmp_path / "strict.yaml").write_text(STRICT)
    with logins(postgres_url) as urls:
        made = run_as(
            postgres_url, tmp_path, {}, "policy", "apply", "strict.yaml", "--confirm", "4"
        )
        assert made.exit_code == 0, made.stdout
        yield urls


def run_as(url: str, folder: Path, env: Mapping[str, str], *args: str) -> CliResult:
    config = ["--config", folder / "loose.yaml"]
    given = {"CONTACTCTL_NOW": "", **env}
    return run_cli([*args, "--database", url, *config, "--json"], cwd=folder, env=given)


def whole(connection: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """What an operator could have changed, and when nothing was changed has not."""
    statements = {
        "contacts": "SELECT id, status FROM contact ORDER BY id",
        "runs": "SELECT id, state, kind FROM run WHERE state <> 'cancelled' ORDER BY id",
        "policies": "SELECT number, document::text FROM policy ORDER BY number",
        "suppressed": "SELECT count(*) FROM suppression",
        "groups": 'SELECT name, settings::text FROM "group" ORDER BY id',
    }
    return {name: connection.execute(sql.encode()).fetchall() for name, sql in statements.items()}


@pytest.mark.parametrize(
    "env", [{}, BY_ENVIRONMENT, LATER, BY_ENVIRONMENT | LATER], ids=["", "limits", "clock", "both"]
)
def test_nothing_that_an_operator_says_sets_the_policy_aside(
    postgres_url: str, urls: Mapping[str, str], tmp_path: Path, env: Mapping[str, str]
) -> None:
    def as_(login: str, *args: str) -> CliResult:
        done = run_as(urls[login], tmp_path, {}, *args)
        assert done.exit_code == 0, done.stdout
        return done

    as_("adam", "suppressions", "add", GONE, "--confirm", GONE)
    kept = as_("olga", "deactivate", "--where", "id between 95 and 97", "--plan")
    done = kept.json["data"]["run"]
    as_("ole", "runs", "apply", str(done), "--confirm", "3")
    numbers = {
        "done": done,
        "own": as_("ole", "deactivate", "--where", "id between 11 and 15", "--plan"),
        "large": as_("olga", "deactivate", *MANY, "--plan"),
        "erasing": as_("adam", "contacts", "delete", "--where", "id between 21 and 24", "--plan"),
    }
    runs = {
        name: str(each.json["data"]["run"] if isinstance(each, CliResult) else each)
        for name, each in numbers.items()
    }
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(
            b"UPDATE run SET state = 'running', started_at = planned_at, applied_by = 'x as nobody'"
            b" WHERE kind = 'delete'"
        )
        before = whole(owner)

        for args in TRIES:
            tried = run_as(urls["ole"], tmp_path, env, *(word.format(**runs) for word in args))
            # `db upgrade` finds nothing to do; all else is refused, in a line that says why
            assert tried.exit_code in ((0, 3) if args == ("db", "upgrade") else (2, 3, 4)), args
            assert tried.exit_code == 0 or tried.json["errors"][0]["message"], args
            assert whole(owner) == before, args


def test_thresholds_and_rules_of_a_client_are_not_used(
    postgres_url: str, urls: Mapping[str, str], tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url) as connection:
        email = str(connection.execute(b"SELECT email FROM contact WHERE id = 2").fetchone()[0])
    (tmp_path / "events.jsonl").write_text(EVENT.format(email))

    ingested = run_as(
        urls["ole"], tmp_path, {}, "responses", "ingest", str(tmp_path / "events.jsonl")
    )
    swept = run_as(urls["ole"], tmp_path, {}, "sweep", "all", "--yes")

    assert ingested.json["data"]["recorded"] == 1
    assert (ingested.json["data"]["deactivated"], swept.json["data"]["due"]) == (0, 0)
    assert "not used, since the store's policy decides" in swept.stderr


@pytest.mark.parametrize("options", ["-c role=cctl_admin", "-c role=postgres"])
def test_no_operator_takes_another_role(
    urls: Mapping[str, str], tmp_path: Path, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", options)
    tried = run_as(urls["ole"], tmp_path, {}, "policy", "apply", "loose.yaml", "--confirm", "9")
    assert (tried.exit_code, tried.json["errors"][0]["code"]) == (3, "store")
