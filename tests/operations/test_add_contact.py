"""Adding one contact."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from contactctl.domain.errors import (
    BusyError,
    NotFoundError,
    RefusedError,
    RejectedError,
    UsageError,
)
from contactctl.domain.runs import RunKind, RunState
from contactctl.operations.editing import add_contact
from contactctl.operations.groups import create_group
from contactctl.operations.importing.load import CREATING_CONTACTS
from contactctl.operations.suppressions import add_suppression
from contactctl.store.database.locks import exclusive
from contactctl.store.database.store import Store
from contactctl.store.runs import get_run, list_runs
from helpers.dumps import dump
from helpers.imports import contacts_in
from helpers.sessions import make_session


def test_a_contact_with_everything(store: Store) -> None:
    session = make_session(store)
    create_group(session, "Newsletter")
    values = {
        "email": " Anna@Bücher.example",
        "first_name": " Anna ",
        "last_opportunity": "2024-01-31",
        "attributes.plan": "Free",
        "attributes.orders": "3",
    }
    contact_id, run_id = add_contact(session, values, groups=["newsletter"], tags=["vip", "VIP"])
    contact = contacts_in(store)["anna@xn--bcher-kva.example"]
    assert contact["id"] == contact_id
    assert (contact["email"], contact["first_name"]) == ("Anna@Bücher.example", "Anna")
    assert contact["attributes"] == {"plan": "Free", "orders": 3}
    assert (contact["tags"], contact["groups"]) == ({"vip"}, {"Newsletter": "follows"})
    with store.reading() as connection:
        run = get_run(connection, run_id)
    assert (run.kind, run.state, run.changed) == (RunKind.ADD, RunState.DONE, 1)
    assert run.details.to_json() == {"contact": contact_id}


def test_an_address_that_exists_is_refused_and_nothing_changes(store: Store) -> None:
    session = make_session(store)
    add_contact(session, {"email": "a@x.no", "first_name": "A"})
    before = contacts_in(store)
    with pytest.raises(RefusedError, match=r"there is already a contact 'a@x\.no'"):
        add_contact(session, {"email": "A@X.no", "first_name": "B"})
    assert contacts_in(store) == before
    with store.reading() as connection:
        assert len(list_runs(connection, limit=10)) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"email": "nobody"}, "is not an email"),
        ({"email": "a@x.no", "attributes.orders": "many"}, "not a number"),
        ({"email": "a@x.no", "last_opportunity": "31.01.2024"}, "not a date"),
        ({"email": "a@x.no", "attributes.nix": "1"}, "unknown column 'attributes.nix'"),
        ({"email": "a@x.no", "status": "inactive"}, "'status' cannot be given"),
        ({"email": "a@x.no", "first_name": "a\x00"}, "NUL"),
    ],
)
def test_values_that_do_not_fit(store: Store, values: Mapping[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        add_contact(make_session(store), values)
    assert contacts_in(store) == {}


def test_an_unknown_group_is_an_error(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no group 'eu'"):
        add_contact(make_session(store), {"email": "a@x.no"}, groups=["eu"])
    assert contacts_in(store) == {}


def test_a_suppressed_address_is_refused(store: Store, tmp_path: Path) -> None:
    session = make_session(store, suppression_key_file=tmp_path / "key")
    add_suppression(session, "a@x.no")
    before = dump(store)
    with pytest.raises(RejectedError, match="suppressed"):
        add_contact(session, {"email": "A@x.no"})
    assert dump(store) == before
    assert contacts_in(store) == {}


def test_it_waits_its_turn_behind_an_import(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contactctl.operations.editing.FOR_ONE_CONTACT_S", 0)
    with exclusive(store, CREATING_CONTACTS), pytest.raises(BusyError):
        add_contact(make_session(store), {"email": "a@x.no"})
