"""What a plan of thresholds is shown to take away is what carrying it out takes away."""

from collections.abc import Sequence

from contactctl.domain.contacts import MembershipState, Origin
from contactctl.domain.policies import GroupPolicy, Limits, ResponsePolicy, Scope, Threshold
from contactctl.domain.responses import Category
from contactctl.operations.criteria import preview
from contactctl.operations.plans import show_plan
from contactctl.operations.runs import apply_run
from contactctl.operations.session import Session
from contactctl.operations.thresholds import plan_thresholds
from contactctl.store.database.store import Store
from contactctl.store.selections import deliverable_in, stream_contacts
from helpers.contacts import add_contact
from helpers.handled import add_group, add_member, add_response, open_deactivation
from helpers.plans import selection
from helpers.sessions import make_session

TRANSIENT, BLOCKED, INVALID = Category.TRANSIENT, Category.BLOCKED, Category.INVALID_ADDRESS
AT_ONCE = {category: Threshold(1) for category in (TRANSIENT, BLOCKED, INVALID)}
POLICY = ResponsePolicy(
    AT_ONCE,
    groups={
        "news": GroupPolicy("news", thresholds=AT_ONCE, deactivate=Scope.GROUP),
        "alerts": GroupPolicy("alerts", bypass_system_wide=True),
    },
)
GROUPS = ("news", "offers", "alerts")
FOLLOWS, OVERRIDE = MembershipState.FOLLOWS, MembershipState.ACTIVE


def test_what_is_shown_of_a_threshold_plan_is_what_it_does(store: Store) -> None:
    session = make_session(store, responses=POLICY, limits=Limits(10, 100))
    groups = _add_contacts(store)
    run = plan_thresholds(session, ask_first=True)
    assert run is not None
    mailed_before = _mailed(session, groups)

    shown = show_plan(session, run.id)
    done = apply_run(session, run.id)

    assert [row["email"] for row in shown.rows] == ["ann@x.org", "bo@x.org", "cy@x.org", "di@x.org"]
    assert shown.impact is not None
    assert (shown.impact.active_before, shown.impact.active_after) == (3, 2)
    assert (done.active_before, done.active_after) == (3, 2)
    mailed_after = _mailed(session, groups)
    assert shown.impact.members_lost == {
        name: len(mailed_before[name] - mailed_after[name])
        for name in GROUPS
        if mailed_before[name] != mailed_after[name]
    }
    assert shown.impact.members_lost == {"news": 3, "offers": 1}


def test_a_group_that_bypasses_system_wide_deactivation_loses_nobody(store: Store) -> None:
    session = make_session(store, responses=POLICY)
    _add_contacts(store)

    seen = preview(session, selection(session, "email = ann@x.org"), with_members_lost=True)

    assert seen.impact is not None
    assert seen.impact.members_lost == {"news": 1, "offers": 1}


def _add_contacts(store: Store) -> dict[str, int]:
    """Ann is due twice, Bo and Di in news alone, Cy is inactive; Di has an override in news."""
    with store.writing() as connection:
        groups = {name: add_group(connection, name) for name in GROUPS}
        ann, bo, cy, di = (
            add_contact(connection, f"{name}@x.org") for name in ("ann", "bo", "cy", "di")
        )
        open_deactivation(connection, cy, "", origin=Origin.BULK)
        for contact_id in (ann, bo, cy, di):
            for name, group_id in groups.items():
                has_override = (contact_id, name) == (di, "news")
                add_member(connection, contact_id, group_id, OVERRIDE if has_override else FOLLOWS)
        add_response(connection, ann, TRANSIENT, source_key="1")
        add_response(connection, ann, BLOCKED, source_key="2")
        add_response(connection, cy, TRANSIENT)
        for contact_id in (bo, di):
            add_response(connection, contact_id, INVALID, group_id=groups["news"])
    return groups


def _mailed(session: Session, groups: dict[str, int]) -> dict[str, set[int]]:
    """Whom a campaign to each group may mail."""

    def of(name: str) -> Sequence[int]:
        bypass = POLICY.group(name).bypass_system_wide
        wanted = deliverable_in(groups[name], bypass_system_wide=bypass)
        with session.store.reading() as connection:
            return [record.id for record in stream_contacts(connection, [wanted])]

    return {name: set(of(name)) for name in GROUPS}
