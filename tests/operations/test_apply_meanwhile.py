"""Contacts that change between their plan and their batch: skipped, and counted with the reason."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from contactctl.domain.errors import BusyError
from contactctl.domain.runs import SkipReason
from contactctl.operations.runs import apply_run, resume_run
from contactctl.store import deactivations
from contactctl.store.database.store import Store, open_store
from contactctl.store.plans import Step
from contactctl.store.run_steps import apply_batch, start_run
from helpers.contacts import seed_contacts
from helpers.meanwhile import (
    change_phone,
    delete_contact,
    join_partners,
    leave_a_group,
    make_inactive,
)
from helpers.plans import active_ids, deactivated_by, plan
from helpers.sessions import NOW, make_session


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_phone, SkipReason.CHANGED),
        (join_partners, SkipReason.CHANGED),
        (leave_a_group, SkipReason.CHANGED),
        (make_inactive, SkipReason.NOT_ACTIVE),
        (delete_contact, SkipReason.GONE),
    ],
)
@pytest.mark.parametrize("when", ["before it starts", "between two batches"])
def test_a_contact_that_changes_after_it_was_shown_is_skipped_and_counted(
    store: Store,
    small_batches: None,
    change: Callable[[Connection, int], None],
    reason: SkipReason,
    when: str,
) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 20")
    if when == "between two batches":
        started_run = start_run(store, run.id, NOW, operator="tester@host")
        apply_batch(store, started_run, 7, NOW)
    with store.writing() as connection:
        change(connection, 14)

    done = (apply_run if when == "before it starts" else resume_run)(session, run.id)

    assert (done.changed, done.skipped) == (19, {reason: 1})
    assert deactivated_by(store, run.id) == [id_ for id_ in range(1, 21) if id_ != 14]
    assert (14 in active_ids(store)) == (reason is SkipReason.CHANGED)


def test_skips_of_several_batches_and_reasons_add_up(store: Store, small_batches: None) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 40")
    with store.writing() as connection:
        for contact_id in (1, 20, 40):
            delete_contact(connection, contact_id)
        for contact_id in (2, 39):
            change_phone(connection, contact_id)
        make_inactive(connection, 21)

    done = apply_run(session, run.id)

    assert done.skipped == {SkipReason.GONE: 3, SkipReason.CHANGED: 2, SkipReason.NOT_ACTIVE: 1}
    assert (done.changed, done.skipped_total) == (34, 6)
    assert (done.active_before, done.active_after) == (36, 2)


def test_a_batch_that_meets_another_writer_is_tried_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contact changes after the batch has counted it: the server says 40001."""
    store = open_store(postgres_url)
    seed_contacts(store, 20)
    session = make_session(store)
    work = deactivations.DEACTIVATING
    attempts: list[int] = []

    def meddled(step: Step) -> int:
        attempts.append(step.batch.last)
        if len(attempts) == 1:
            with store.writing() as other:
                change_phone(other, 5)
        return work.change(step)

    monkeypatch.setattr(deactivations, "DEACTIVATING", replace(work, change=meddled))
    done = apply_run(session, plan(session, "id <= 10").id)

    assert attempts == [10, 10]
    assert (done.changed, done.skipped) == (9, {SkipReason.CHANGED: 1})
    assert deactivated_by(store, done.id) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    store.close()


def test_a_batch_that_meets_another_writer_again_and_again_is_busy(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(postgres_url)
    seed_contacts(store, 20)
    session = make_session(store)
    work = deactivations.DEACTIVATING

    contact_ids = iter(range(1, 11))

    def always_meddled(step: Step) -> int:
        with store.writing() as other:
            change_phone(other, next(contact_ids))
        return work.change(step)

    monkeypatch.setattr(deactivations, "DEACTIVATING", replace(work, change=always_meddled))
    run = plan(session, "id <= 10")
    with pytest.raises(BusyError) as busy:
        apply_run(session, run.id)
    assert busy.value.code == "conflict"
    assert len(active_ids(store)) == 20

    monkeypatch.undo()
    assert resume_run(session, run.id).skipped == {SkipReason.CHANGED: 5}
    store.close()
