"""Day after day of responses, sweeps and reactivations, against a model that knows no SQL."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from contactctl.domain.policies import Limits
from contactctl.domain.responses import Unsubscribe
from contactctl.operations.reactivation import find_target, reactivate
from contactctl.operations.session import Session
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.unswept import look_again
from helpers.contacts import CREATED, own_addresses
from helpers.ingested import ingest
from helpers.sessions import make_session
from helpers.year_model import (
    BLOCKED,
    COMPLAINT,
    DAY,
    GROUP_NAMES,
    INVALID,
    POLICY,
    TRANSIENT,
    UNKNOWN,
    Person,
    Standing,
)

FIRST_DAY = datetime(2025, 1, 1, 9, tzinfo=UTC)
DAILY_SHARE = {TRANSIENT: 0.02, UNKNOWN: 0.01, INVALID: 0.002, BLOCKED: 0.004, COMPLAINT: 0.001}
GROUP_IDS = {name: number for number, name in enumerate(GROUP_NAMES, start=1)}
NO_LIMITS = Limits(max_contacts=10**9, max_percent=100)

People = Mapping[int, Person]


# the other database has its weeks in test_rough_year
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_some_weeks_go_as_in_the_model(store: Store) -> None:
    check_days(store, contacts=160, days=30)


@pytest.mark.torture
def test_a_year_of_ten_thousand_contacts_goes_as_in_the_model(store: Store) -> None:
    check_days(store, contacts=10_000, days=365)


def check_days(store: Store, contacts: int, days: int) -> None:
    chance = random.Random(contacts)
    people = make_people(store, contacts, chance)
    memberships = sum(len(person.groups) for person in people.values())
    states = set()
    for day in range(days):
        pass_day(store, people, day, chance)
        found = stored(store)
        differing = [number for number in people if people[number].standing != found[number]]
        assert not differing, report(day, {n: (people[n], found[n]) for n in differing[:5]})
        states |= {state for person in people.values() for state in person.groups.values()}
    assert states == {"active", "inactive", "follows"}
    assert {person.status for person in people.values()} == {"active", "inactive"}
    assert sum(len(person.groups) for person in people.values()) < memberships


def pass_day(store: Store, people: People, day: int, chance: random.Random) -> None:
    """Let one day pass in the store and in the model."""
    now = FIRST_DAY + day * DAY
    rows = list(responses_of_day(people, now - timedelta(hours=1), chance))
    rows += responses_of_day(people, now - timedelta(hours=2), chance, share_of_day=0.2)
    rows += responses_of_day(people, now - timedelta(hours=3), chance, 0.2, echoed=True)
    with store.writing() as connection:
        connection.execute(insert(tables.response), rows)
        ids = sorted({row["contact_id"] for row in rows})
        look_again(connection, select(tables.contact.c.id).where(tables.contact.c.id.in_(ids)))
    session = make_session(store, now=now, responses=POLICY, limits=NO_LIMITS)
    let_some_leave(session, people, chance)
    if day % 7 != 3:  # cron was out of order on these
        assert sweep(session, IN_ORDER).problems == ()
        for person in people.values():
            person.sweep(now)
    bring_some_back(session, people, chance)


def responses_of_day(
    people: People,
    at: datetime,
    chance: random.Random,
    share_of_day: float = 1,
    *,
    echoed: bool = False,
) -> Iterator[dict[str, Any]]:
    for contact_id, person in people.items():
        for category, share in DAILY_SHARE.items():
            if chance.random() >= share * share_of_day:
                continue
            group = chance.choice(["", *GROUP_NAMES])
            (person.echo if echoed else person.respond)(category, group, at)
            yield {
                "contact_id": contact_id,
                "source_key": f"{at:%j%H}{category}",
                "category": category,
                "counts": not echoed,
                "not_counted": "echo" if echoed else "",
                "recipient": "",
                "group_id": GROUP_IDS.get(group, 0),
                "occurred_at": at,
                "recorded_at": at,
                "run_id": 1,
            }


def let_some_leave(session: Session, people: People, chance: random.Random) -> None:
    """By a provider's event."""
    leaving = [n for n, each in people.items() if not each.has_left and chance.random() < 0.002]
    wishes = [Unsubscribe("t", f"left {n}", f"p{n}@example.com", session.now) for n in leaving]
    ingest(session, wishes, [].append)
    for number in leaving:
        people[number].leave(session.now)


def bring_some_back(session: Session, people: People, chance: random.Random) -> None:
    """By hand, everywhere or in one group."""
    for contact_id, person in people.items():
        if person.status == "active" or person.has_left or chance.random() >= 0.005:
            continue
        group = chance.choice(["", "", "", *person.groups])
        reactivate(session, find_target(session, str(contact_id), group=group or None))
        if group:
            person.bring_back_in(group, session.now)
        else:
            person.bring_back(session.now)


def make_people(store: Store, count: int, chance: random.Random) -> People:
    people = {
        number: Person({name: "follows" for name in GROUP_NAMES if chance.random() < 0.6})
        for number in range(1, count + 1)
    }
    groups = [
        {"id": n, "name": name, "name_folded": name, "created": CREATED, "settings": {}}
        for name, n in GROUP_IDS.items()
    ]
    memberships = [
        {"contact_id": number, "group_id": GROUP_IDS[name], "added": CREATED}
        for number, person in people.items()
        for name in person.groups
    ]
    with store.writing() as connection:
        connection.execute(insert(tables.group), groups)
        connection.execute(insert(tables.contact), [contact_row(number) for number in people])
        own_addresses(connection)
        connection.execute(insert(tables.membership), memberships)
    return people


def contact_row(number: int) -> dict[str, Any]:
    email = f"p{number}@example.com"
    return {
        "id": number,
        "email": email,
        "email_key": email,
        "email_domain": "example.com",
        "created": CREATED,
        "updated": CREATED,
    }


def stored(store: Store) -> dict[int, Standing]:
    """Every contact's status and membership states."""
    contact, membership = tables.contact, tables.membership
    states = select(membership.c.contact_id, membership.c.group_id, membership.c.state)
    with store.reading() as connection:
        found: dict[int, Standing] = {
            number: (status, {})
            for number, status in connection.execute(select(contact.c.id, contact.c.status))
        }
        for number, group_id, state in connection.execute(states):
            found[number][1][GROUP_NAMES[group_id - 1]] = state
    return found


def report(day: int, differing: Mapping[int, tuple[Person, Standing]]) -> str:
    """What the store and the model say of some contacts, and what happened to them."""
    lines = [f"on day {day} these contacts, perhaps among others, differ:"]
    for number, (person, standing) in differing.items():
        lines += [f"contact {number}", f"  store: {standing}", f"  model: {person.standing}"]
        lines += [f"    {event}" for event in person.history]
    return "\n".join(lines)
