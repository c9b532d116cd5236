"""A provider answers "user unknown" for a day to people who are well: the day, in many ingests."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from contactctl.domain.bursts import Incident
from contactctl.domain.policies import Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Activity, ActivityKind, Category, Event, Response
from contactctl.operations.responses import open_incidents
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import own_addresses
from helpers.ingested import deactivated, ingest
from helpers.sessions import make_session

DAY_START = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = ResponsePolicy(thresholds={Category.INVALID_ADDRESS: Threshold(1)})
PROVIDER, OTHERS = "provider.example", 200


@dataclass(frozen=True)
class Outage:
    """How a day ended: who answered wrongly, and whose address is gone; `most` of the former were
    deactivated at one time. Contacts are numbered from 0 on."""

    session: Session
    wrong: set[int]
    gone: set[int]
    most: int
    incidents: list[Incident]


def replay(store: Store, *, contacts: int, false: int, ingests: int) -> Outage:
    """A third of the contacts are the provider's; one in two hundred others bounces for good."""
    chance = random.Random(contacts)
    make_contacts(store, contacts)
    wrong = set(chance.sample(range(0, contacts, 3), false))
    gone = set(chance.sample([n for n in range(contacts) if n % 3], contacts // 200))
    most = 0
    for part in range(ingests):
        now = DAY_START + timedelta(days=1) * (part + 1) / ingests
        session = make_session(store, now=now, responses=POLICY, limits=Limits())
        ingest(session, events_of(part, ingests, contacts, wrong | gone, now), [].append)
        most = max(most, len(deactivated_of(store) & wrong))
    return Outage(session, wrong, gone, most, open_incidents(session))


def deactivated_of(store: Store) -> set[int]:
    """The numbers of the contacts that are deactivated now."""
    return {row[0] - 1 for row in deactivated(store)}


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
