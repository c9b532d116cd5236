"""A domain that refuses much at once: held back, until somebody decides."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from contactctl.domain.errors import RefusedError
from contactctl.domain.responses import Category, HeldFilter, ResponseFilter
from contactctl.domain.runs import RunKind
from contactctl.operations import ingest as ingest_module
from contactctl.operations.responses import discard, latest_responses, release
from contactctl.operations.runs import read_run
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.responses import adopt_unmatched
from helpers.ingested import (
    add,
    blocked,
    deactivated,
    ingest,
    record,
    recorded,
    response,
    session_at,
    session_on,
)
from helpers.responses import insert_contact
from helpers.sessions import NOW


@pytest.mark.parametrize(("number", "held"), [(3, 0), (4, 4)], ids=["usual", "more than three"])
def test_more_than_is_usual_for_a_domain_is_held(store: Store, number: int, held: int) -> None:
    add(store, *(f"c{each}@example.com" for each in range(1, 10)))
    other = response("c9@example.com", category=Category.INVALID_ADDRESS)
    result = record(session_on(store), *blocked("example.com", number), other)
    assert result.held == held
    assert result.deactivated == 1 + number - held
    assert sum(row[0] for row in recorded(store, "held")) == held


def test_another_domain_goes_on_as_usual(store: Store) -> None:
    add(store, *(f"c{each}@one.com" for each in range(1, 5)), "c1@two.com")
    result = record(session_on(store), *blocked("one.com", 4), *blocked("two.com", 1))
    (incident,) = result.judgement.incidents
    assert (incident.shared_by, incident.name, incident.held) == ("domain", "one.com", 4)
    assert deactivated(store) == [(5, 0, "blocked")]


def test_released_responses_count(store: Store) -> None:
    add(store, *(f"c{each}@example.com" for each in range(1, 5)))
    session = session_on(store)
    run_id = record(session, *blocked("example.com", 4)).run
    result = release(session, HeldFilter(run_id=run_id), reason="really gone")
    assert result.responses == 4
    assert len(deactivated(store)) == 4
    assert read_run(session, result.run).kind is RunKind.RELEASE
    with pytest.raises(RefusedError, match="no matching response is held"):
        release(session, HeldFilter())


def test_discarded_responses_never_count(store: Store) -> None:
    add(store, *(f"c{each}@example.com" for each in range(1, 5)))
    session = session_on(store)
    record(session, *blocked("example.com", 4))
    with pytest.raises(RefusedError):
        discard(session, HeldFilter(domain="other.com"))
    assert discard(session, HeldFilter(domain="example.com")).responses == 4
    sweep_thresholds(session)
    assert deactivated(store) == []
    assert set(recorded(store, "counts", "not_counted", "held")) == {(False, "discarded", False)}


def test_another_burst_takes_nothing_back_that_an_open_incident_had_no_part_in(
    store: Store,
) -> None:
    add(store, *(f"c{each}@example.com" for each in range(1, 10)))
    record(session_on(store), *blocked("example.com", 4))
    next_day = NOW + timedelta(hours=30)
    alone = response("c1@example.com", "alone", Category.BLOCKED, occurred_at=next_day)
    record(session_at(store, next_day), alone)
    assert deactivated(store) == [(1, 0, "blocked")]
    another = [
        response(f"c{each}@example.com", category=Category.INVALID_ADDRESS, occurred_at=next_day)
        for each in range(5, 9)
    ]

    result = record(session_at(store, next_day), *another)

    assert [each.held for each in result.judgement.incidents] == [4]
    assert result.judgement.taken_back == 0
    assert deactivated(store) == [(1, 0, "blocked")]


def test_a_sweep_while_blocked_responses_come_in_does_not_count_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows before the end of an ingest whether they are an incident."""
    monkeypatch.setattr(ingest_module, "BATCH_EVENTS", 1)
    add(store, *(f"c{each}@example.com" for each in range(1, 5)))
    session = session_on(store)
    result = ingest(
        session,
        blocked("example.com", 4),
        [].append,
        after_commit=lambda: sweep_thresholds(session) and None,
    )
    assert result.held == 4
    assert deactivated(store) == []


def test_responses_of_nobody_are_held_as_well(store: Store) -> None:
    """Else half a list would go as soon as it is imported."""
    add(store, "c1@example.com")
    session = session_on(store)

    result = record(session, *blocked("example.com", 4), *blocked("other.com", 1))

    (incident,) = result.judgement.incidents
    assert (incident.name, incident.held) == ("example.com", 4)
    held = latest_responses(session, ResponseFilter(unmatched=True, held=True))
    assert sorted(row["recipient"] for row in held) == [f"c{n}@example.com" for n in (2, 3, 4)]
    _become_contacts(store, "c2@example.com", "c1@other.com")
    sweep_thresholds(session)
    assert deactivated(store) == [(3, 0, "blocked")]
    assert sorted(recorded(store, "contact_id", "held")) == [(1, True), (2, True), (3, False)]


@pytest.mark.parametrize("released", [True, False])
def test_what_is_decided_holds_for_those_of_nobody(store: Store, released: bool) -> None:
    session = session_on(store)
    run_id = record(session, *blocked("example.com", 4), *blocked("other.com", 4)).run

    decide = release if released else discard
    assert decide(session, HeldFilter(run_id=run_id, domain="example.com")).responses == 4

    _become_contacts(store, "c2@example.com", "c1@other.com")
    sweep_thresholds(session)
    assert deactivated(store) == ([(1, 0, "blocked")] if released else [])
    assert recorded(store, "held") == [(False,), (True,)]


def _become_contacts(store: Store, *emails: str) -> None:
    """As an import makes them."""
    first = 1 + len(_contact_ids(store))
    with store.writing() as connection:
        for contact_id, email in enumerate(emails, start=first):
            insert_contact(connection, contact_id, email)
        adopt_unmatched(connection, connection.scalars(select(tables.contact.c.email_key)).all())


def _contact_ids(store: Store) -> list[int]:
    with store.reading() as connection:
        return list(connection.execute(select(tables.contact.c.id)).scalars())
