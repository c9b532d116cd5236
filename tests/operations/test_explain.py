"""What `explain` tells of a contact's groups: when it came, when and why it left."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from contactctl.domain.confirmation import Confirmation
from contactctl.domain.policies import HandlingAction, Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.runs import RunKind
from contactctl.operations.deactivate import run_confirmed
from contactctl.operations.erase import erase_one, find_contact
from contactctl.operations.explain import Happening, explain
from contactctl.operations.group_admin import plan_removing
from contactctl.operations.groups import add_to_group, remove_from_group
from contactctl.operations.select import CriteriaSource, select_contacts
from contactctl.operations.session import Session
from contactctl.operations.sweep import IN_ORDER, sweep
from contactctl.operations.thresholds import sweep_thresholds
from contactctl.store import tables
from contactctl.store.store import Store
from helpers.contacts import CREATED, add_contact
from helpers.handled import add_group, add_member, add_response, rule
from helpers.sessions import NOW, make_session

INVALID = Category.INVALID_ADDRESS


def add_ann(store: Store) -> None:
    with store.writing() as connection:
        add_member(connection, add_contact(connection, "ann@x.no"), add_group(connection, "news"))


def in_groups(session: Session) -> list[Happening]:
    return [each for each in explain(session, "ann@x.no").timeline if each.group]


def test_a_contact_joins_leaves_and_joins_again(store: Store) -> None:
    add_ann(store)
    session = make_session(store)
    run = remove_from_group(session, "news", "ann@x.no", reason="asked for it").run
    add_to_group(session, "news", "ann@x.no")

    joined, left, again = in_groups(session)
    assert (joined.kind, joined.at) == ("joined", CREATED)
    assert (left.kind, left.at, left.run) == ("left", NOW, run)
    assert left.text == "removed from the group news (groups) by tester@host, asked for it"
    assert (again.kind, again.at) == ("joined", NOW)


def test_removed_by_criteria(store: Store) -> None:
    add_ann(store)
    session = make_session(store, limits=Limits(max_contacts=10, max_percent=100))
    selection = select_contacts(session, CriteriaSource(where=["email = ann@x.no"]))
    said = Confirmation(1)
    run = run_confirmed(session, lambda: plan_removing(session, "news", selection, said=said))
    assert run is not None

    _, left = in_groups(session)
    assert (left.kind, left.run) == ("left", run.id)
    assert "(remove-from-group)" in left.text


def test_removed_by_a_handling_rule(store: Store) -> None:
    policy = ResponsePolicy(
        thresholds={INVALID: Threshold(1)},
        handling={INVALID: rule(HandlingAction.REMOVE_FROM_GROUP, 5)},
    )
    add_ann(store)
    limits = Limits(max_contacts=10, max_percent=100)
    session = make_session(store, responses=policy, limits=limits)
    with store.writing() as connection:
        add_response(connection, 1, INVALID, occurred_at=NOW - timedelta(hours=1))
    sweep_thresholds(session)
    later = make_session(store, now=NOW + timedelta(days=6), responses=policy, limits=limits)
    (run,) = sweep(later, IN_ORDER).runs

    _, left = in_groups(later)
    assert (left.kind, left.at, left.run) == ("left", NOW + timedelta(days=6), run.id)
    assert "(handling)" in left.text


def test_nothing_of_it_outlives_the_contact(store: Store, tmp_path: Path) -> None:
    add_ann(store)
    session = make_session(store, suppression_key_file=tmp_path / "suppression.key")
    remove_from_group(session, "news", "ann@x.no")
    erase_one(session, RunKind.ANONYMIZE, find_contact(session, "ann@x.no"))
    with store.reading() as connection:
        kept = select(func.count()).select_from(tables.former_membership)
        assert connection.execute(kept).scalar_one() == 0
