"""A year of false bounces, late and doubled events, limits that are reached and machines that open
mails, against a model that knows no SQL."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Event,
    HeldFilter,
    Response,
    Unsubscribe,
)
from contactctl.domain.runs import RunKind
from contactctl.operations.plans import plans_waiting
from contactctl.operations.reactivation import find_target, reactivate
from contactctl.operations.responses import discard, open_incidents, release
from contactctl.operations.runs import apply_run
from contactctl.operations.session import Session
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import CREATED, own_addresses
from helpers.engagement_model import Engagement
from helpers.handled import add_group, add_member, member_states, statuses
from helpers.ingested import ingest
from helpers.rough_year_model import (
    COMPLAINT,
    DAY,
    EVERYWHERE,
    FULL,
    HOUR,
    INVALID,
    LEFT,
    LIMITS,
    MOST_A_DAY,
    POLICY,
    USUAL,
    Person,
    Refusal,
    World,
)
from helpers.sessions import make_session

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
GROUP_NAMES = ("news", "offers")
PROVIDERS = ("mail.example", "post.example")
OTHERS = tuple(f"firm{number}.example" for number in range(8))
INGESTS = (timedelta(hours=8), timedelta(hours=22))
BURSTS = (  # every 64 days: the day, of which provider, what it says, whether it is released
    (1, PROVIDERS[0], INVALID, False),
    (4, PROVIDERS[1], FULL, False),
    (7, PROVIDERS[1], INVALID, True),
    (10, PROVIDERS[0], FULL, True),
)
DECIDED_AFTER = 3


# the other database has its weeks in test_year
@pytest.mark.long
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_weeks_in_which_things_go_wrong_go_as_in_the_model(store: Store) -> None:
    check(store, contacts=122, days=15)


@pytest.mark.torture
def test_a_year_in_which_things_go_wrong_goes_as_in_the_model(store: Store) -> None:
    check(store, contacts=1500, days=320)  # then too few are left for a burst


class Year:
    """The days: what happens to whom, told late and twice as it comes."""

    def __init__(self, store: Store, contacts: int, chance: random.Random) -> None:
        self.store, self.chance = store, chance
        self.world = World(make_people(store, contacts, chance))
        self.full_until: dict[int, int] = {}
        self.to_tell: list[tuple[datetime, Event]] = []
        self.numbers = iter(range(10**9))
        self.seen: set[str] = set()

    def session(self, now: datetime) -> Session:
        return make_session(self.store, now=now, responses=POLICY, limits=LIMITS)

    def pass_day(self, day: int) -> None:
        start = FIRST_DAY + day * DAY
        for event in self.events_of(day, start):
            self.tell(event, start)
        for at in INGESTS:
            self.ingest(start + at)
        self.decide(day, start + INGESTS[-1] + HOUR / 4)
        self.confirm(start + INGESTS[-1] + HOUR / 2)
        self.bring_back(start + INGESTS[-1] + 3 * HOUR / 4)
        if day % 7 != 3:  # cron was out of order on these
            now = start + INGESTS[-1] + HOUR
            sweep(self.session(now), IN_ORDER)
            self.world.sweep(now)

    def tell(self, event: Event, start: datetime) -> None:
        """At once or late, by a day at most, and one in ten a second time."""
        for _ in range(1 + (self.chance.random() < 0.1)):
            late = self.chance.choice([0, 0, 0, 0, 0, 8, 14, 20])
            self.to_tell.append((event.occurred_at + timedelta(hours=late), event))
        self.seen.add("late" if late else "at once")

    def ingest(self, now: datetime) -> None:
        told = [event for at, event in self.to_tell if at <= now]
        self.to_tell = [(at, event) for at, event in self.to_tell if at > now]
        self.chance.shuffle(told)
        assert not ingest(self.session(now), told, [].append).rejected
        concerned, places = set(), set()
        for event in sorted(told, key=lambda each: isinstance(each, Unsubscribe)):
            number = int(event.recipient.partition("@")[0][1:])
            person = self.world.people[number]
            match event:
                case Activity():
                    person.see(event)
                case Unsubscribe():
                    person.leave(event.group or EVERYWHERE, now)
                case Response() if event.source_key not in person.refusals:
                    person.refusals[event.source_key] = Refusal(
                        event.category, event.occurred_at, now
                    )
                    concerned.add(number)
                    places.add((person.domain, event.category))
        concerned |= self.world.judge(places, now)
        if not self.world.look(concerned, now):
            self.world.unswept |= concerned

    def events_of(self, day: int, start: datetime) -> Iterator[Event]:
        burst = next((each for each in BURSTS if each[0] == day % 64), None)
        refused = self.refused_in(burst[1]) if burst else ()
        usual: dict[tuple[str, Category], int] = {}
        waiting = {number for number, _ in self.world.plan.items} if self.world.plan else set()
        for number, person in self.world.people.items():
            at = start + timedelta(seconds=self.chance.randrange(3 * 3600, 15 * 3600))
            if burst and number in refused:
                yield self.refusal(number, burst[2], at)
            elif person.is_active and number not in waiting and self.chance.random() < 0.4:
                fate = self.fate(number, day)
                if isinstance(fate, Category) and usual.get((person.domain, fate), 0) < USUAL:
                    usual[person.domain, fate] = usual.get((person.domain, fate), 0) + 1
                    yield self.refusal(number, fate, at)
                elif fate is None:
                    yield from self.reading(number, at)

    def refused_in(self, domain: str) -> set[int]:
        """Some dozens of those who are well."""
        well = [n for n, each in self.world.people.items() if each.domain == domain]
        well = [n for n in well if self.world.people[n].is_active]
        return set(self.chance.sample(well, min(len(well), 24 + self.chance.randrange(20))))

    def fate(self, number: int, day: int) -> Category | None:
        """Of one mail. A mailbox that is full stays so for weeks."""
        draw = self.chance.random()
        if self.full_until.get(number, -1) >= day:
            return FULL
        if draw < 0.01:
            self.full_until[number] = day + self.chance.randrange(1, 25)
            return FULL
        return INVALID if draw < 0.022 else COMPLAINT if draw < 0.027 else None

    def reading(self, number: int, at: datetime) -> Iterator[Event]:
        """A mail arrives; machines open it within seconds, some people later; a few leave."""
        yield self.sign(number, ActivityKind.DELIVERED, at)
        if number % 3 == 0:
            yield self.sign(number, ActivityKind.OPENED, at + DAY / 86400, by_machine=True)
        if number % 5 == 0:  # a scanner follows every link
            yield self.sign(number, ActivityKind.CLICKED, at + 4 * DAY / 86400)
        if self.chance.random() < 0.1:
            yield self.sign(number, ActivityKind.OPENED, at + HOUR)
            yield self.sign(number, ActivityKind.CLICKED, at + HOUR + DAY / 1440)
        if self.chance.random() < 0.008:
            group = self.chance.choice([None, *GROUP_NAMES])
            yield Unsubscribe("t", self.key(), address(number, self.world), at + HOUR, group)

    def refusal(self, number: int, category: Category, at: datetime) -> Response:
        recipient = address(number, self.world)
        return Response("t", self.key(), recipient, category, rule="r", occurred_at=at)

    def sign(
        self, number: int, kind: ActivityKind, at: datetime, *, by_machine: bool = False
    ) -> Activity:
        recipient = address(number, self.world)
        return Activity("t", self.key(), recipient, kind, at, by_machine=by_machine)

    def key(self) -> str:
        return f"e{next(self.numbers)}"

    def decide(self, day: int, now: datetime) -> None:
        """About what was held some days ago."""
        burst = next((each for each in BURSTS if each[0] == (day - DECIDED_AFTER) % 64), None)
        if burst is None or day < DECIDED_AFTER:
            return
        _, domain, category, released = burst
        session = self.session(now)
        (incident,) = [
            each
            for each in open_incidents(session)
            if (each.name, each.category) == (domain, category)
        ]
        decided = release if released else discard
        done = decided(session, HeldFilter(incident=incident.id))
        assert done.responses == self.world.decide(domain, category, now, released=released) > 20
        self.seen.add("released" if released else "discarded")

    def confirm(self, now: datetime) -> None:
        """The plan that waits, on some days."""
        if self.world.waiting(now) and self.chance.random() < 0.25:
            session = self.session(now)
            (run,) = plans_waiting(session, RunKind.THRESHOLDS)
            apply_run(session, run.id)
            self.world.confirm(now)
            self.seen.add("confirmed")

    def bring_back(self, now: datetime) -> None:
        """By hand, one of those who did not leave."""
        back = [
            number
            for number, each in self.world.people.items()
            if not each.is_active and (EVERYWHERE, LEFT) not in each.open
        ]
        if back and self.chance.random() < 0.3:
            number = self.chance.choice(back)
            reactivate(session := self.session(now), find_target(session, str(number)))
            self.world.people[number].come_back(now)


def check(store: Store, contacts: int, days: int) -> None:
    year = Year(store, contacts, random.Random(contacts))
    people = year.world.people
    reasons = set()
    for day in range(days):
        year.pass_day(day)
        found = stored(store)
        differing = [number for number in people if shown(people[number]) != found[number]]
        assert not differing, report(day, year, found, differing[:3])
        end = FIRST_DAY + day * DAY + INGESTS[-1] + HOUR
        plan = year.world.waiting(end)
        assert waiting_in(store, end) == (set(plan.items) if plan else set())
        reasons |= {key for each in people.values() for key in each.open}
        year.seen |= {"waited" for _ in [year.world.plan] if year.world.plan}
    assert year.world.most_spent == MOST_A_DAY
    assert year.seen == {"at once", "late", "released", "discarded", "confirmed", "waited"}
    assert reasons == {
        *((EVERYWHERE, each) for each in (INVALID, FULL, COMPLAINT, LEFT)),
        *((name, LEFT) for name in GROUP_NAMES),
    }


def shown(person: Person) -> tuple[object, ...]:
    """What the store must say of one."""
    return (
        "active" if person.is_active else "inactive",
        person.groups,
        set(person.open),
        sum(each.held for each in person.refusals.values()),
        person.engagement,
    )


def stored(store: Store) -> dict[int, tuple[object, ...]]:
    """The same of all contacts, as the store has it."""
    contact, deactivation, response = tables.contact, tables.deactivation, tables.response
    names = [each.name for each in fields(Engagement)]
    states = member_states(store)
    with store.reading() as connection:
        engaged = {
            row[0]: Engagement(*row[1:])
            for row in connection.execute(select(contact.c.id, *(contact.c[n] for n in names)))
        }
        open_: dict[int, set[tuple[str, str]]] = {number: set() for number in engaged}
        columns = (deactivation.c.contact_id, deactivation.c.group_id, deactivation.c.category)
        for number, group_id, category in connection.execute(
            select(*columns).where(deactivation.c.ended_at.is_(None))
        ):
            open_[number].add((("", *GROUP_NAMES)[group_id], category))
        held = dict.fromkeys(engaged, 0)
        for (number,) in connection.execute(select(response.c.contact_id).where(response.c.held)):
            held[number] += 1
    groups: dict[int, dict[str, str]] = {number: {} for number in engaged}
    for (number, group_id), state in states.items():
        groups[number][GROUP_NAMES[group_id - 1]] = state
    return {
        number: (status, groups[number], open_[number], held[number], engaged[number])
        for number, status in statuses(store).items()
    }


def waiting_in(store: Store, now: datetime) -> set[tuple[int, str]]:
    """(contact, category) of what waits in plans of thresholds, those left out that are overdue."""
    item, run = tables.plan_item, tables.run
    statement = (
        select(item.c.contact_id, item.c.category)
        .join(run, run.c.id == item.c.run_id)
        .where(run.c.expires_at > now)
    )
    with store.reading() as connection:
        return {
            (row[0], row[1])
            for row in connection.execute(
                statement.where(run.c.kind == RunKind.THRESHOLDS, run.c.state == "planned")
            )
        }


def make_people(store: Store, count: int, chance: random.Random) -> dict[int, Person]:
    people = {
        number: Person(
            PROVIDERS[number % 3] if number % 3 < 2 else chance.choice(OTHERS),
            {name: "follows" for name in GROUP_NAMES if chance.random() < 0.6},
        )
        for number in range(1, count + 1)
    }
    rows = [
        {
            "id": number,
            "email": f"c{number}@{person.domain}",
            "email_key": f"c{number}@{person.domain}",
            "email_domain": person.domain,
            "created": CREATED,
            "updated": CREATED,
        }
        for number, person in people.items()
    ]
    with store.writing() as connection:
        ids = {name: add_group(connection, name) for name in GROUP_NAMES}
        connection.execute(insert(tables.contact), rows)
        own_addresses(connection)
        for number, person in people.items():
            for name in person.groups:
                add_member(connection, number, ids[name])
    return people


def address(number: int, world: World) -> str:
    return f"c{number}@{world.people[number].domain}"


def report(
    day: int, year: Year, found: dict[int, tuple[object, ...]], differing: Sequence[int]
) -> str:
    """What the store and the model say of some contacts, and what was told of them."""
    lines = [f"on day {day} these contacts, perhaps among others, differ:"]
    for number in differing:
        person = year.world.people[number]
        lines += [f"contact {number}", f"  store: {found[number]}", f"  model: {shown(person)}"]
        lines += [f"    {each}" for each in sorted(person.refusals.values(), key=lambda r: r.at)]
        lines += [f"    {key} since {each}" for key, each in person.open.items()]
        lines += [
            f"    last sign {max((s.occurred_at for s in person.signs.values()), default=None)}"
        ]
    return "\n".join(lines)
