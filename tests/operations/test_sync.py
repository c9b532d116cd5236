"""Contacts from another database: what a sync creates, follows, leaves alone, and deactivates."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.contacts import Status
from contactctl.domain.errors import ConfigError, InputError, RefusedError, UsageError
from contactctl.domain.policies import Limits
from contactctl.domain.runs import RunState
from contactctl.domain.sources import WriteBack
from contactctl.operations.addresses import find_merging, find_new_address, merge, readdress
from contactctl.operations.contacts import show_contact
from contactctl.operations.importing.load import ImportResult
from contactctl.operations.sync import (
    back_script,
    deactivate_missing,
    look_for_gone,
    sync_contacts,
    write_statuses_back,
)
from contactctl.output.contacts import present_contact
from contactctl.store import source_database
from contactctl.store.database.store import Store
from contactctl.store.runs import list_runs
from contactctl.store.selections import stream_contacts
from contactctl.store.source_database import Reading, SourceError
from helpers import sync_process
from helpers.imports import KeptRejects, contacts_in, import_text
from helpers.sessions import make_session
from helpers.sources import Crm, break_off, make_crm
from helpers.warm_python import warm_python

DAY = "2026-05-01 10:00:00"
LATER = "2026-05-02 10:00:00"


@pytest.fixture
def crm(store_url: str, tmp_path: Path) -> Crm:
    return make_crm(store_url, tmp_path)


def sync(store: Store, crm: Crm, **values: Any) -> tuple[ImportResult, KeptRejects]:
    """A sync, and what it rejected."""
    rejects = KeptRejects()
    full, dry_run = values.pop("full", False), values.pop("dry_run", False)
    result = sync_contacts(
        make_session(store), crm.source(**values), rejects, full=full, dry_run=dry_run
    )
    return result, rejects


def figures(result: ImportResult) -> tuple[int, int, int, int, int]:
    """created, updated, unchanged, rejected, with a new address"""
    counts = result.counts
    done = (counts.created, counts.updated, counts.unchanged)
    return (*done, result.rejected, result.readdressed)


def test_a_second_sync_reads_what_has_changed_since(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", LATER), (3, None, "Cy", DAY))
    dry, _ = sync(store, crm, dry_run=True)
    assert figures(dry) == (2, 0, 0, 1, 0)
    assert contacts_in(store) == {}
    first, rejects = sync(store, crm)
    assert figures(first) == (2, 0, 0, 1, 0)
    assert [(each.place, each.reason) for each in rejects] == [("id 3", "no email")]
    # of the same moment as the last one read, and so read again
    crm.put((4, "dee@x.no", "Dee", LATER), (1, "ann@x.no", "Anna", "2026-05-03 00:00:00"))
    second, _ = sync(store, crm)
    assert figures(second) == (1, 1, 1, 0, 0)
    assert contacts_in(store)["ann@x.no"]["first_name"] == "Anna"
    full, _ = sync(store, crm, full=True)
    assert figures(full) == (0, 0, 3, 1, 0)
    # another question to the source is asked from the beginning
    other, _ = sync(store, crm, empty_clears=True)
    assert figures(other) == (0, 0, 3, 1, 0)


def test_a_row_dated_ahead_hides_no_later_ones(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", "2999-01-01 00:00:00"))
    sync(store, crm)
    crm.put((2, "bob@x.no", "Bob", "2026-06-15 11:58:00"))  # committed late, too
    assert figures(sync(store, crm)[0]) == (1, 0, 1, 0, 0)


def test_a_date_that_python_cannot_hold_costs_one_row(store: Store, crm: Crm) -> None:
    if crm.url.startswith("sqlite"):
        pytest.skip("Postgres has infinity")
    crm.put((1, "a@example.com", "A", DAY), (2, "b@example.com", "B", "infinity"))
    crm.put((3, "c@example.com", "C", "0044-03-15 00:00:00 BC"))
    columns = {"mail": "email", "name": "first_name", "updated_at": "last_opened"}
    result, rejects = sync(store, crm, columns=columns)
    assert figures(result) == (1, 0, 0, 2, 0)
    assert all("is not an instant" in reject.reason for reject in rejects)
    crm.put((4, "d@example.com", "D", LATER))
    assert figures(sync(store, crm, columns=columns)[0])[0] == 1


def test_a_contact_whose_address_changes_is_the_same_contact(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY), (3, "cy@x.no", "Cy", DAY))
    sync(store, crm)
    before = {c["first_name"]: c for c in contacts_in(store).values()}
    # two exchange theirs, a third gets a new one
    crm.put(
        (1, "bob@x.no", "Ann", LATER), (2, "ann@x.no", "Bob", LATER), (3, "N@x.no", "Cy", LATER)
    )
    result, rejects = sync(store, crm)
    assert figures(result) == (0, 3, 0, 0, 3)
    assert not rejects
    after = {c["first_name"]: c for c in contacts_in(store).values()}
    assert {name: c["id"] for name, c in after.items()} == {
        name: c["id"] for name, c in before.items()
    }
    assert (after["Ann"]["email"], after["Cy"]["email"]) == ("bob@x.no", "N@x.no")
    assert after["Cy"]["revision"] > before["Cy"]["revision"]


def test_ids_of_the_source_are_shown_and_outlive_import_new_address_and_merge(
    store: Store, crm: Crm
) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY))
    sync(store, crm)
    import_text(store, "email,external_id,company\nann@x.no,crm:9,ACME\n")
    session = make_session(store)
    readdress(session, find_new_address(session, "ann@x.no", "new@x.no"))
    merge(session, find_merging(session, "new@x.no", "bob@x.no"))
    shown = present_contact(show_contact(session, "new@x.no")).data
    ids = [{"source": "crm", "id": "1"}, {"source": "crm", "id": "2"}]
    assert (shown["external_ids"], shown["company"]) == (ids, "ACME")
    with store.reading() as connection:
        (exported,) = stream_contacts(connection, [], fields=["external_id"])
    assert exported.by_field()["external_id"] == ["crm:1", "crm:2"]


def test_an_address_that_another_contact_has_is_not_taken(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY))
    sync(store, crm)
    crm.put((1, "bob@x.no", "Ann", LATER))
    _, rejects = sync(store, crm)
    assert [(each.place, each.reason) for each in rejects] == [
        ("id 1", "another contact has this address")
    ]
    assert contacts_in(store)["bob@x.no"]["first_name"] == "Bob"
    # rows of one address are one contact; that one row gets another address moves no one
    crm.put((5, "cy@x.no", "Cy", LATER), (6, "cy@x.no", "Cy", LATER))
    sync(store, crm)
    crm.put((6, "dee@x.no", "Dee", LATER))
    assert figures(sync(store, crm)[0])[0] == 1
    assert {"cy@x.no", "dee@x.no"} <= contacts_in(store).keys()


def test_a_row_waits_until_the_address_is_free(
    store: Store, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contactctl.operations import sync as module

    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY))
    sync(store, crm)
    options_of = module.options_of
    monkeypatch.setattr(module, "options_of", lambda *a: replace(options_of(*a), batch_rows=1))
    crm.put((1, "bob@x.no", "Ann", LATER), (2, "new@x.no", "Bob", "2026-05-02 11:00:00"))
    result, rejects = sync(store, crm)
    assert (figures(result), list(rejects)) == ((0, 2, 0, 0, 2), [])


def test_ids_that_name_no_one_contact_are_rejected(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY))
    query = f"SELECT 7 AS id, mail FROM {crm.table} UNION ALL SELECT NULL, 'cy@x.no'"
    result, rejects = sync(store, crm, query=query, cursor="", columns={"mail": "email"})
    assert result.counts.created == 1
    assert sorted(each.reason for each in rejects) == [
        "no id",
        "the id occurs twice, with another address: it must name one contact",
    ]


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"key": "ident"}, ConfigError, "no column 'ident'"),
        ({"query": "SELECT nothing FROM nowhere"}, SourceError, "source crm: "),
        ({"query": "DELETE FROM customers"}, SourceError, "source crm: "),
        ({"query": "SELECT 1 AS id; DROP TABLE customers"}, SourceError, "source crm: "),
        ({"columns": {"mail": "email", "nme": "first_name"}}, UsageError, "map: the query has no"),
    ],
)
def test_a_mistake_in_the_config_changes_nothing(
    store: Store, crm: Crm, values: dict[str, Any], error: type[Exception], words: str
) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY))
    wanted = crm.source(**{"cursor": "", **values})
    with pytest.raises(error) as raised:
        sync_contacts(make_session(store), wanted, KeptRejects())
    assert words in str(raised.value)
    assert contacts_in(store) == {}
    assert crm.execute("SELECT count(*) FROM {t}")[0][0] == 1


def test_the_hint_says_what_to_write_into_the_config(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY))
    mistyped = crm.source(columns={}, query=f"SELECT id, mail AS emial FROM {crm.table}", cursor="")
    with pytest.raises(InputError) as raised:
        sync_contacts(make_session(store), mistyped, KeptRejects())
    assert "unknown column 'emial'" in str(raised.value)
    assert "map: {emial: email}, or leave it out with ignore: ['emial']" in raised.value.hint
    sync_contacts(make_session(store), crm.source(columns={}), KeptRejects())
    assert list(contacts_in(store)) == ["ann@x.no"]  # a column `mail` is called as addresses are


def test_who_is_gone_is_deactivated_within_the_limits(store: Store, crm: Crm) -> None:
    crm.put(*((n, f"c{n}@x.no", "N", DAY) for n in range(20)))
    sync(store, crm)
    session = make_session(store)
    assert look_for_gone(session, crm.source()).count == 0
    crm.execute("DELETE FROM {t} WHERE id < 2")
    crm.put((5, "moved@x.no", "N", LATER))
    sync(store, crm)
    shown = look_for_gone(session, crm.source())
    assert (shown.count, [row["email"] for row in shown.rows]) == (2, ["c0@x.no", "c1@x.no"])
    gone = deactivate_missing(session, crm.source())
    assert gone.run is not None
    assert (gone.run.state, gone.run.changed) == (RunState.DONE, 2)
    assert deactivate_missing(session, crm.source()).run is None
    # a contact that comes back stays as it is: an import never lifts a deactivation
    crm.put((1, "c1@x.no", "N", LATER))
    sync(store, crm)
    assert contacts_in(store)["c1@x.no"]["status"] == Status.INACTIVE


def test_over_the_limits_one_plan_waits(store: Store, crm: Crm) -> None:
    crm.put(*((n, f"c{n}@x.no", "N", DAY) for n in range(10)))
    sync(store, crm)
    session = make_session(store, limits=Limits(10, Decimal(25)))
    crm.execute("DELETE FROM {t} WHERE id < 5")
    first, again = (deactivate_missing(session, crm.source()) for _ in range(2))
    assert first.refusal is not None and again.refusal is not None
    assert "5 contacts to be deactivated" in again.refusal.message
    with store.reading() as connection:
        states = [run.state for run in list_runs(connection, limit=2)]
    assert states == [RunState.PLANNED, RunState.CANCELLED]
    # a query that gives nothing is a mistake, not the end of everybody
    crm.execute("DELETE FROM {t}")
    with pytest.raises(RefusedError, match="gives no row"):
        deactivate_missing(session, crm.source())


def test_a_contact_that_another_source_has_is_not_gone(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY))
    sync(store, crm)
    shop = replace(crm.source(), name="shop", query=crm.source().query + " WHERE id = 1")
    sync_contacts(make_session(store), shop, KeptRejects())
    crm.execute("DELETE FROM {t} WHERE id = 1")
    assert look_for_gone(make_session(store), crm.source()).count == 0


def test_statuses_are_written_back(store: Store, crm: Crm) -> None:
    crm.put((1, "ann@x.no", "Ann", DAY), (2, "bob@x.no", "Bob", DAY), (3, "c@x.no", "O'C", DAY))
    sync(store, crm)
    session = make_session(store, limits=Limits(10, Decimal(100)))
    crm.execute("DELETE FROM {t} WHERE id = 2")
    deactivate_missing(session, crm.source())
    crm.put((2, "bob@x.no", "Bob", DAY))
    source = crm.source(write_back=WriteBack(crm.table, "mail_status", "ok", "stopped"))
    script = list(back_script(session, source))
    assert write_statuses_back(session, source) == 3
    assert write_statuses_back(session, source) == 0
    written = crm.execute("SELECT id, mail_status FROM {t} ORDER BY id")
    assert written == [(1, "ok"), (2, "stopped"), (3, "ok")]
    crm.execute("UPDATE {t} SET mail_status = NULL")
    for statement in script:
        crm.execute(statement)
    assert crm.execute("SELECT id, mail_status FROM {t} ORDER BY id") == written


@pytest.mark.parametrize("at", [1, 30])
def test_killed_at_any_batch_the_next_sync_goes_on(
    store_url: str, store: Store, crm: Crm, at: int
) -> None:
    rows = [
        (
            n,
            "nobody" if n % 10 == 9 else f"c{n}@x.no",
            "N",
            f"2026-05-01 {n // 60:02d}:{n % 60:02d}:00",
        )
        for n in range(400)
    ]
    crm.put(*rows)
    killed = subprocess.run(
        [warm_python(), sync_process.__file__, store_url, crm.url, crm.table, "20", str(at)],
        check=False,
    )
    assert killed.returncode < 0
    half = len(contacts_in(store))
    assert 0 < half < 360
    result, _ = sync(store, crm)
    assert result.counts.created == 360 - half
    # what was committed is not read again, but for the overlap
    assert result.rows <= 400 - half + 15
    assert len(contacts_in(store)) == 360


@pytest.mark.parametrize("at", [0, 2])
def test_a_source_that_breaks_off_takes_nobody_with_it(
    store: Store, crm: Crm, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Its server ends the connection, or its file is cut off or overwritten, between two reads."""
    from contactctl.operations import sync as module

    crm.execute("CREATE INDEX by_moment ON {t} (updated_at)")  # or SQLite reads all to sort it
    crm.put(*((n, f"c{n}@x.no", "N", f"2026-05-01 10:{n:02d}:00") for n in range(60)))
    crm.execute("UPDATE {t} SET mail_status = ?", ("x" * 2000,))  # which makes many pages
    asked = {"query": f"{crm.source().query} WHERE mail_status > 'a'"}
    source, session = crm.source(**asked), make_session(store, limits=Limits(10**6))
    sync(store, crm, **asked)
    crm.execute("UPDATE {t} SET name = 'M', updated_at = '2026-05-02 10:00:00' WHERE id < 40")
    crm.execute("DELETE FROM {t} WHERE id >= 58")

    stream, options_of, harm = Reading._stream, module.options_of, ""

    def broken(self: Reading, *what: Any) -> Iterator[Any]:
        for number, rows in enumerate(stream(self, *what)):
            if harm and number == at:
                break_off(self, harm)
            yield rows

    monkeypatch.setattr(Reading, "_stream", broken)
    monkeypatch.setattr(source_database, "_ROWS_AT_A_TIME", 10)
    monkeypatch.setattr(module, "options_of", lambda *a: replace(options_of(*a), batch_rows=10))
    path = Path(crm.url.removeprefix("sqlite:///"))
    whole = path.read_bytes() if path.exists() else b""
    for each in ["cut", "overwritten"] if whole else ["ended"]:
        harm = each
        for attempt in (
            lambda: sync(store, crm, **asked),
            lambda: sync(store, crm, full=True, **asked),
            lambda: look_for_gone(session, source),
            lambda: deactivate_missing(session, source),
        ):
            with pytest.raises(SourceError, match="source crm: ") as raised:
                attempt()
            assert raised.value.hint
            if whole:
                path.write_bytes(whole)
    assert {each["status"] for each in contacts_in(store).values()} == {Status.ACTIVE}
    with store.reading() as connection:
        states = {run.state for run in list_runs(connection, limit=20)}
    assert states == {RunState.DONE, RunState.FAILED}

    harm = ""
    result, _ = sync(store, crm, **asked)
    assert figures(result)[0] == 0
    names = [each["first_name"] for each in contacts_in(store).values()]
    assert (len(names), names.count("M")) == (60, 40)
    assert deactivate_missing(session, source).count == 2
