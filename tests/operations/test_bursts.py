"""Bursts of responses: what is held is the same however, and in whichever order, it is read."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import (
    DailyLimit,
    IncidentGuard,
    Limits,
    ResponsePolicy,
    Threshold,
)
from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Event,
    HeldFilter,
    Response,
    Unsubscribe,
)
from contactctl.operations.responses import discard, open_incidents, release
from contactctl.operations.session import Session
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.runs import day_before
from helpers.ingested import add, deactivated, record, recorded, response, session_at, session_on
from helpers.sessions import NOW, make_session
from helpers.thorough import examples

INVALID = Category.INVALID_ADDRESS
DOMAINS = ("a.example", "b.example", "c.example")
PEOPLE = [f"c{number}@{domain}" for domain in DOMAINS for number in range(1, 7)]
THRESHOLDS = {
    Category.INVALID_ADDRESS: Threshold(1),
    Category.BLOCKED: Threshold(2, days_apart=1),
    Category.UNKNOWN: Threshold(1, days_apart=0),
    Category.TRANSIENT: Threshold(2, timedelta(days=20), days_apart=1),
    Category.SPAM_COMPLAINT: Threshold(1),
}
STRICT = IncidentGuard(timedelta(hours=3), more_than=2, times_usual=2)
DATES = (
    *("delivered_at", "last_emailed", "last_opened", "last_clicked", "last_machine_opened"),
    "reactivated_at",
)
SHOWN = ("status", "last_machine_opened", "last_engaged", "mails_received", "mails_since_engaged")
State = tuple[list[tuple[object, ...]], ...]


def events(draw_from: random.Random, number: int) -> list[Event]:
    """Some days of responses, by hours that let windows meet and miss each other, and what else is
    told of people meanwhile."""

    def person() -> str:
        return draw_from.choice(
            [*PEOPLE, "nobody@a.example", f"x{draw_from.randrange(5)}@b.example"]
        )

    found: list[Event] = []
    for each in range(number):
        at = NOW - timedelta(hours=draw_from.choice([1, 1, 1, 2, 2, 3, 4, 5, 30, 31, 60]))
        is_echo = draw_from.random() < 0.2
        found.append(
            response(
                person(),
                f"e{each}",
                draw_from.choice(list(THRESHOLDS)),
                occurred_at=at,
                host=draw_from.choice(["", "", "mx.example", "mail.example"]),
                rule=draw_from.choice(["policy", "user-unknown"]),
                counts=not is_echo,
                not_counted="echo" if is_echo else "",
            )
        )
        kind = draw_from.choice([*ActivityKind, ActivityKind.DELIVERED])
        by_machine = kind is not ActivityKind.DELIVERED and draw_from.random() < 0.4
        if draw_from.random() < 0.5:
            found.append(Activity("test", f"a{each}", person(), kind, at, by_machine=by_machine))
        if draw_from.random() < 0.1:
            found.append(Unsubscribe("test", f"u{each}", person(), at))
    return found


def parts(whole: Sequence[Event], cuts: Sequence[int]) -> list[Sequence[Event]]:
    bounds = [0, *sorted(cuts), len(whole)]
    return [whole[start:end] for start, end in pairwise(bounds) if start < end]


def state(store: Store) -> State:
    """Who is deactivated for what, which responses are held, and which of nobody; what the
    contacts show."""
    unmatched = tables.unmatched_response
    of_nobody = select(unmatched.c.source_key, unmatched.c.held).order_by(unmatched.c.source_key)
    contacts = select(*(tables.contact.c[name] for name in SHOWN)).order_by(tables.contact.c.id)
    with store.reading() as connection:
        nobody, shown = (
            [tuple(row) for row in connection.execute(each)] for each in (of_nobody, contacts)
        )
    return deactivated(store), recorded(store, "source_key", "held"), nobody, shown


def wipe(store: Store) -> None:
    """As before the first event."""
    with store.writing() as connection:
        for name in (
            "response",
            "unmatched_response",
            "response_rate",
            "unjudged_hour",
            "incident",
            "deactivation",
            "plan_item",
            "run",
            "delivery",
            "delivery_rate",
            "click",
            "change",
        ):
            connection.execute(getattr(tables, name).delete())
        connection.execute(
            tables.contact.update().values(
                status="active",
                revision=0,
                mails_received=0,
                mails_since_engaged=0,
                **dict.fromkeys(DATES),
            )
        )


@settings(
    max_examples=examples(24, sample=8, least=3),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 40), max_size=8))
def test_any_split_and_any_order_holds_and_deactivates_the_same(
    store: Store, seed: int, cuts: list[int]
) -> None:
    session = session_on(
        store, thresholds=THRESHOLDS, incident_guard=STRICT, reset_on_delivery=False
    )
    chance = random.Random(seed)
    whole = events(chance, 40)
    wipe(store)
    if not _people(store):
        add(store, *PEOPLE)
    record(session, *whole)
    at_once = state(store)

    wipe(store)
    chance.shuffle(whole)
    for part in parts(whole, cuts):
        record(session, *part)

    assert state(store) == at_once
    _statuses_agree(store)


@settings(
    max_examples=examples(24, sample=8, least=3),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, 40), max_size=8),
    a_day=st.integers(1, 5),
)
def test_with_a_budget_all_are_deactivated_in_the_end_and_never_too_many_in_a_day(
    store: Store, seed: int, cuts: list[int], a_day: int
) -> None:
    """In any split and order, over midnight and through plans that expire, with decisions about
    what is held in the middle: only when is another question."""
    chance = random.Random(seed)
    whole = events(chance, 40)
    decisions = [chance.choice([release, discard]) for _ in DOMAINS]
    thresholds = THRESHOLDS | {Category.TRANSIENT: Threshold(2, timedelta(days=90), days_apart=1)}
    policy = ResponsePolicy(thresholds=thresholds, incident_guard=STRICT, reset_on_delivery=False)
    unlimited = Limits(1000, Decimal(100))

    def outcome(cut_up: bool) -> State:
        wipe(store)
        now = NOW
        limits = replace(unlimited, per_day=DailyLimit(a_day)) if cut_up else unlimited

        def session() -> Session:
            return make_session(store, now=now, responses=policy, limits=limits)

        def require_budget() -> None:
            with store.reading() as connection:
                assert not cut_up or day_before(connection, now).spent <= a_day

        for half in (whole[:20], whole[20:]):
            shuffled = chance.sample(half, len(half))
            for piece in parts(shuffled, [cut // 2 for cut in cuts]) if cut_up else [half]:
                now += timedelta(hours=chance.choice([0, 1, 5, 13, 25])) if cut_up else timedelta()
                record(session(), *piece)
                require_budget()
            now = max(now, NOW + timedelta(days=12))
            for domain, decide in zip(DOMAINS, decisions, strict=True):
                with suppress(RefusedError):  # nothing of it is held
                    decide(session(), HeldFilter(domain=domain))
                require_budget()
        now, limits = NOW + timedelta(days=30), unlimited
        sweep_thresholds(session())
        _statuses_agree(store)
        return state(store)

    wipe(store)
    if not _people(store):
        add(store, *PEOPLE)
    assert outcome(cut_up=True) == outcome(cut_up=False)


def _people(store: Store) -> int:
    with store.reading() as connection:
        return int(
            connection.execute(select(func.count()).select_from(tables.contact)).scalar_one()
        )


def _statuses_agree(store: Store) -> None:
    inactive = {row[0] for row in deactivated(store)}
    with store.reading() as connection:
        statement = select(tables.contact.c.id).where(tables.contact.c.status == "inactive")
        assert set(connection.execute(statement).scalars()) == inactive


def outage(number: int, first: int = 1, domain: str = "big.example") -> list[Response]:
    return [
        response(f"c{each}@{domain}", category=Category.INVALID_ADDRESS, rule="user-unknown")
        for each in range(first, first + number)
    ]


def test_what_came_before_the_mark_was_passed_is_taken_back(store: Store) -> None:
    add(store, *(f"c{each}@big.example" for each in range(1, 9)), "c9@other.example")
    session = session_on(store)

    first = record(session, *outage(3), response("c9@other.example", category=INVALID))
    second = record(session, *outage(5, first=4))

    assert (first.deactivated, first.held) == (4, 0)
    assert (second.deactivated, second.held, second.judgement.taken_back) == (0, 8, 3)
    assert deactivated(store) == [(9, 0, "invalid-address")]
    (incident,) = open_incidents(session)
    assert (incident.shared_by, incident.name, incident.held) == ("domain", "big.example", 8)
    with store.reading() as connection:
        assert day_before(connection, session.now).spent == 1  # of the day's limit


def test_a_released_incident_deactivates_all_of_it_and_is_usual_from_then_on(
    store: Store,
) -> None:
    add(store, *(f"c{each}@big.example" for each in range(1, 40)))
    session = session_on(store)
    record(session, *outage(3))
    record(session, *outage(5, first=4))
    (incident,) = open_incidents(session)

    assert release(session, HeldFilter(incident=incident.id)).responses == 8

    assert len(deactivated(store)) == 8
    assert open_incidents(session) == []
    later = later_session(store, days=2)
    record(later, *at(later, outage(12, first=10)))
    assert (open_incidents(later), len(deactivated(store))) == ([], 20)
    record(later, *at(later, outage(13, first=22)))
    assert [each.held for each in open_incidents(later)] == [25]
    assert len(deactivated(store)) == 8


def test_what_is_discarded_is_never_usual_and_its_burst_goes_on(store: Store) -> None:
    add(store, *(f"c{each}@big.example" for each in range(1, 20)))
    session = session_on(store)
    record(session, *outage(8))
    discard(session, HeldFilter(domain="big.example"))

    again = record(session, *outage(2, first=9))
    later = later_session(store, days=2)
    record(later, *at(later, outage(4, first=11)))

    assert again.held == 2
    assert [each.held for each in open_incidents(later)] == [2, 4]
    assert deactivated(store) == []


def test_many_deliveries_at_the_same_time_show_that_it_is_none(store: Store) -> None:
    add(store, *(f"c{each}@big.example" for each in range(1, 301)))
    session = session_on(store, incident_guard=IncidentGuard(more_than=3))
    record(session, *outage(5))
    delivered = [
        Activity("test", f"d{n}", f"c{n}@big.example", ActivityKind.DELIVERED, NOW)
        for n in range(6, 301)
    ]

    record(session, *delivered)

    assert open_incidents(session) == []
    assert len(deactivated(store)) == 5


@pytest.mark.parametrize(
    ("category", "held"), [(Category.BLOCKED, 6), (Category.INVALID_ADDRESS, 0)]
)
def test_one_reason_at_many_domains_is_held_where_it_may_be_the_senders(
    store: Store, category: Category, held: int
) -> None:
    emails = [f"c@firm{each}.example" for each in range(6)]
    add(store, *emails)
    session = session_on(store)

    result = record(session, *(response(each, category=category, rule="policy") for each in emails))

    assert result.held == held
    assert [each.shared_by for each in open_incidents(session)] == (["rule"] if held else [])


def test_a_burst_of_a_receiving_host_leaves_other_hosts_alone(store: Store) -> None:
    emails = [f"c@firm{each}.example" for each in range(6)]
    add(store, *emails)
    session = session_on(store)
    hosts = ["protection.outlook.com"] * 5 + ["mx.example"]

    record(
        session,
        *(
            response(email, category=INVALID, host=host)
            for email, host in zip(emails, hosts, strict=True)
        ),
    )

    (incident,) = open_incidents(session)
    assert (incident.shared_by, incident.name, incident.held) == (
        "host",
        "protection.outlook.com",
        5,
    )
    assert deactivated(store) == [(6, 0, "invalid-address")]


def test_a_contact_with_another_reason_stays_deactivated(store: Store) -> None:
    add(store, *(f"c{each}@big.example" for each in range(1, 9)))
    session = session_on(store)
    record(
        session,
        *outage(2),
        response("c1@big.example", "old", INVALID, occurred_at=NOW - timedelta(days=9)),
    )

    record(session, *outage(6, first=3))

    assert deactivated(store) == [(1, 0, "invalid-address")]
    _statuses_agree(store)


def test_a_refusal_of_the_sender_is_recorded_and_counts_for_nobody(store: Store) -> None:
    add(store, "c1@a.example", "c2@b.example")
    session = session_on(store)

    result = record(
        session,
        response("c1@a.example", category=Category.BLOCKED, rule="blocklist"),
        response("c2@b.example", category=Category.BLOCKED, rule="status", status="5.7.25"),
        response("c2@b.example", "again", Category.BLOCKED, rule="blocklist"),
        response("nobody@b.example", category=Category.BLOCKED, rule="blocklist"),
        response("c2@b.example", "k", Category.BLOCKED, rule="recipient-preference"),
    )

    met = [(each.fault.about, each.responses, each.contacts) for each in result.sender_faults]
    assert met == [("host", 4, 2)]
    assert deactivated(store) == [(2, 0, "blocked")]
    assert recorded(store, "not_counted") == [*[("sender-side",)] * 3, ("",)]


def later_session(store: Store, days: int) -> Session:
    return session_at(store, NOW + timedelta(days=days))


def at(session: Session, responses: Sequence[Response]) -> list[Response]:
    for each in responses:
        each.occurred_at = session.now - timedelta(hours=1)
    return list(responses)
