"""Which contacts a campaign may mail, and contacts streamed out of the store."""

from datetime import date

import pytest
from sqlalchemy import update

from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.fields import SORTABLE
from contactctl.store.groups import create_groups
from contactctl.store.selections import deliverable, deliverable_in, stream_contacts
from helpers.imports import import_text
from helpers.sessions import NOW

# one contact per status and membership state, and one that is no member
PEOPLE = [
    (status, state)
    for status in ("active", "inactive")
    for state in ("follows", "active", "inactive", None)
]


def fill(store: Store) -> int:
    """The contacts of PEOPLE, called `status-state@x.no`; returns the group's id."""
    with store.writing() as connection:
        group_id = create_groups(connection, ["eu", "us"], NOW)["eu"]
    rows = "".join(
        f"{status}-{state}@x.no,{'eu;us' if state else 'us'}\n" for status, state in PEOPLE
    )
    import_text(store, f"email,group\n{rows}")
    contact, membership = tables.contact, tables.membership
    with store.writing() as connection:
        for status, state in PEOPLE:
            ours = contact.c.email == f"{status}-{state}@x.no"
            connection.execute(update(contact).where(ours).values(status=status))
            if state:
                connection.execute(
                    update(membership)
                    .where(membership.c.contact_id == contact.c.id, ours)
                    .where(membership.c.group_id == group_id)
                    .values(state=state)
                )
    return group_id


def names(store: Store, condition: object) -> list[str]:
    with store.reading() as connection:
        return [c.email.removesuffix("@x.no") for c in stream_contacts(connection, [condition])]


def test_without_a_group_the_active_are_deliverable(store: Store) -> None:
    fill(store)
    assert names(store, deliverable()) == [
        "active-follows",
        "active-active",
        "active-inactive",
        "active-None",
    ]


@pytest.mark.parametrize("bypass", [False, True])
def test_in_a_group_overrides_decide_then_the_status(store: Store, bypass: bool) -> None:
    group_id = fill(store)
    found = names(store, deliverable_in(group_id, bypass_system_wide=bypass))
    bypassed = ["inactive-follows"] if bypass else []
    assert found == ["active-follows", "active-active", *bypassed, "inactive-active"]


def test_many_contacts_keep_their_own_tags_and_groups(store: Store) -> None:
    count = 2500
    rows = "".join(f"c{n}@x.no,t{n};all,{'g' if n % 2 else ''}\n" for n in range(count))
    import_text(store, f"email,tag,group\n{rows}", create_groups=True)
    with store.reading() as connection:
        records = list(stream_contacts(connection, []))
    assert [record.email for record in records] == [f"c{n}@x.no" for n in range(count)]
    for number, record in enumerate(records):
        assert record.tags == ["all", f"t{number}"]
        assert [m.group for m in record.groups] == (["g"] if number % 2 else [])


def test_sorting_puts_missing_values_last_and_then_goes_by_id(store: Store) -> None:
    import_text(
        store,
        "email,last_opportunity\nb@x.no,2024-01-01\na@x.no,\nd@x.no,2023-01-01\nc@x.no,2023-01-01\n",
    )

    def sorted_by(sort: str, *, limit: int | None = None) -> list[str]:
        with store.reading() as connection:
            found = stream_contacts(connection, [], sort=sort, limit=limit)
            return [record.email[0] for record in found]

    assert sorted_by("last_opportunity") == ["d", "c", "b", "a"]
    assert sorted_by("-last_opportunity") == ["b", "d", "c", "a"]
    assert sorted_by("email", limit=2) == ["a", "b"]
    assert sorted_by("-id") == ["c", "d", "a", "b"]


def test_every_sortable_field_can_be_sorted_by(store: Store) -> None:
    import_text(store, "email\na@x.no\n")
    with store.reading() as connection:
        for name in SORTABLE:
            assert len(list(stream_contacts(connection, [], sort=f"-{name}"))) == 1


def test_records_have_typed_values(store: Store) -> None:
    import_text(store, "email,last_opportunity,attributes.orders\na@x.no,2024-01-31,3\n")
    with store.reading() as connection:
        (record,) = stream_contacts(connection, [])
    assert record.values["last_opportunity"] == date(2024, 1, 31)
    assert record.values["created"].tzinfo is not None
    assert record.attributes == {"orders": 3}
