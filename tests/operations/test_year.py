"""Day after day of responses, sweeps and reactivations, against a model that knows no SQL."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    HandlingRule,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.operations.reactivate import find_target, reactivate
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.store import tables
from contactctl.store.store import Store
from helpers.contacts import add_contact
from helpers.sessions import make_session

FIRST_DAY = datetime(2025, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TRANSIENT, UNKNOWN, INVALID = Category.TRANSIENT, Category.UNKNOWN, Category.INVALID_ADDRESS
BLOCKED, COMPLAINT = Category.BLOCKED, Category.SPAM_COMPLAINT
DAILY_SHARE = {TRANSIENT: 0.02, UNKNOWN: 0.01, INVALID: 0.002, BLOCKED: 0.004, COMPLAINT: 0.001}
GROUPS = {"news": 1, "offers": 2, "alerts": 3, "events": 4}
REACTIVATE, REMOVE = HandlingAction.REACTIVATE, HandlingAction.REMOVE_FROM_GROUP


def rule(action: HandlingAction, days: int) -> HandlingRule:
    return HandlingRule(action, days * DAY)


POLICY = ResponsePolicy(
    thresholds={
        TRANSIENT: Threshold(2, 20 * DAY),
        UNKNOWN: Threshold(2),
        INVALID: Threshold(1),
        BLOCKED: Threshold(2, 60 * DAY),
        COMPLAINT: Threshold(1),
    },
    handling={
        TRANSIENT: rule(REACTIVATE, 10),
        UNKNOWN: rule(REACTIVATE, 14),
        INVALID: rule(REMOVE, 30),
    },
    groups={
        "offers": GroupPolicy("offers", handling={TRANSIENT: rule(REMOVE, 5)}),
        "alerts": GroupPolicy(
            "alerts",
            thresholds={TRANSIENT: Threshold(1)},
            handling={TRANSIENT: rule(REACTIVATE, 3)},
            deactivate=Scope.GROUP,
        ),
        "events": GroupPolicy("events", handling={BLOCKED: rule(REMOVE, 20)}),
    },
)
OWN_COUNTING = "alerts"  # the only group whose responses count for themselves


@dataclass
class Person:
    """A contact as the model has it. `open` maps (group or '', category) to when it started."""

    groups: dict[str, str]
    open: dict[tuple[str, Category], datetime] = field(default_factory=dict)
    responses: list[tuple[Category, str, datetime]] = field(default_factory=list)
    back_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return "inactive" if any(group == "" for group, _ in self.open) else "active"

    def sweep(self, now: datetime) -> None:
        self._apply_thresholds(now)
        self._apply_rules(now)

    def _apply_thresholds(self, now: datetime) -> None:
        for category in Category:
            for scope in ("", OWN_COUNTING):
                if self._count(scope, category, now) >= self._threshold(scope, category).count:
                    if scope and scope not in self.groups:
                        continue
                    if (scope, category) not in self.open:
                        self.open[scope, category] = now
                        if scope:
                            self.groups[scope] = "inactive"

    def _threshold(self, scope: str, category: Category) -> Threshold:
        rules = POLICY.thresholds_in(scope) if scope else POLICY.thresholds
        return rules.get(category, Threshold(10**9))

    def _count(self, scope: str, category: Category, now: datetime) -> int:
        within = self._threshold(scope, category).within
        earliest = now - within if within else FIRST_DAY - DAY  # the first responses come earlier
        return sum(
            each == category
            and (group == OWN_COUNTING) == (scope == OWN_COUNTING)
            and at >= earliest
            and at > self.back_at.get(scope, FIRST_DAY - DAY)
            for each, group, at in self.responses
        )

    def _apply_rules(self, now: datetime) -> None:
        complained = any(category is COMPLAINT for category, _, _ in self.responses)
        removed, ended = set(), []
        for (scope, category), started in self.open.items():
            general = POLICY.handling.get(category)
            own = POLICY.handling_in(scope).get(category) if scope else general
            if own and own.action is REACTIVATE and started + own.after <= now and not complained:
                ended.append((scope, category))
            for group in [scope] if scope else list(self.groups):
                here = POLICY.handling_in(group).get(category)
                if here and here.action is REMOVE and started + here.after <= now:
                    removed.add(group)
        for key in ended:
            del self.open[key]
            self.back_at[key[0]] = now
            if key[0] in self.groups and not any(scope == key[0] for scope, _ in self.open):
                self.groups[key[0]] = "follows"
        for group in removed & self.groups.keys():
            del self.groups[group]

    def bring_back(self, now: datetime) -> None:
        for key in [key for key in self.open if key[0] == ""]:
            del self.open[key]
        self.back_at[""] = now


def days_of(store: Store, people: dict[int, Person], days: int, seed: int) -> Iterator[int]:
    """Let the days pass in the store and in the model; yields after each."""
    chance = random.Random(seed)
    limits = Limits(max_contacts=10**9, max_percent=100)
    for day in range(days):
        now = FIRST_DAY + day * DAY
        rows = list(responses_of_day(people, now - timedelta(hours=1), chance))
        with store.writing() as connection:
            if rows:
                connection.execute(insert(tables.response), rows)
        session = make_session(store, now=now, responses=POLICY, limits=limits)
        if day % 7 != 3:  # cron was out of order on these
            assert sweep(session, IN_ORDER).problems == ()
            for person in people.values():
                person.sweep(now)
        for contact_id in sorted(people):
            if people[contact_id].status == "inactive" and chance.random() < 0.003:
                reactivate(session, find_target(session, str(contact_id)))
                people[contact_id].bring_back(now)
        yield day


def responses_of_day(
    people: dict[int, Person], at: datetime, chance: random.Random
) -> Iterator[dict[str, Any]]:
    for contact_id, person in people.items():
        for category, share in DAILY_SHARE.items():
            if chance.random() >= share:
                continue
            group = chance.choice(["", *GROUPS])
            person.responses.append((category, group, at))
            yield {
                "contact_id": contact_id,
                "source_key": f"{at:%j}{category}",
                "category": category,
                "counts": True,
                "recipient": "",
                "group_id": GROUPS.get(group, 0),
                "occurred_at": at,
                "recorded_at": at,
                "run_id": 1,
            }


def make_people(store: Store, count: int) -> dict[int, Person]:
    chance = random.Random(count)
    with store.writing() as connection:
        connection.execute(
            insert(tables.group),
            [
                {"id": n, "name": name, "name_folded": name, "created": FIRST_DAY, "settings": {}}
                for name, n in GROUPS.items()
            ],
        )
        people = {}
        for number in range(count):
            contact_id = add_contact(connection, f"p{number}@example.com")
            names = [name for name in GROUPS if chance.random() < 0.6]
            people[contact_id] = Person(dict.fromkeys(names, "follows"))
            for name in names:
                row = {"contact_id": contact_id, "group_id": GROUPS[name], "added": FIRST_DAY}
                connection.execute(insert(tables.membership).values(row))
    return people


def stored(store: Store) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    contact, membership = tables.contact, tables.membership
    with store.reading() as connection:
        statuses = connection.execute(select(contact.c.id, contact.c.status))
        states = connection.execute(
            select(membership.c.contact_id, membership.c.group_id, membership.c.state)
        )
        return {row[0]: row[1] for row in statuses}, {(row[0], row[1]): row[2] for row in states}


def modelled(people: dict[int, Person]) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    statuses = {contact_id: person.status for contact_id, person in people.items()}
    states = {
        (contact_id, GROUPS[name]): state
        for contact_id, person in people.items()
        for name, state in person.groups.items()
    }
    return statuses, states


def check_days(store: Store, contacts: int, days: int) -> None:
    people = make_people(store, contacts)
    seen = set()
    for day in days_of(store, people, days, seed=contacts):
        assert stored(store) == modelled(people), f"day {day}"
        seen |= {*modelled(people)[0].values(), *modelled(people)[1].values()}
    assert seen == {"active", "inactive", "follows"}
    assert len(modelled(people)[1]) < sum(len(person.groups) for person in make_names(contacts))


def make_names(contacts: int) -> list[Person]:
    """The memberships that all started with."""
    chance = random.Random(contacts)
    return [
        Person(dict.fromkeys([name for name in GROUPS if chance.random() < 0.6], "follows"))
        for _ in range(contacts)
    ]


def test_forty_days_go_as_in_the_model(store: Store) -> None:
    check_days(store, contacts=200, days=40)


@pytest.mark.torture
def test_a_year_of_ten_thousand_contacts_goes_as_in_the_model(store: Store) -> None:
    check_days(store, contacts=10_000, days=365)
