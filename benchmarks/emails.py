"""`--emails` with as many addresses as there are contacts, beside COPY and a join by hand.

Half of the addresses are of contacts, half are unknown. Both sides read the same file, and count
the active contacts on the list and the addresses that nobody has. By hand on Postgres it is a
COPY of the file into a temporary table, on SQLite the same with executemany.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import by_hand
from made_stores import KINDS, MadeStores, made_stores
from table import HEADER, compare, seconds_of

from contactctl.operations.address_lists import EmailsFile
from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.output.rejects import EmailsRejects
from contactctl.store.database.store import open_store
from helpers.sessions import make_session

ROUNDS = 3
TARGET = 1.3
_JOIN = (
    "SELECT count(*) FROM (SELECT DISTINCT lower(trim(email)) AS k FROM listed) l"
    " JOIN contact_email a ON a.email_key = l.k"
    " JOIN contact ON contact.id = a.contact_id WHERE contact.status = 'active'"
)
_UNKNOWN = (
    "SELECT count(*) FROM (SELECT DISTINCT lower(trim(email)) AS k FROM listed) l"
    " LEFT JOIN contact_email a ON a.email_key = l.k WHERE a.contact_id IS NULL"
)


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        hand, ours = zip(*measure(stores.of(kind, contacts), contacts), strict=True)
        compare("--emails / load and join", kind, contacts, hand, ours, TARGET)


def measure(url: str, contacts: int) -> list[tuple[float, float]]:
    """Seconds by hand and by contactctl, in turn, after one round uncounted."""
    store = open_store(url)
    session = make_session(store)
    with tempfile.TemporaryDirectory() as folder, by_hand.connected(url) as connection:
        file = Path(folder) / "list.txt"
        _write_list(connection, file, contacts)

        def ours() -> tuple[int, int]:
            rejects = EmailsRejects(None)
            with file.open("rb") as stdin:
                emails = EmailsFile(file.name, file, stdin, rejects)
                selection = select_contacts(session, CriteriaSource(emails=emails))
            return preview(session, selection).count, rejects.number

        def hand() -> tuple[int, int]:
            return _by_hand(connection, file)

        assert hand() == ours()
        rounds = []
        for _ in range(ROUNDS):
            before = process_time()
            by_them = seconds_of(hand)
            between = process_time()
            rounds.append((by_them, seconds_of(ours)))
            cpu = between - before, process_time() - between
            print(f"  CPU of this process: by hand {cpu[0]:.2f} s, contactctl {cpu[1]:.2f} s")
    store.close()
    return rounds


def _write_list(connection: Any, file: Path, contacts: int) -> None:
    known = connection.execute(f"SELECT email FROM contact LIMIT {contacts // 2}")
    with file.open("w") as out:
        for number, (email,) in enumerate(known):
            out.write(f"{email}\nunknown{number}@example.org\n")


def _by_hand(connection: Any, file: Path) -> tuple[int, int]:
    connection.execute("CREATE TEMPORARY TABLE listed (email text)")
    if hasattr(connection, "executemany"):
        with file.open() as lines:
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO listed VALUES (?)", ((line.rstrip("\n"),) for line in lines)
            )
            connection.execute("COMMIT")
    else:
        with connection.cursor().copy("COPY listed FROM STDIN") as copy:
            copy.write(file.read_bytes())
    found = connection.execute(_JOIN).fetchone()[0], connection.execute(_UNKNOWN).fetchone()[0]
    connection.execute("DROP TABLE listed")
    return found


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]
    print(HEADER)
    with made_stores() as stores:
        for contacts in sizes:
            run(stores, KINDS, contacts)


if __name__ == "__main__":
    main()
