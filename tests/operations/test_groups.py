"""Groups, and one contact's place in them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from contactctl.domain.errors import NotFoundError, RefusedError, UsageError
from contactctl.domain.runs import RunKind, RunState
from contactctl.operations.editing import add_contact
from contactctl.operations.groups import (
    SettingsChange,
    add_to_group,
    create_group,
    delete,
    list_groups,
    remove_from_group,
    rename,
    set_policy,
)
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.runs import list_runs
from helpers.handled import open_deactivation
from helpers.imports import contacts_in, import_text
from helpers.meanwhile import before_writing, delete_contact, delete_group
from helpers.sessions import NOW, make_session


def test_a_group_is_created_once_whatever_its_case(store: Store) -> None:
    session = make_session(store)
    change = create_group(session, "  Ærlig News ")
    assert change.group == "Ærlig News"
    with pytest.raises(RefusedError, match="Ærlig News"):
        create_group(session, "ÆRLIG NEWS")
    assert [group.name for group in list_groups(session)] == ["Ærlig News"]


@pytest.mark.parametrize("name", ["", "a;b", "a\x1b[31m", "x" * 101])
def test_names_that_no_group_can_have(store: Store, name: str) -> None:
    with pytest.raises(UsageError):
        create_group(make_session(store), name)
    assert list_groups(make_session(store)) == []


def test_groups_are_listed_with_their_sizes(store: Store) -> None:
    session = make_session(store)
    for name in ("b", "A", "c"):
        create_group(session, name)
    import_text(store, "email,group\nx@x.no,a;b\ny@x.no,a\n")
    with store.writing() as connection:
        contact = tables.contact
        connection.execute(
            update(contact).where(contact.c.email == "y@x.no").values(status="inactive")
        )
    sizes = [(group.name, group.members, group.active_members) for group in list_groups(session)]
    assert sizes == [("A", 2, 1), ("b", 1, 1), ("c", 0, 0)]


def test_adding_and_removing_one_contact(store: Store) -> None:
    create_group(make_session(store), "eu")
    import_text(store, "email\na@x.no\nb@x.no\n")
    later = make_session(store, now=NOW + timedelta(days=5))
    added = add_to_group(later, "EU", "A@x.no", reason="asked for it")
    assert added.changed
    contacts = contacts_in(store)
    assert contacts["a@x.no"]["groups"] == {"eu": "follows"}
    assert contacts["a@x.no"]["revision"] == 1
    assert contacts["a@x.no"]["updated"] == NOW + timedelta(days=5)
    assert contacts["b@x.no"]["groups"] == {}
    removed = remove_from_group(later, "eu", str(contacts["a@x.no"]["id"]))
    assert removed.changed
    assert contacts_in(store)["a@x.no"]["groups"] == {}
    with store.reading() as connection:
        runs = list_runs(connection, limit=10, kinds=[RunKind.GROUPS])
    assert [run.details.to_json()["action"] for run in runs] == ["remove", "add", "create"]
    assert {run.state for run in runs} == {RunState.DONE}
    assert runs[1].reason == "asked for it"


def test_who_is_deactivated_in_a_group_is_so_again_when_added_again(store: Store) -> None:
    create_group(make_session(store), "eu")
    import_text(store, "email,group\na@x.no,eu\nb@x.no,eu\n")
    contacts = contacts_in(store)
    with store.writing() as connection:
        open_deactivation(connection, contacts["a@x.no"]["id"], group_id=1)
    for email in ("a@x.no", "b@x.no"):
        remove_from_group(make_session(store), "eu", email)
        add_to_group(make_session(store), "eu", email)

    contacts = contacts_in(store)
    assert contacts["a@x.no"]["groups"] == {"eu": "inactive"}
    assert contacts["b@x.no"]["groups"] == {"eu": "follows"}


def test_what_is_so_already_changes_nothing_and_leaves_no_run(store: Store) -> None:
    session = make_session(store)
    create_group(session, "eu")
    import_text(store, "email,group\na@x.no,eu\nb@x.no,\n")
    with store.writing() as connection:
        connection.execute(update(tables.membership).values(state="inactive"))
    before = contacts_in(store)
    assert not add_to_group(session, "eu", "a@x.no").changed
    assert not remove_from_group(session, "eu", "b@x.no").changed
    assert contacts_in(store) == before
    with store.reading() as connection:
        assert len(list_runs(connection, limit=10, kinds=[RunKind.GROUPS])) == 1


@pytest.mark.parametrize("change", [add_to_group, remove_from_group])
def test_unknown_groups_and_contacts(store: Store, change: Callable[..., object]) -> None:
    session = make_session(store)
    create_group(session, "newsletter")
    import_text(store, "email\na@x.no\n")
    with pytest.raises(NotFoundError) as caught:
        change(session, "newsleter", "a@x.no")
    assert "did you mean 'newsletter'?" in caught.value.hint
    for unknown in ("b@x.no", "99", "9" * 40):
        with pytest.raises(NotFoundError, match="no contact"):
            change(session, "newsletter", unknown)
    with pytest.raises(UsageError, match="not an email address"):
        change(session, "newsletter", "anna")


@pytest.mark.parametrize(
    "change",
    [
        lambda session: add_to_group(session, "eu", "a@x.no"),
        lambda session: remove_from_group(session, "eu", "a@x.no"),
        lambda session: add_contact(session, {"email": "b@x.no"}, groups=["eu"]),
        lambda session: rename(session, "eu", "us"),
        lambda session: delete(session, "eu"),
        lambda session: set_policy(session, "eu", SettingsChange(bypass_system_wide=True)),
    ],
    ids=["add", "remove", "new", "rename", "delete", "set"],
)
def test_a_group_that_somebody_else_deletes_first_is_not_found(
    store: Store, change: Callable[[Session], object]
) -> None:
    import_text(store, "email\na@x.no\n")
    create_group(make_session(store), "eu")

    with pytest.raises(NotFoundError, match="no group 'eu'"):
        change(make_session(before_writing(store, partial(delete_group, group_id=1))))

    with store.reading() as connection:
        runs = list_runs(connection, limit=10, kinds=[RunKind.GROUPS])
    assert [run.details.to_json()["action"] for run in runs] == ["create"]


def test_a_contact_that_somebody_else_deletes_first_is_not_found(store: Store) -> None:
    import_text(store, "email\na@x.no\n")
    create_group(make_session(store), "eu")

    with pytest.raises(NotFoundError, match="no contact"):
        add_to_group(
            make_session(before_writing(store, partial(delete_contact, contact_id=1))),
            "eu",
            "a@x.no",
        )
