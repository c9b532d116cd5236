"""Whom the next sweep of thresholds looks at, and whom it may leave."""

from datetime import timedelta

from sqlalchemy import Connection, select

from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.unswept import (
    begin_look,
    end_look,
    end_look_at_some,
    is_looked,
    look_again,
    unswept_ids,
)
from helpers.contacts import add_contact
from helpers.sessions import NOW


def tell_of(connection: Connection, contact_id: int) -> None:
    look_again(connection, select(tables.contact.c.id).where(tables.contact.c.id == contact_id))


def test_who_is_told_of_while_a_sweep_looks_stays_for_the_next(store: Store) -> None:
    with store.writing() as connection:
        ann, bob, eve = (add_contact(connection, f"{name}@x.no") for name in ("ann", "bob", "eve"))
        tell_of(connection, ann)
        tell_of(connection, eve)

        assert begin_look(connection)
        tell_of(connection, ann)
        tell_of(connection, bob)
        end_look(connection, "rules", NOW)

        assert set(connection.execute(unswept_ids()).scalars()) == {ann, bob}


def test_everybody_is_looked_at_by_other_rules_and_by_a_clock_that_was_put_back(
    store: Store,
) -> None:
    with store.writing() as connection:
        assert not is_looked(connection, "rules", NOW)
        end_look(connection, "rules", NOW)

        assert is_looked(connection, "rules", NOW + timedelta(days=1))
        assert not is_looked(connection, "others", NOW)
        assert not is_looked(connection, "rules", NOW - timedelta(seconds=1))

        end_look_at_some(connection, "others", NOW)
        assert not is_looked(connection, "others", NOW)
