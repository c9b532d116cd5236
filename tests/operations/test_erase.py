"""Erased for good: no table and no byte of the file holds the address, and it cannot come back."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from contactctl.domain.emails import parse_email
from contactctl.domain.erasure import parse_keyring
from contactctl.domain.errors import RefusedError, RejectedError, StoreError
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.domain.runs import Confirmation, RunState
from contactctl.operations.contacts import standing_of
from contactctl.operations.editing import add_contact as add_by_hand
from contactctl.operations.erasure import erase_one, plan_erasing
from contactctl.operations.groups import add_to_group
from contactctl.operations.run_work import work_for
from contactctl.operations.runs import read_run, resume_run
from contactctl.operations.secrets import create_key_file
from contactctl.operations.session import Session
from contactctl.operations.suppressions import is_suppressed, suppressed_in
from contactctl.operations.sweep import SweepPart, sweep
from contactctl.store import tables
from contactctl.store.database.checks import check_addresses
from contactctl.store.database.store import Store
from contactctl.store.run_steps import apply_batch
from helpers.contacts import add_contact, seed_contacts
from helpers.dumps import dump
from helpers.erased import ADDRESS, KEY, KINDS, fill, selection_of
from helpers.handled import add_deactivated, add_response, statuses
from helpers.sessions import NOW, make_role_session


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    return make_role_session(store, suppression_key_file=tmp_path / "keys" / "suppression.key")


def suppressed(session: Session, email_keys: Collection[str]) -> AbstractSet[str]:
    with session.store.reading() as connection:
        return suppressed_in(session)(connection, email_keys)


def everything(store: Store) -> str:
    """All tables as one text, without Bob's own address, which contains hers."""
    return str(dump(store)).lower().replace(f"x{KEY}", "")


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_holds_the_address_any_more(
    store: Store, session: Session, kind: type[ErasingRun]
) -> None:
    ann, bob = fill(store)
    assert everything(store).count(KEY) > 10

    run = erase_one(session, kind, standing_of(session, ADDRESS), reason=f"{ADDRESS} asked")

    assert (run.state, run.changed, run.details.to_json()) == (RunState.DONE, 1, {"contact": ann})
    assert read_run(session, run.id).reason == "[erased] asked"
    left = everything(store)
    assert KEY not in left
    assert "ann.secret" not in left
    assert "returns.example.net failed" in left  # the rest of the diagnostic stays
    assert "of [erased]" in left
    assert "unmatched_response': []" in left
    assert set(statuses(store)) == ({ann, bob} if kind is AnonymizeRun else {bob})


def test_of_a_deleted_contact_only_the_account_of_changes_is_left(
    store: Store, session: Session
) -> None:
    ann, _ = fill(store)
    with store.writing() as connection:
        one = {"contact_id": ann, "source": "crm", "external_id": "A-1", "run_id": 1}
        connection.execute(insert(tables.external_id).values(one))
    erase_one(session, DeleteRun, standing_of(session, ADDRESS))

    with store.reading() as connection:
        left = {
            table.name
            for table in tables.metadata.sorted_tables
            if "contact_id" in table.c
            and connection.execute(select(table).where(table.c.contact_id == ann)).first()
        }
    assert left == {"change"}


def test_an_anonymised_contact_is_a_number_that_stays_inactive(
    store: Store, session: Session
) -> None:
    ann, _ = fill(store)
    erase_one(session, AnonymizeRun, standing_of(session, str(ann)))

    with store.reading() as connection:
        row = connection.execute(select(tables.contact).where(tables.contact.c.id == ann)).one()
        for table in (tables.contact_tag, tables.membership, tables.response):
            ids = connection.execute(select(table.c.contact_id)).scalars()
            assert ann not in list(ids)
    assert (row.email, row.email_domain, row.status) == (f"erased-{ann}", "", "inactive")
    assert (row.attributes, row.first_name) == ({}, None)


def test_an_anonymised_contact_can_join_no_group(store: Store, session: Session) -> None:
    ann, _ = fill(store)
    erase_one(session, AnonymizeRun, standing_of(session, str(ann)))

    with pytest.raises(RefusedError, match="anonymised"):
        add_to_group(session, "news", str(ann))


@pytest.mark.parametrize("kind", KINDS)
def test_it_cannot_come_back(store: Store, session: Session, kind: type[ErasingRun]) -> None:
    fill(store)
    erase_one(session, kind, standing_of(session, ADDRESS))

    assert is_suppressed(session, ADDRESS.upper())
    assert suppressed(session, [KEY, "other@example.com"]) == {KEY}
    with pytest.raises(RejectedError, match="suppressed"):
        add_by_hand(session, {"email": ADDRESS})


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

    erase_one(session, DeleteRun, standing_of(session, str(contact)))

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

    erase_one(session, DeleteRun, standing_of(session, str(now)))

    assert "ann.secret" not in everything(store)


def test_an_address_that_spells_an_erased_one_stays_its_contacts(
    store: Store, session: Session
) -> None:
    verp = "bounce+ann.secret=mail.example.com@lists.example"
    with store.writing() as connection:
        ann, bob = add_contact(connection, ADDRESS), add_contact(connection, verp)

    erase_one(session, DeleteRun, standing_of(session, str(ann)))

    assert standing_of(session, verp).id == bob
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
    erase_one(session, DeleteRun, standing_of(session, ADDRESS))
    key_file = session.settings.suppression_key_file
    kept = key_file.read_text()
    key_file.rename(key_file.with_name("away"))

    with pytest.raises(StoreError, match="missing"):
        add_by_hand(session, {"email": "new@example.com"})
    with pytest.raises(StoreError, match="missing"):
        erase_one(session, DeleteRun, standing_of(session, f"x{KEY}"))
    create_key_file(key_file)  # as when a backup was made with another key
    with pytest.raises(StoreError, match=parse_keyring(kept).current.id):
        add_by_hand(session, {"email": "new@example.com"})
