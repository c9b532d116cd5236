"""Everything stored about one contact."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from contactctl.domain.contacts import (
    DeactivationRecord,
    GroupMembership,
    MembershipState,
    Origin,
    Status,
)
from contactctl.domain.errors import NotFoundError, UsageError
from contactctl.operations.contacts import show_contact
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.imports import contacts_in, import_text
from helpers.sessions import NOW, make_session


def deactivate(store: Store, contact_id: int, **values: object) -> None:
    row = {"contact_id": contact_id, "group_id": 0, "category": "", "started_at": NOW} | values
    with store.writing() as connection:
        connection.execute(insert(tables.deactivation).values(row))


def test_a_contact_with_groups_tags_and_deactivations(store: Store) -> None:
    import_text(store, "email,tag,group,phone\na@x.no,b;A,eu;Asia,1\n", create_groups=True)
    contact_id = contacts_in(store)["a@x.no"]["id"]
    later = NOW + timedelta(days=1)
    deactivate(store, contact_id, run_id=7, origin="bulk", ended_at=later)
    deactivate(
        store,
        contact_id,
        run_id=8,
        origin="threshold",
        category="transient",
        started_at=later,
        group_id=1,
    )
    deactivate(store, contact_id, run_id=9, origin="bulk", started_at=later, group_id=99)
    session = make_session(store)
    record = show_contact(session, "A@X.no")
    assert (record.id, record.email, record.status) == (contact_id, "a@x.no", Status.ACTIVE)
    assert record.values["phone"] == "1"
    assert record.tags == ["A", "b"]
    assert record.groups == [
        GroupMembership("Asia", MembershipState.FOLLOWS),
        GroupMembership("eu", MembershipState.FOLLOWS),
    ]
    assert record.deactivations == [
        DeactivationRecord(None, Origin.BULK, "", NOW, later, 7),
        DeactivationRecord("eu", Origin.THRESHOLD, "transient", later, None, 8),
        DeactivationRecord("group 99", Origin.BULK, "", later, None, 9),
    ]
    assert [each.scope for each in record.deactivations] == ["system-wide", "group", "group"]
    assert show_contact(session, str(contact_id)) == record


def test_what_cannot_be_found(store: Store) -> None:
    session = make_session(store)
    for name in ("a@x.no", "1", "9" * 30):
        with pytest.raises(NotFoundError, match="no contact"):
            show_contact(session, name)
    with pytest.raises(UsageError, match="is not an email address"):
        show_contact(session, "anna")
