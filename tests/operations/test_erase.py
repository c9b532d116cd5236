"""Erased for good: no table and no byte of the file holds the address, and it cannot come back."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from contactctl.domain.emails import parse_email
from contactctl.domain.erasure import parse_keyring
from contactctl.domain.errors import BusyError, RefusedError, RejectedError, StoreError
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.domain.runs import Confirmation, Run, RunState
from contactctl.domain.waits import Waits
from contactctl.operations.contacts import add_contact as add_by_hand
from contactctl.operations.criteria import CriteriaSource
from contactctl.operations.erasure import erase_one, find_contact, plan_erasing
from contactctl.operations.groups import add_to_group
from contactctl.operations.plans import select_any
from contactctl.operations.run_work import work_for
from contactctl.operations.runs import cancel_run, read_run, resume_run
from contactctl.operations.secrets import create_key_file
from contactctl.operations.session import Session
from contactctl.operations.suppressions import is_suppressed, suppressed_in
from contactctl.operations.sweep import SweepPart, sweep
from contactctl.store import tables
from contactctl.store.database.checks import check_addresses
from contactctl.store.database.locks import exclusive
from contactctl.store.database.store import Store, open_store
from contactctl.store.erasure import clean_up, needs_clean_up
from contactctl.store.run_steps import apply_batch
from contactctl.store.runs import CONTACT_CHANGES
from contactctl.store.scrubbing import may_hold_any
from helpers.contacts import add_contact, seed_contacts
from helpers.dumps import dump
from helpers.handled import add_deactivated, add_group, add_member, add_response, statuses
from helpers.sessions import NOW, make_role_session

ADDRESS = "Ann.Secret@Mail.example.com"
KEY = ADDRESS.lower()
KINDS = [AnonymizeRun, DeleteRun]


SOON = Waits(locks_s=0.2)  # how long to wait for a reader


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    return make_role_session(store, suppression_key_file=tmp_path / "keys" / "suppression.key")


def suppressed(session: Session, email_keys: Collection[str]) -> AbstractSet[str]:
    with session.store.reading() as connection:
        return suppressed_in(session)(connection, email_keys)


def fill(store: Store) -> tuple[int, int]:
    """Ann, with her address all over the store, and Bob, in whose data it occurs."""
    ann = add_deactivated(store, ADDRESS, Category.TRANSIENT)
    bob = add_deactivated(store, f"x{KEY}")
    with store.writing() as connection:
        add_member(connection, ann, add_group(connection, "news"))
        connection.execute(
            insert(tables.contact_tag).values(contact_id=ann, tag="vip", tag_folded="vip")
        )
        add_response(connection, ann, Category.TRANSIENT, recipient=ADDRESS)
        said = f"<{ADDRESS}> and bounce+ann.secret=mail.example.com@returns.example.net failed"
        add_response(connection, bob, Category.BLOCKED, recipient=ADDRESS, diagnostic=said)
        said = "ann.secret=40mail.example.com http://x.example/?id=Ann.Secret%40mail.example.com"
        add_response(connection, bob, Category.BLOCKED, diagnostic=said, source_key="r2")
        for key in (KEY, f"<{KEY}", f"bob@{KEY}"):
            connection.execute(insert(tables.unmatched_response).values(unmatched(key)))
        for tag in (f"of {ADDRESS}", "of [erased]"):
            connection.execute(
                insert(tables.contact_tag).values(contact_id=bob, tag=tag, tag_folded=tag.lower())
            )
        run = {"kind": "deactivate", "state": "done", "operator": "o@h", "database_identity": "d"}
        connection.execute(
            insert(tables.run).values(
                **run,
                reason=f"'{ADDRESS}' asked",
                request={"conditions": [[f"email ={KEY}", "x"]], KEY: [KEY]},
                planned=0,
                changed=0,
                planned_at=NOW,
                clock_replaced=False,
                message=f"about {KEY}.",
            )
        )
        connection.execute(
            tables.contact.update()
            .where(tables.contact.c.id == bob)
            .values(attributes={"boss": ADDRESS}, attributes_folded={"boss": KEY})
        )
    return ann, bob


def unmatched(email_key: str) -> dict[str, Any]:
    return {
        "email_key": email_key,
        "source_key": "u",
        "category": "transient",
        "counts": True,
        "recipient": email_key.replace(KEY, ADDRESS),
        "occurred_at": NOW,
        "recorded_at": NOW,
        "run_id": 1,
    }


def everything(store: Store) -> str:
    """All tables as one text, without Bob's own address, which contains hers."""
    return str(dump(store)).lower().replace(f"x{KEY}", "")


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_holds_the_address_any_more(
    store: Store, session: Session, kind: type[ErasingRun]
) -> None:
    ann, bob = fill(store)
    assert everything(store).count(KEY) > 10

    run = erase_one(session, kind, find_contact(session, ADDRESS), reason=f"{ADDRESS} asked")

    assert (run.state, run.changed, run.details.to_json()) == (RunState.DONE, 1, {"contact": ann})
    assert read_run(session, run.id).reason == "[erased] asked"
    left = everything(store)
    assert KEY not in left
    assert "ann.secret" not in left
    assert "returns.example.net failed" in left  # the rest of the diagnostic stays
    assert "of [erased]" in left
    assert "unmatched_response': []" in left
    assert set(statuses(store)) == ({ann, bob} if kind is AnonymizeRun else {bob})


def test_an_anonymised_contact_is_a_number_that_stays_inactive(
    store: Store, session: Session
) -> None:
    ann, _ = fill(store)
    erase_one(session, AnonymizeRun, find_contact(session, str(ann)))

    with store.reading() as connection:
        row = connection.execute(select(tables.contact).where(tables.contact.c.id == ann)).one()
        for table in (tables.contact_tag, tables.membership, tables.response):
            ids = connection.execute(select(table.c.contact_id)).scalars()
            assert ann not in list(ids)
    assert (row.email, row.email_domain, row.status) == (f"erased-{ann}", "", "inactive")
    assert (row.attributes, row.first_name) == ({}, None)


def test_an_anonymised_contact_can_join_no_group(store: Store, session: Session) -> None:
    ann, _ = fill(store)
    erase_one(session, AnonymizeRun, find_contact(session, str(ann)))

    with pytest.raises(RefusedError, match="anonymised"):
        add_to_group(session, "news", str(ann))


@pytest.mark.parametrize("kind", KINDS)
def test_it_cannot_come_back(store: Store, session: Session, kind: type[ErasingRun]) -> None:
    fill(store)
    erase_one(session, kind, find_contact(session, ADDRESS))

    assert is_suppressed(session, ADDRESS.upper())
    assert suppressed(session, [KEY, "other@example.com"]) == {KEY}
    with pytest.raises(RejectedError, match="suppressed"):
        add_by_hand(session, {"email": ADDRESS})


def files_holding(folder: Path, words: bytes) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and words in path.read_bytes().lower()
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_of_any_file_holds_the_address(
    sqlite_url: str, tmp_path: Path, kind: type[ErasingRun]
) -> None:
    store = open_store(sqlite_url)
    with store.engine.connect() as connection:  # some builds of SQLite have it on by themselves
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    seed_contacts(store, 500)
    ann, bob = fill(store)
    with store.writing() as connection:  # leave copies of it in free pages
        connection.execute(text("DELETE FROM contact WHERE id BETWEEN 50 AND 400"))
        connection.execute(text("DELETE FROM contact_email WHERE contact_id = :id"), {"id": bob})
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": bob})
        for number in range(200):
            name = f"{'x' * number}"
            connection.execute(
                text("UPDATE contact SET first_name = :n WHERE id = :id"), {"n": name, "id": ann}
            )
    assert files_holding(tmp_path, KEY.encode())
    session = make_role_session(store, suppression_key_file=tmp_path / "key")

    erase_one(session, kind, find_contact(session, str(ann)))

    assert files_holding(tmp_path, KEY.encode()) == []  # while the store is open still
    assert files_holding(tmp_path, b"ann.secret") == []
    store.close()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (b"<ANN.Secret@Mail.example.com>", True),
        (b"bounce+ann.secret=mail.example.com@lists.example", True),
        (b"?who=ann.secret%40mail.example.com", True),
        (b"ann.secret=40mail.example.com", True),
        (b"SRS0=x=y=mail.example.com=ann.secret@relay.example", True),
        (b"ann.secret ann.secret@example.org ann.secret", False),
        (b"ann.ann.secret@mail.example.com", True),  # rather once too often
        (b"", False),
    ],
)
def test_old_pages_are_searched_for_an_address_in_every_spelling(
    tmp_path: Path, text: bytes, *, holds: bool
) -> None:
    path, size = tmp_path / "pages", 512
    first = (b"\0" * 16 + size.to_bytes(2)).ljust(size, b"\0")
    leaf = b"\x0d" + (0).to_bytes(2) + (1).to_bytes(2) + (300).to_bytes(2) + b"\0" * 5
    with_free_block = leaf[:1] + (400).to_bytes(2) + leaf[3:]
    free_block = (0).to_bytes(2) + (100).to_bytes(2) + text
    for page, is_searched in (
        (b"\0" * 8 + text, True),  # of no b-tree
        ((leaf + text).ljust(300), True),  # before the cells
        (leaf.ljust(300) + text, False),  # a cell, and so of a row
        (with_free_block.ljust(400) + free_block, True),
        (with_free_block.ljust(300) + text.ljust(100) + free_block[:4], False),
        ((leaf[:5] + b"\0\0" + leaf[7:] + text), True),  # no cell: they start at 65,536
    ):
        path.write_bytes(first + page.ljust(size, b"\0") + leaf.ljust(size, b"\0"))
        assert may_hold_any(path, [parse_email(ADDRESS)]) is (holds and is_searched), page


def test_what_no_page_holds_any_more_needs_no_rewriting(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    ann = add_deactivated(store, ADDRESS)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    statements: list[str] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda *args: statements.append(str(args[2]))
    )

    erase_one(session, DeleteRun, find_contact(session, str(ann)))

    assert not any("VACUUM" in statement for statement in statements)
    assert not needs_clean_up(store)
    assert files_holding(tmp_path, KEY.encode()) == []
    store.close()


def test_who_reads_meanwhile_makes_the_run_wait_for_its_end(
    sqlite_url: str, tmp_path: Path
) -> None:
    store, reader = open_store(sqlite_url, SOON), open_store(sqlite_url)
    ann = add_deactivated(store, ADDRESS)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    with reader.reading() as reading:
        reading.execute(select(tables.contact)).all()
        with pytest.raises(BusyError, match="write-ahead log"):
            erase_one(session, DeleteRun, find_contact(session, str(ann)))
        assert statuses(store) == {}
    reader.close()

    assert len(sweep(session, [SweepPart.RUNS]).finished) == 1
    assert files_holding(tmp_path, KEY.encode()) == []
    store.close()


@pytest.mark.parametrize(
    "email",
    ["ÅSA@bücher.example", "asa@xn--bcher-kva.example", "Ann+news@example.com", "a=b@x.no"],
)
def test_unusual_addresses_are_found_in_every_spelling(
    store: Store, session: Session, email: str
) -> None:
    address = parse_email(email)
    with store.writing() as connection:
        contact = add_contact(connection, email, email_key=address.key, email_domain=address.domain)
        bob = add_contact(connection, "bob@example.com")
        domain = "Bücher.Example" if "xn--" in address.domain else address.domain.upper()
        spelled = f"{address.key.rpartition('@')[0]}@{domain}"
        said = f"<{email}>, {address.key}: {spelled} is not b@x.no, nor ann@example.com"
        add_response(connection, bob, Category.BLOCKED, diagnostic=said)

    erase_one(session, DeleteRun, find_contact(session, str(contact)))

    with store.reading() as connection:
        [left] = connection.execute(select(tables.response.c.diagnostic)).scalars()
    assert left == "<[erased]>, [erased]: [erased] is not b@x.no, nor ann@example.com"


def test_who_had_the_address_before_has_responses_that_hold_it(
    store: Store, session: Session
) -> None:
    """Those say that they mention nobody else: they are about an address that was their own."""
    before = add_deactivated(store, "bob@example.com")
    now = add_deactivated(store, ADDRESS)
    former = {"contact_id": before, "change_number": 1, "email": ADDRESS, "email_key": KEY}
    with store.writing() as connection:
        connection.execute(insert(tables.former_address).values(**former, run_id=1, ended_at=NOW))
        values = {"recipient": ADDRESS, "mentions_others": False}
        add_response(connection, before, Category.BLOCKED, **values)

    erase_one(session, DeleteRun, find_contact(session, str(now)))

    assert "ann.secret" not in everything(store)


def test_an_address_that_spells_an_erased_one_stays_its_contacts(
    store: Store, session: Session
) -> None:
    verp = "bounce+ann.secret=mail.example.com@lists.example"
    with store.writing() as connection:
        ann, bob = add_contact(connection, ADDRESS), add_contact(connection, verp)

    erase_one(session, DeleteRun, find_contact(session, str(ann)))

    assert find_contact(session, verp).id == bob
    with store.reading() as connection:
        assert check_addresses(connection).broken == 0


def test_many_addresses_are_found_as_well_as_one(store: Store, session: Session) -> None:
    seed_contacts(store, 40)
    erased, kept = emails(store)[:20], emails(store)[20:]
    with store.writing() as connection:
        said = " ".join(f"<{email}>" for email in [*kept, *erased])
        add_response(connection, 40, Category.BLOCKED, diagnostic=said)
    run = plan_erasing(
        session, DeleteRun, selection_of(session, "id <= 20"), said=Confirmation(20, 20)
    )
    assert run is not None

    resume_run(session, run.id)

    with store.reading() as connection:
        [left] = connection.execute(select(tables.response.c.diagnostic)).scalars()
    assert left == " ".join([*(f"<{email}>" for email in kept), *["<[erased]>"] * 20])


@pytest.fixture
def half_erased(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Session, Run]]:
    """A run whose first batch has erased Ann, of whom the file keeps old copies, and no more."""
    store = open_store(sqlite_url, SOON)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    ann = add_deactivated(store, ADDRESS)
    seed_contacts(store, 200, after=ann)
    session = make_role_session(store, suppression_key_file=tmp_path / "key")
    selection = selection_of(session, "id <= 10")
    run = plan_erasing(session, DeleteRun, selection, said=Confirmation(10, 10))
    assert run is not None
    apply_batch(store, run, 3, NOW, work_for(session, run))
    assert files_holding(tmp_path, KEY.encode())
    yield session, run
    store.close()


def test_a_cancelled_erasure_leaves_no_byte_of_what_it_has_erased(
    half_erased: tuple[Session, Run], tmp_path: Path
) -> None:
    session, run = half_erased
    session.settings.suppression_key_file.unlink()  # which cancelling does not need

    cancelled = cancel_run(session, run.id)

    assert (cancelled.state, cancelled.changed) == (RunState.CANCELLED, 3)
    assert len(statuses(session.store)) == 198
    assert files_holding(tmp_path, KEY.encode()) == []


def test_a_cancelled_erasure_is_not_cleaned_up_beside_another_one(
    half_erased: tuple[Session, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file would be marked clean although the other one had just left old pages."""
    session, run = half_erased
    monkeypatch.setattr("contactctl.operations.runs.FOR_LOCKS_S", 0)
    with (
        exclusive(session.store, CONTACT_CHANGES),
        pytest.raises(BusyError, match="cancelled, but") as busy,
    ):
        cancel_run(session, run.id)
    assert "sweep runs" in busy.value.hint
    assert read_run(session, run.id).state is RunState.CANCELLED
    assert needs_clean_up(session.store)

    assert sweep(session, [SweepPart.RUNS]).problems == ()
    assert files_holding(tmp_path, KEY.encode()) == []


def test_what_a_reader_kept_from_being_cleaned_up_the_next_sweep_cleans_up(
    half_erased: tuple[Session, Run], sqlite_url: str, tmp_path: Path
) -> None:
    session, run = half_erased
    with closing(open_store(sqlite_url)) as reader, reader.reading() as reading:
        reading.execute(select(tables.contact)).all()
        with pytest.raises(BusyError, match="write-ahead log") as busy:
            cancel_run(session, run.id)
    assert "sweep runs" in busy.value.hint
    assert read_run(session, run.id).state is RunState.CANCELLED

    assert sweep(session, [SweepPart.RUNS]).problems == ()
    assert files_holding(tmp_path, KEY.encode()) == []


def test_a_clean_store_is_not_rewritten(half_erased: tuple[Session, Run]) -> None:
    session, run = half_erased
    cancel_run(session, run.id)
    assert session.store.path is not None
    before = session.store.path.stat()

    assert not needs_clean_up(session.store)
    clean_up(session.store)

    assert session.store.path.stat().st_mtime_ns == before.st_mtime_ns


def selection_of(session: Session, *where: str) -> Any:
    return select_any(session, CriteriaSource(where=where))


@pytest.mark.parametrize("kind", KINDS)
def test_by_criteria_through_a_confirmed_count(
    store: Store, session: Session, kind: type[ErasingRun]
) -> None:
    seed_contacts(store, 30)
    before = dump(store)
    selection = selection_of(session, "id <= 12")
    with pytest.raises(RefusedError, match="12"):
        plan_erasing(session, kind, selection, said=Confirmation(11))
    with pytest.raises(RefusedError, match="over the limits"):
        plan_erasing(session, kind, selection, said=Confirmation(12))
    assert dump(store) == before

    run = plan_erasing(session, kind, selection, said=Confirmation(12, 12))
    assert run is not None
    done = resume_run(session, run.id)

    assert (done.planned, done.changed) == (12, 12)
    remaining = [email for email in emails(store) if "@" in email]
    assert len(remaining) == 18
    erased = [row[1] for row in before["contact"] if row[0] <= 12]
    assert suppressed(session, erased) == set(erased)


def emails(store: Store) -> list[str]:
    with store.reading() as connection:
        by_id = select(tables.contact.c.email).order_by(tables.contact.c.id)
        return list(connection.execute(by_id).scalars())


def test_who_changed_since_the_plan_is_left_alone(store: Store, session: Session) -> None:
    seed_contacts(store, 6)
    run = plan_erasing(
        session, DeleteRun, selection_of(session, "id <= 4"), said=Confirmation(4, 4)
    )
    assert run is not None
    with store.writing() as connection:
        connection.execute(text("UPDATE contact SET revision = revision + 1 WHERE id = 2"))
        connection.execute(text("DELETE FROM contact WHERE id = 3"))

    done = resume_run(session, run.id)

    assert (done.changed, dict(done.skipped)) == (2, {"changed-since-plan": 1, "gone": 1})
    assert sorted(statuses(store)) == [2, 5, 6]


def test_an_interrupted_erasure_goes_on_where_it_was(
    store: Store, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 9)
    run = plan_erasing(
        session, DeleteRun, selection_of(session, "id <= 8"), said=Confirmation(8, 8)
    )
    assert run is not None
    apply_batch(store, run, 3, NOW, work_for(session, run))
    assert sorted(statuses(store)) == [4, 5, 6, 7, 8, 9]

    assert sweep(session, [SweepPart.RUNS]).finished == (run.id,)
    assert (sorted(statuses(store)), read_run(session, run.id).changed) == ([9], 8)


def test_without_its_key_nobody_can_tell_and_nothing_is_created(
    store: Store, session: Session
) -> None:
    fill(store)
    erase_one(session, DeleteRun, find_contact(session, ADDRESS))
    key_file = session.settings.suppression_key_file
    kept = key_file.read_text()
    key_file.rename(key_file.with_name("away"))

    with pytest.raises(StoreError, match="missing"):
        add_by_hand(session, {"email": "new@example.com"})
    with pytest.raises(StoreError, match="missing"):
        erase_one(session, DeleteRun, find_contact(session, f"x{KEY}"))
    create_key_file(key_file)  # as when a backup was made with another key
    with pytest.raises(StoreError, match=parse_keyring(kept).current.id):
        add_by_hand(session, {"email": "new@example.com"})
