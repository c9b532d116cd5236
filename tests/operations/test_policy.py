"""The store's policy: put in force by a run, kept with runs and plans, on both databases."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from contactctl.config.load import load_settings
from contactctl.config.policy import as_yaml, bind
from contactctl.config.settings import LoadedSettings
from contactctl.domain.errors import NotFoundError, OverLimitError, RefusedError
from contactctl.domain.policies import Approval
from contactctl.domain.runs import Confirmation, RunKind, RunState
from contactctl.operations.plans import approval_of, show_plan
from contactctl.operations.policy import apply_policy, propose_policy, read_policy, take_over
from contactctl.operations.runs import (
    apply_run,
    begin_confirmed,
    read_run,
    require_plan_confirmed,
    run_confirmed,
)
from contactctl.operations.session import Session
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import active_ids, as_another_login, plan
from helpers.sessions import make_session

SECOND = "plans: {approval: second-operator}\nlimits: {max_contacts: 8}\n"


def file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def put_in_force(store: Store, folder: Path, text: str) -> int:
    session = make_session(store)
    stored = read_number(session)
    session = replace(session, bound=bind(own(folder), {}, stored)) if stored else session
    return apply_policy(
        session, propose_policy(session, file(folder, text)), reason="agreed"
    ).number


def read_number(session: Session) -> int:
    try:
        return read_policy(session).number
    except NotFoundError:
        return 0


def own(folder: Path, text: str = "") -> LoadedSettings:
    path = folder / "own.yaml"
    path.write_text(text)
    return load_settings(config_path=path, environ={}, cwd=folder)


def session_of(store: Store, folder: Path, text: str = "") -> Session:
    """Somebody with such a config, on the store as its policy is now."""
    policy = read_policy(make_session(store))
    bound = bind(own(folder, text), policy.document, policy.number)
    session = make_session(store)
    settings = replace(bound.loaded.settings, database=session.settings.database)
    return replace(session, settings=settings, bound=bound)


def test_a_policy_is_a_run_with_operator_reason_and_what_changed(
    store: Store, tmp_path: Path
) -> None:
    assert put_in_force(store, tmp_path, SECOND) == 1
    assert put_in_force(store, tmp_path, "limits: {max_contacts: 9}\n") == 2

    policy = read_policy(make_session(store))
    assert policy.document == {"limits": {"max_contacts": 9}}
    run = read_run(make_session(store), policy.run_id)
    assert (run.kind, run.state, run.reason) == (RunKind.POLICY, RunState.DONE, "agreed")
    assert run.details.in_words() == "policy 2: limits.max_contacts, plans.approval"
    assert run.operator == "tester@host"


def test_one_of_two_at_once_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    session = make_session(store)
    first = propose_policy(session, file(tmp_path, SECOND))
    second = propose_policy(session, file(tmp_path, "allow_undo: true\n"))
    apply_policy(session, first)
    before = dump(store)
    with pytest.raises(RefusedError, match="meanwhile"):
        apply_policy(session, second)
    assert dump(store) == before


def test_a_store_takes_a_policy_over_once(store: Store, tmp_path: Path) -> None:
    loaded = own(tmp_path, "database: sqlite:///x.db\nallow_undo: true\n")
    taken = take_over(make_session(store), loaded, reason="db upgrade")
    assert taken is not None
    assert read_policy(make_session(store)).document == {"allow_undo": True}
    assert take_over(make_session(store), own(tmp_path, "allow_undo: false\n"), reason="") is None


def test_a_run_keeps_what_was_in_force(store: Store, tmp_path: Path) -> None:
    seed_contacts(store, 40)
    put_in_force(store, tmp_path, "limits: {max_contacts: 8, max_percent: 50}\n")
    session = session_of(store, tmp_path, "limits: {max_percent: 12.5}\n")
    run = run_confirmed(session, lambda: plan(session, "id <= 10", said=Confirmation(10, 10)))
    assert run is not None and run.terms is not None
    assert (run.terms.policy, run.terms.approval) == (1, Approval.SAME_OPERATOR)
    assert (run.terms.limits.max_contacts, run.terms.limits.max_percent) == (8, Decimal("12.5"))
    assert run.limit_override == 10

    small = run_confirmed(session, lambda: plan(session, "id = 20", said=Confirmation(1)))
    assert small is not None and small.limit_override is None


def test_a_kept_plan_keeps_the_approval_of_its_time(store: Store, tmp_path: Path) -> None:
    seed_contacts(store, 40)
    put_in_force(store, tmp_path, SECOND)
    kept = plan(session_of(store, tmp_path), "id <= 5")
    put_in_force(store, tmp_path, "plans: {approval: same-operator}\n")
    later = session_of(store, tmp_path)

    with pytest.raises(RefusedError, match="second operator"):
        apply_run(later, kept.id)
    as_another_login(store, kept.id)
    assert apply_run(replace(later, operator="boss@host"), kept.id).changed == 5


def test_a_plan_of_before_needs_no_second_operator_unless_a_config_asks(
    store: Store, tmp_path: Path
) -> None:
    seed_contacts(store, 40)
    put_in_force(store, tmp_path, "limits: {max_contacts: 30}\n")
    kept = plan(session_of(store, tmp_path), "id <= 5")
    stricter = session_of(store, tmp_path, "plans: {approval: second-operator}\n")
    assert approval_of(stricter, kept) is Approval.SECOND_OPERATOR
    put_in_force(store, tmp_path, "plans: {approval: second-operator}\n")
    assert apply_run(session_of(store, tmp_path), kept.id).changed == 5


def test_a_kept_plan_keeps_its_limits(store: Store, tmp_path: Path) -> None:
    seed_contacts(store, 40)
    put_in_force(store, tmp_path, "limits: {max_contacts: 8, max_percent: 100}\n")
    kept = plan(session_of(store, tmp_path), "id <= 10")
    put_in_force(store, tmp_path, "limits: {max_contacts: 1000, max_percent: 100}\n")
    later = session_of(store, tmp_path)

    assert show_plan(later, kept.id).stakes.limits_exceeded
    with pytest.raises(OverLimitError):
        require_plan_confirmed(later, kept.id, Confirmation(10))
    begun = begin_confirmed(later, kept.id, Confirmation(10, 10))
    assert begun.limit_override == 10


def test_who_began_under_an_older_policy_is_sent_back(store: Store, tmp_path: Path) -> None:
    seed_contacts(store, 10)
    put_in_force(store, tmp_path, "limits: {max_contacts: 30}\n")
    waiting = session_of(store, tmp_path)
    put_in_force(store, tmp_path, SECOND)
    before = dump(store)
    with pytest.raises(RefusedError, match="policy of the store has changed") as caught:
        plan(waiting, "id <= 5")
    assert caught.value.code == "policy-changed"
    assert dump(store) == before
    assert len(active_ids(store)) == 10


def test_an_export_says_the_same(store: Store, tmp_path: Path) -> None:
    put_in_force(store, tmp_path, SECOND)
    policy = read_policy(make_session(store))
    again = propose_policy(make_session(store), file(tmp_path, as_yaml(policy.document)))
    assert (again.changes, again.before) == ([], 1)
