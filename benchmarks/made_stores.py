"""Stores with many made-up contacts, and fresh copies of them, on SQLite and on Postgres."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.store.database.migrate import create_store  # noqa: E402
from helpers import databases  # noqa: E402
from helpers.contacts import seed_contacts  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402

KINDS = ("sqlite", "postgres")
_SEED_STEP = 1_000_000
# as safe as a server is without being told otherwise, so that both sides pay for it
_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


@dataclass
class MadeStores:
    """Where stores are made: a folder, and a server that is started when first asked for."""

    folder: Path
    cleanup: ExitStack
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    server_url: str = ""

    def of(self, kind: str, contacts: int) -> str:
        """The URL of a store with so many contacts; made once, only to be read."""
        key = (kind, contacts)
        if key not in self.made:
            self.made[key] = self._make(kind, contacts)
        return self.made[key]

    @contextmanager
    def copy(self, kind: str, contacts: int) -> Iterator[str]:
        """The URL of a copy to be changed, gone afterwards."""
        made = self.of(kind, contacts)
        if kind == "sqlite":
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                yield databases.copy_sqlite(_sqlite_file(made), Path(folder))
        else:
            url = databases.create_database(self.server_url, _database_name(made))
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CHECKPOINT")
            yield url
            databases.drop_database(self.server_url, url)

    def _make(self, kind: str, contacts: int) -> str:
        print(f"making {contacts:,} contacts on {kind} ...", file=sys.stderr)
        if kind == "sqlite":
            url = f"sqlite:///{self.folder}/made-{contacts}.db"
        else:
            self._require_server()
            url = databases.create_database(self.server_url, "template0")
        store = create_store(url)
        for after in range(0, contacts, _SEED_STEP):
            seed_contacts(store, min(_SEED_STEP, contacts - after), after=after)
        store.close()
        if kind == "postgres":  # as the server does it by itself after a while
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
        return url

    def _require_server(self) -> None:
        if self.server_url:
            return
        named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
        if not named:
            server = PostgresServer(**_DURABLE)
            self.cleanup.callback(server.stop)
            server.start()
            named = server.url("postgres")
        self.server_url = named


@contextmanager
def made_stores() -> Iterator[MadeStores]:
    """A place for stores; everything in it is removed at the end."""
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="contactctl-bench-"))
        yield MadeStores(Path(folder), cleanup)


def _sqlite_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _database_name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]
