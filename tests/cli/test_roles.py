"""Three logins on Postgres, each with exactly the rights that `db grants` prints."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from contactctl.store.database.store import Store, open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.kept_connections import let_go
from helpers.plans import plan_items, states

NO_LIMITS = "limits: {max_contacts: 1000000, max_percent: 100}\n"


def run(url: str, *args: str) -> CliResult:
    return run_cli([*args, "--json"], env={"CONTACTCTL_DATABASE_URL": url})


@pytest.fixture
def role_urls(postgres_url: str) -> Iterator[dict[str, str]]:
    """The URL of each role, with exactly the rights that `db grants` prints."""
    if "//postgres@" not in postgres_url:
        pytest.skip("needs a server that trusts whoever connects")
    names = ("cctl_viewer", "cctl_operator", "cctl_admin")
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        for name in names:
            owner.execute(f"CREATE ROLE {name} LOGIN".encode())
        flags = [f"--{name.removeprefix('cctl_')}={name}" for name in names]
        for statement in run(postgres_url, "db", "grants", *flags).json["data"]["statements"]:
            owner.execute(statement.encode())
    yield {name: postgres_url.replace("//postgres@", f"//{name}@") for name in names}
    let_go()
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        for name in names:
            owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_the_server_refuses_a_viewer_and_admits_an_operator(
    postgres_url: str, role_urls: dict[str, str]
) -> None:
    store = open_store(postgres_url)
    seed_contacts(store, 50)
    store.close()
    viewer, operator = role_urls["cctl_viewer"], role_urls["cctl_operator"]
    count = run(viewer, "preview", "--where", "id <= 5").json["data"]["count"]
    assert count == 5
    confirmed = ["deactivate", "--where", "id <= 5", "--confirm", "5"]
    refused = run(viewer, *confirmed)
    assert refused.exit_code == 3
    assert "permission denied" in refused.json["errors"][0]["message"]
    done = run(operator, *confirmed)
    assert done.json["data"]["deactivated"] == 5
    assert done.json["data"]["operator"].endswith("as cctl_operator")


def test_an_operator_may_refresh_the_statistics_of_plans(
    role_urls: dict[str, str],
) -> None:
    with psycopg.connect(role_urls["cctl_operator"]) as connection:
        if connection.info.server_version < 170000:
            pytest.skip("before Postgres 17 only the owner of a table may")
        notices: list[str] = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        connection.execute("ANALYZE plan_item")
    assert notices == []


def test_an_operator_imports_but_cannot_delete_contacts(
    role_urls: dict[str, str],
) -> None:
    operator = role_urls["cctl_operator"]
    imported = run_cli(
        ["contacts", "import", "-", "--json"],
        env={"CONTACTCTL_DATABASE_URL": operator},
        stdin="email,group\na@x.no,eu\n",
    )
    assert imported.json["data"]["created"] == 1
    with psycopg.connect(operator) as connection, pytest.raises(psycopg.Error):
        connection.execute("DELETE FROM contact")


@pytest.fixture
def store(postgres_url: str, role_urls: dict[str, str]) -> Iterator[Store]:
    """A store of a hundred contacts, opened by its owner."""
    store = open_store(postgres_url)
    seed_contacts(store, 100)
    yield store
    store.close()


@pytest.fixture
def operator(role_urls: dict[str, str], tmp_path: Path) -> "As":
    """Somebody who has set the limits aside in a config of his own."""
    return As(role_urls["cctl_operator"], tmp_path / "operator", NO_LIMITS)


@pytest.fixture
def admin(role_urls: dict[str, str], tmp_path: Path) -> "As":
    return As(role_urls["cctl_admin"], tmp_path / "admin", "limits: {max_contacts: 50}\n")


class As:
    """The command line of one login, with a config of its own."""

    def __init__(self, url: str, folder: Path, config: str) -> None:
        self.url, self.folder = url, folder
        folder.mkdir()
        (folder / "contactctl.yaml").write_text(config)

    def __call__(self, *args: str) -> CliResult:
        env = {"CONTACTCTL_DATABASE_URL": self.url}
        return run_cli([*args, "--json"], cwd=self.folder, env=env)

    def error(self, *args: str, exit_code: int) -> str:
        """The code and the message of the one error that the command must end with."""
        result = self(*args)
        assert result.exit_code == exit_code, result.stdout
        [error] = result.json["errors"]
        return f"{error['code']}: {error['message']}"


ERASING = (
    ("contacts", "delete", "--where", "id between 1 and 90", "--confirm", "90"),
    ("contacts", "anonymize", "--where", "id between 1 and 90", "--confirm", "90"),
    ("contacts", "delete", "--where", "id between 1 and 90", "--plan"),
    ("contacts", "delete", "1", "--confirm", "c1@example.com"),
)


@pytest.mark.parametrize("command", ERASING)
def test_who_may_not_erase_leaves_no_run_behind(
    store: Store, operator: As, admin: As, command: tuple[str, ...]
) -> None:
    with store.reading() as connection:
        email = connection.exec_driver_sql("SELECT email FROM contact WHERE id = 1").scalar_one()
    before = dump(store)

    args = [email if each == "c1@example.com" else each for each in command]
    error = operator.error(*args, exit_code=3)

    assert "permission denied: cctl_operator lacks " in error
    assert "DELETE on" in error
    assert dump(store) == before
    assert admin("sweep", "all", "--yes").exit_code == 0
    assert dump(store) == before


def begin_deleting(store: Store, admin: As, applied_by: str) -> None:
    """As an operator could leave it before the server refused that: running, nothing of it done."""
    kept = admin("contacts", "delete", "--where", "id between 1 and 90", "--plan")
    assert kept.exit_code == 0, kept.stdout
    begun = "UPDATE run SET state = 'running', applied_by = :by, started_at = planned_at"
    with store.writing() as connection:
        connection.execute(text(begun), {"by": applied_by})


@pytest.mark.parametrize("applied_by", ["op@host as cctl_operator", "op@host as nobody", "op@host"])
def test_no_sweep_finishes_an_erasure_that_nobody_with_the_right_began(
    store: Store, operator: As, admin: As, applied_by: str
) -> None:
    begin_deleting(store, admin, applied_by)
    before = dump(store)

    swept = admin("sweep", "all", "--yes")
    looked = run_cli(
        ["sweep", "runs", "--dry-run"],
        cwd=admin.folder,
        env={"CONTACTCTL_DATABASE_URL": admin.url},
    )

    assert swept.exit_code == 4
    [problem] = swept.json["errors"]
    assert problem["code"] == "not-begun-by-right"
    assert f"begun by {applied_by}, who may not" in problem["message"]
    assert f"run 1, delete, begun by {applied_by}, who may not" in looked.stdout
    assert dump(store) == before
    assert operator.error("runs", "resume", "1", "--yes", exit_code=4).startswith("not-begun")
    assert admin.error("runs", "resume", "1", "--yes", exit_code=4).startswith("not-begun")
    wrong = admin.error("runs", "resume", "1", "--confirm", "89", exit_code=4)
    assert wrong.startswith("wrong-count")
    over = admin.error("runs", "resume", "1", "--confirm", "90", exit_code=4)
    assert over.startswith("over-limit")
    insists = ("runs", "resume", "1", "--confirm", "90", "--limit-override", "90")
    assert "permission denied" in operator.error(*insists, exit_code=3)
    assert dump(store) == before

    assert admin(*insists).json["data"]["changed"] == 90
    assert plan_items(store) == 0


def test_a_sweep_goes_on_with_an_erasure_of_somebody_with_the_right(
    store: Store, admin: As
) -> None:
    begin_deleting(store, admin, "ann@host as cctl_admin")

    swept = admin("sweep", "runs", "--yes")

    assert swept.exit_code == 0, swept.stdout
    assert swept.json["data"]["runs_finished"] == 1
    assert states(store) == ["done"]


def test_an_operator_does_not_start_a_kept_erasure(store: Store, operator: As, admin: As) -> None:
    admin("contacts", "delete", "--where", "id between 1 and 9", "--plan")
    before = dump(store)

    assert "permission denied" in operator.error(
        "runs", "apply", "1", "--confirm", "9", exit_code=3
    )

    assert dump(store) == before


def test_everyday_work_needs_nothing_that_an_operator_lacks(store: Store, operator: As) -> None:
    done = operator("deactivate", "--where", "id <= 5", "--confirm", "5")
    removed = operator("groups", "remove", "customers", "--where", "id = 3", "--confirm", "1")
    swept = operator("sweep", "all", "--yes")

    assert [each.exit_code for each in (done, removed, swept)] == [0, 0, 0], removed.stdout
