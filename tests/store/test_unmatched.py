"""Responses of nobody, given to the contact that has their address now."""

from sqlalchemy import insert, select

from contactctl.domain.responses import Category
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.responses import adopt_unmatched
from helpers.contacts import add_contact
from helpers.handled import add_group, add_response
from helpers.sessions import NOW

ANN = "ann@example.com"


def keep_unmatched(store: Store, source_key: str, *, email_key: str = ANN, group: str = "") -> None:
    row = {
        "email_key": email_key,
        "source_key": source_key,
        "category": Category.TRANSIENT,
        "counts": True,
        "recipient": email_key,
        "group_folded": group,
        "occurred_at": NOW,
        "recorded_at": NOW,
        "run_id": 900,
    }
    with store.writing() as connection:
        connection.execute(insert(tables.unmatched_response).values(row))


def test_each_response_is_given_once_with_its_group_and_others_are_kept(store: Store) -> None:
    for source_key, group in (("recorded", ""), ("new", ""), ("in-group", "news"), ("gone", "old")):
        keep_unmatched(store, source_key, group=group)
    keep_unmatched(store, "of-bob", email_key="bob@example.com")

    with store.writing() as connection:
        group_id = add_group(connection, "News")
        ann = add_contact(connection, ANN)
        add_response(connection, ann, Category.BLOCKED, source_key="recorded")
        adopt_unmatched(connection, connection.scalars(select(tables.contact.c.email_key)).all())

    response = tables.response
    columns = (response.c.source_key, response.c.category, response.c.group_id)
    with store.reading() as connection:
        given = connection.execute(select(*columns).order_by(response.c.source_key)).all()
        kept = connection.execute(select(tables.unmatched_response.c.source_key)).scalars().all()
    assert [tuple(row) for row in given] == [
        ("gone", "transient", 0),
        ("in-group", "transient", group_id),
        ("new", "transient", 0),
        ("recorded", "blocked", 0),
    ]
    assert kept == ["of-bob"]
