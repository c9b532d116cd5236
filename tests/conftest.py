"""Fixtures shared by all tests: stores on SQLite and on a real Postgres."""

import atexit
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

# whatever takes long to import is imported by those who test, and not by who only hands tests out
if TYPE_CHECKING:
    from helpers.statements import Watch

# whoever runs the tests may have a config and a store of their own, and keeps them
for _kind in ("CONFIG", "DATA"):
    _folder = os.environ[f"XDG_{_kind}_HOME"] = mkdtemp(prefix="cctl-nobody-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)

# compiled modules are kept, as they are for users: many tests start the program anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

CLUSTER = os.environ.get("CONTACTCTL_TEST_CITUS")

# whose statements are held against the rules of a cluster
DISTRIBUTABLE = {
    "test_add_contact",
    "test_applicable",
    "test_apply",
    "test_apply_batches",
    "test_apply_meanwhile",
    "test_addresses",
    "test_edit_cli",
    "test_engagement",
    "test_erase",
    "test_explain",
    "test_exports",
    "test_group_members",
    "test_groups",
    "test_import_contacts",
    "test_import_status",
    "test_incidents",
    "test_ingest",
    "test_plan",
    "test_planning",
    "test_policy",
    "test_reactivate",
    "test_undo",
}


def pytest_configure(config: pytest.Config) -> None:
    """The same examples every time, and no limit on time: a busy machine proves nothing wrong."""
    hands_out = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if hands_out:
        return
    from hypothesis import settings

    from helpers.thorough import examples

    settings.register_profile("suite", derandomize=True, deadline=None, max_examples=examples(200))
    settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what draws examples: `make torture` draws more of them.

    And have long tests first, lest one of them be the last, for which all others wait.
    """
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.sampled)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Make stores fast from here on.

    All modules are imported now, and stay: looking through them for garbage finds none.
    """
    from helpers.fast_stores import leave_writing_to_the_system, share_compiled_statements

    share_compiled_statements()
    leave_writing_to_the_system()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture
def statements() -> Iterator["Watch"]:
    """Everything that a test sends to Postgres, held against what a cluster can do."""
    from helpers.statements import Watch

    watch = Watch()
    watch.start()
    yield watch
    watch.stop()


@pytest.fixture(autouse=True)
def only_distributable(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test on Postgres fails when one of its statements could not be sent to a cluster.

    So it is in the modules that cover what changes contacts, or in all: CONTACTCTL_TEST_STATEMENTS.
    """
    on_postgres = {"store_url", "postgres_url"} & set(request.fixturenames)
    is_checked = request.path.stem in DISTRIBUTABLE or "CONTACTCTL_TEST_STATEMENTS" in os.environ
    if not (on_postgres and is_checked):
        yield
        return
    watch: Watch = request.getfixturevalue("statements")
    yield
    assert watch.broken == {}


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A server: the one named by CONTACTCTL_TEST_POSTGRES, else our own from the wheel."""
    named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
    if named:
        yield named
        return
    from helpers.postgres_server import PostgresServer

    server = PostgresServer()
    try:
        server.start()
        yield server.url("postgres")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server_url: str) -> str:
    """The name of a database that holds the newest, empty schema."""
    from contactctl.store.database.migrate import create_store
    from helpers import databases

    url = databases.create_database(postgres_server_url, "template0")
    create_store(url).close()
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that holds the newest, empty schema."""
    from contactctl.store.database.migrate import create_store

    path = tmp_path_factory.mktemp("template") / "empty.db"
    create_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    from helpers import databases

    return databases.copy_sqlite(sqlite_template, tmp_path)


@pytest.fixture(scope="session")
def postgres_database(postgres_server_url: str, postgres_template: str) -> Iterator[str]:
    """This process's database, for one test after the other.

    With CONTACTCTL_TEST_CITUS, the URL of a cluster's coordinator, it is spread over its workers;
    with CONTACTCTL_TEST_DOUBLE it is cut into partitions in the same way.
    """
    from helpers import databases, distributed
    from helpers.kept_connections import keep_connections

    if CLUSTER:
        yield distributed.create_on_cluster(CLUSTER)
        return
    url = databases.create_database(postgres_server_url, postgres_template)
    with pytest.MonkeyPatch.context() as patch:
        keep_connections(patch)
        if os.environ.get("CONTACTCTL_TEST_DOUBLE"):
            distributed.add_stand_ins(url)
            distributed.spread(url)
        yield url
    databases.drop_database(postgres_server_url, url)


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    from contactctl.store.database.store import SCHEMA_VERSION
    from helpers import databases, distributed

    empty = distributed.empty_on_cluster if CLUSTER else databases.empty_database
    empty(postgres_database, SCHEMA_VERSION)
    return postgres_database


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store's URL, on each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(store_url: str):
    """An open, empty store, on each database in turn."""
    from contactctl.store.database.store import open_store

    opened = open_store(store_url)
    yield opened
    opened.close()
