"""Which runs may be applied or resumed, by whom, and until when."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contactctl.domain.errors import NotFoundError, RefusedError
from contactctl.domain.policies import Approval, PlanPolicy
from contactctl.domain.runs import Confirmation, RunState
from contactctl.operations.runs import (
    apply_run,
    begin_confirmed,
    begin_run,
    cancel_run,
    read_run,
    require_plan_confirmed,
    resume_run,
    run_confirmed,
)
from contactctl.store.database.store import Store, open_store
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.meanwhile import make_inactive
from helpers.plans import active_ids, as_another_login, confirmed, plan, plan_items, states
from helpers.sessions import NOW, make_session


def test_a_planned_run_cannot_be_resumed(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    plan(session, "id <= 5")

    with pytest.raises(RefusedError, match="never started"):
        resume_run(session, 1)
    assert len(active_ids(store)) == 10


@pytest.mark.parametrize("act", [apply_run, begin_run, resume_run, cancel_run, read_run])
def test_a_run_that_does_not_exist(store: Store, act: Callable[..., object]) -> None:
    with pytest.raises(NotFoundError, match="no run 7"):
        act(make_session(store), 7)


def test_a_run_cannot_be_applied_twice(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = plan(session, "id <= 5")
    apply_run(session, run.id)
    before = dump(store)

    for again in (apply_run, begin_run):
        with pytest.raises(RefusedError, match="run 1 is done, not planned"):
            again(session, run.id)
    assert dump(store) == before


@pytest.mark.parametrize("act", [apply_run, begin_run])
def test_an_expired_plan_is_ended_when_it_is_tried(
    store: Store, act: Callable[..., object]
) -> None:
    seed_contacts(store, 10)
    policy = PlanPolicy(expire_after=timedelta(hours=2))
    plan(make_session(store, plans=policy), "id <= 5")

    with pytest.raises(RefusedError, match="has expired"):
        act(make_session(store, now=NOW + timedelta(hours=2)), 1)
    assert (states(store), plan_items(store)) == ([RunState.EXPIRED], 0)
    assert len(active_ids(store)) == 10


def test_a_plan_is_applied_until_the_last_moment(store: Store) -> None:
    seed_contacts(store, 10)
    plan(make_session(store), "id <= 5")
    late = NOW + timedelta(hours=24, microseconds=-1)

    assert apply_run(make_session(store, now=late), 1).changed == 5


def test_a_second_operator_is_required_where_the_config_asks_for_one(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, plans=PlanPolicy(approval=Approval.SECOND_OPERATOR))
    run = plan(session, "id <= 5")

    with pytest.raises(RefusedError, match="tester@host planned it"):
        apply_run(session, run.id)
    with pytest.raises(RefusedError, match="second operator") as refusal:
        run_confirmed(session, lambda: plan(session, "id <= 5"))
    assert refusal.value.code == "second-operator"
    assert len(active_ids(store)) == 10
    as_another_login(store, run.id)
    assert apply_run(replace(session, operator="boss@host"), run.id).changed == 5


def test_on_postgres_the_login_tells_who_planned_and_not_a_name(postgres_url: str) -> None:
    store = open_store(postgres_url)
    seed_contacts(store, 10)
    session = make_session(store, plans=PlanPolicy(approval=Approval.SECOND_OPERATOR))
    run = plan(session, "id <= 5")
    assert run.planned_role == store.database_role()

    with pytest.raises(RefusedError, match="second operator"):
        apply_run(replace(session, operator="boss@elsewhere"), run.id)
    as_another_login(store, run.id)
    assert apply_run(session, run.id).changed == 5
    store.close()


@pytest.mark.parametrize("operator", ["tester@laptop", "Tester@host", "tester@host as admin"])
def test_another_host_or_role_makes_no_second_operator(store: Store, operator: str) -> None:
    seed_contacts(store, 10)
    session = make_session(store, plans=PlanPolicy(approval=Approval.SECOND_OPERATOR))
    run = plan(session, "id <= 5")

    with pytest.raises(RefusedError, match="second operator"):
        apply_run(replace(session, operator=operator), run.id)
    assert len(active_ids(store)) == 10


def test_a_kept_plan_is_confirmed_with_its_own_count_and_todays_limits(store: Store) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 10")

    with pytest.raises(RefusedError, match="10 contacts match"):
        require_plan_confirmed(session, run.id, confirmed(9))
    assert require_plan_confirmed(session, run.id, Confirmation(10)).id == run.id
    with store.writing() as connection:
        make_inactive(connection, 40)
    with pytest.raises(RefusedError, match="10 of 39 active contacts is over the limit of 25 %"):
        require_plan_confirmed(session, run.id, Confirmation(10))


def test_a_run_begins_with_its_own_count_alone(store: Store) -> None:
    seed_contacts(store, 40)
    session = make_session(store)
    run = plan(session, "id <= 10")

    with pytest.raises(RefusedError, match="10 contacts match"):
        begin_confirmed(session, run.id, confirmed(9))
    assert states(store) == [RunState.PLANNED]
    assert begin_confirmed(session, run.id, Confirmation(10)).state is RunState.RUNNING
