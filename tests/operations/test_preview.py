"""Previews agree with plans, and with counting by hand."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from contactctl.domain.policies import Billing, BillingTier, Limits
from contactctl.domain.text import fold
from contactctl.operations.criteria import preview, values_held
from contactctl.operations.plans import show_plan
from contactctl.operations.runs import apply_run
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import TODAY, add_contact, seed_contacts
from helpers.dumps import dump
from helpers.plans import plan, selection
from helpers.sessions import make_session


@pytest.mark.parametrize(
    "where",
    [
        ("last_opportunity older-than 24 months",),
        ("group = newsletter", "attributes.plan = free"),
        ("tag = vip",),
        ("company missing",),
        ("id > 0",),
    ],
    ids=" and ".join,
)
def test_a_preview_and_a_plan_of_the_same_criteria_agree(
    store: Store, where: tuple[str, ...]
) -> None:
    seed_contacts(store, 300)
    session = make_session(store)
    before = dump(store)

    seen = preview(session, selection(session, *where), with_members_lost=True)
    assert dump(store) == before
    if seen.count == 0:
        assert seen.rows == []
        return
    shown = show_plan(session, plan(session, *where).id)

    assert seen.count == shown.run.planned
    assert seen.rows == shown.rows
    assert seen.impact == shown.impact
    assert seen.stakes == shown.stakes
    assert seen.left_out == shown.run.details.left_out
    assert len(seen.rows) == min(seen.count, 30)


def test_the_count_is_that_of_counting_by_hand(store: Store) -> None:
    seed_contacts(store, 300)
    session = make_session(store)
    with store.reading() as connection:
        days = list(connection.execute(select(tables.contact.c.last_opportunity)).scalars())

    seen = preview(session, selection(session))

    cutoff = TODAY.replace(year=TODAY.year - 2)
    assert seen.count == sum(day is not None and day < cutoff for day in days)
    assert seen.left_out == {"last_opportunity": sum(day is None for day in days)}
    assert seen.active_total == 300


def test_members_lost_are_those_whom_the_group_mails_now(store: Store) -> None:
    seed_contacts(store, 60)
    session = make_session(store)
    membership = tables.membership
    with store.writing() as connection:  # an override, and a contact that is out here already
        for contact_id, state in ((2, "active"), (4, "inactive")):
            connection.execute(
                membership.update().where(membership.c.contact_id == contact_id).values(state=state)
            )
    apply_run(session, plan(session, "id = 6").id)

    seen = preview(session, selection(session, "id <= 12"), with_members_lost=True)

    assert seen.impact is not None
    assert seen.impact.members_lost == {"newsletter": 3, "customers": 3, "partners": 1}


def test_billing_before_and_after(store: Store) -> None:
    seed_contacts(store, 60)
    tiers = (BillingTier(50, Decimal(29)), BillingTier(None, Decimal(99)))
    session = make_session(store, billing=Billing("EUR", tiers))

    for count, after in ((10, tiers[0]), (9, tiers[1])):
        impact = preview(
            session, selection(session, f"id <= {count}"), with_members_lost=True
        ).impact
        assert impact is not None
        assert (impact.tier_before, impact.tier_after, impact.currency) == (tiers[1], after, "EUR")


def test_limits_are_reported_and_hold_nothing_back(store: Store) -> None:
    seed_contacts(store, 60)
    session = make_session(store, limits=Limits(max_contacts=5, max_percent=Decimal(10)))

    assert len(preview(session, selection(session, "id <= 7")).stakes.limits_exceeded) == 2
    assert preview(session, selection(session, "id <= 5")).stakes.limits_exceeded == ()


def test_an_empty_store_has_nothing_to_show(store: Store) -> None:
    session = make_session(store)

    seen = preview(session, selection(session), with_members_lost=True)

    assert (seen.count, seen.active_total, seen.rows) == (0, 0, [])
    assert seen.stakes.limits_exceeded == ()


def test_values_to_choose_are_counted_among_active_contacts(store: Store) -> None:
    seed_contacts(store, 50)
    session = make_session(store)
    with store.writing() as connection:
        for number, name in enumerate(("Ümlaut GmbH", "ümlaut gmbh", "Other", "")):
            values = {"source": name, "source_folded": fold(name)}
            add_contact(connection, f"v{number}@x.org", **values)
            status = {"status": "inactive"} if name == "Other" else {}
            add_contact(connection, f"w{number}@x.org", **values, **status)

    def held(name: str, searched: str = "") -> list[tuple[str, int]]:
        return values_held(session, session.catalogue.find(name), searched)

    assert [(fold(name), n) for name, n in held("source", "gm")] == [("ümlaut gmbh", 4)]
    assert held("source", " OTHE ") == [("Other", 1)]
    assert held("source", "%") == []
    assert [name for name, _ in held("group", "NEWS")] == ["newsletter"]
    assert held("tag")[0][0] == "VIP"
    assert {name for name, _ in held("attributes.plan")} >= {"free", "Pro"}
    assert held("attributes.tier") == []
