"""Criteria are held against the names in the store: a mistyped one must not widen a selection."""

import pytest

from contactctl.domain.errors import CriteriaError
from contactctl.operations.criteria import CriteriaSource, Selection, preview, select_contacts
from contactctl.operations.session import Session
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.sessions import make_session


def excluding(session: Session, *conditions: str) -> Selection:
    return select_contacts(session, CriteriaSource(where_not=conditions))


def test_a_tag_to_exclude_must_be_carried_by_somebody(store: Store) -> None:
    seed_contacts(store, 100)
    session = make_session(store)
    assert preview(session, excluding(session, "tag = VIP")).count == 98
    with pytest.raises(CriteriaError) as caught:
        excluding(session, "tag in VIP,vpi")
    assert (
        caught.value.message
        == "--where-not 'tag in VIP,vpi': no contact to exclude has the tag 'vpi'"
    )
    assert caught.value.hint == "did you mean 'vip'?"
    with pytest.raises(CriteriaError) as caught:
        excluding(session, "tag = keep")
    assert "check the spelling" in caught.value.hint


def test_a_tag_to_look_for_need_not_be_there(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    source = CriteriaSource(where=("tag = keep",), where_not=("tag != keep",))
    assert preview(session, select_contacts(session, source)).count == 0


def test_a_group_must_be_there_wherever_it_is_named(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    with pytest.raises(CriteriaError, match="unknown group 'newsleter'") as caught:
        excluding(session, "group = newsleter")
    assert caught.value.hint == "did you mean 'newsletter'?"
