"""A provider answers "user unknown" for a day to people who are well: who goes, who stays."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from contactctl.domain.bursts import SharedBy
from contactctl.domain.policies import Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Event,
    HeldFilter,
    Response,
)
from contactctl.operations.ingest import ingest
from contactctl.operations.responses import discard, open_incidents, release
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import own_addresses
from helpers.ingested import deactivated
from helpers.sessions import make_session

DAY_START = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = ResponsePolicy(thresholds={Category.INVALID_ADDRESS: Threshold(1)})
PROVIDER, OTHERS = "provider.example", 200


@pytest.mark.parametrize("released", [True, False])
def test_an_outage_costs_nobody(store: Store, released: bool) -> None:
    replay(store, contacts=1_100, false=80, ingests=24, released=released)


@pytest.mark.torture
def test_an_outage_of_eight_thousand_among_a_hundred_thousand(store: Store) -> None:
    replay(store, contacts=110_000, false=8_000, ingests=288, released=False)


def replay(store: Store, *, contacts: int, false: int, ingests: int, released: bool) -> None:
    """A third of the contacts are the provider's; one in two hundred others bounces for good."""
    chance = random.Random(contacts)
    make_contacts(store, contacts)
    theirs = range(0, contacts, 3)
    wrong = set(chance.sample(theirs, false))
    gone = set(chance.sample([n for n in range(contacts) if n % 3], contacts // 200))
    most = 0
    for part in range(ingests):
        now = DAY_START + timedelta(days=1) * (part + 1) / ingests
        session = make_session(store, now=now, responses=POLICY, limits=Limits())
        ingest(session, events_of(part, ingests, contacts, wrong | gone, now), [].append)
        most = max(most, len({row[0] - 1 for row in deactivated(store)} & wrong))
    assert most <= 100
    assert {row[0] - 1 for row in deactivated(store)} == gone
    (incident,) = open_incidents(session)
    assert (incident.shared_by, incident.name) == (SharedBy.DOMAIN, PROVIDER)
    assert incident.held == false
    decide = release if released else discard
    assert decide(session, HeldFilter(incident=incident.id)).responses == false
    assert open_incidents(session) == []
    assert {row[0] - 1 for row in deactivated(store)} == gone | (wrong if released else set())


def events_of(
    part: int, ingests: int, contacts: int, bouncing: set[int], now: datetime
) -> Iterator[Event]:
    """The mails of one part of the day: each contact gets one."""
    for number in range(part, contacts, ingests):
        at = now - timedelta(seconds=number % 240)
        if number in bouncing:
            yield Response(
                "replayed",
                f"b{number}",
                address(number),
                Category.INVALID_ADDRESS,
                rule="user-unknown",
                status="5.1.1",
                occurred_at=at,
            )
        else:
            yield Activity("replayed", f"d{number}", address(number), ActivityKind.DELIVERED, at)


def address(number: int) -> str:
    domain = PROVIDER if number % 3 == 0 else f"d{number % OTHERS}.example"
    return f"c{number}@{domain}"


def make_contacts(store: Store, count: int) -> None:
    rows = [
        {
            "id": number + 1,
            "email": address(number),
            "email_key": address(number),
            "email_domain": address(number).partition("@")[2],
            "created": DAY_START,
            "updated": DAY_START,
        }
        for number in range(count)
    ]
    with store.writing() as connection:
        connection.execute(insert(tables.contact), rows)
        own_addresses(connection)
        assert connection.execute(select(tables.contact.c.id).limit(1)).first()
