"""Short ways to plan, apply and look at runs without a command line."""

from typing import Any

from sqlalchemy import func, select, update

from contactctl.domain.contacts import Status
from contactctl.domain.policies import Limits
from contactctl.domain.runs import Confirmation, Run, RunState
from contactctl.operations.criteria import CriteriaSource, Selection, select_contacts
from contactctl.operations.plans import plan_deactivation
from contactctl.operations.reactivation import plan_undo_of
from contactctl.operations.runs import apply_run
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.run_steps import start_run

NO_LIMITS = Limits(max_contacts=10**9, max_percent=100)


def selection(session: Session, *where: str) -> Selection:
    """The contacts that meet all of these conditions; the prebuilt criteria without any."""
    return select_contacts(session, CriteriaSource(where=where))


def plan(session: Session, *where: str, **values: Any) -> Run:
    """A planned run that waits to be applied."""
    run = plan_deactivation(session, selection(session, *where), **values)
    assert run is not None
    return run


def started(session: Session, *where: str) -> Run:
    """A run at work, which has dealt with no contact yet."""
    run = plan(session, *where)
    return start_run(session.store, run.id, session.clock(), operator=session.operator)


def deactivated(session: Session, *where: str) -> Run:
    """A run that has deactivated these contacts."""
    return apply_run(session, plan(session, *where).id)


def undo_of(session: Session, undone: Run) -> Run:
    """A planned run that takes another back."""
    run = plan_undo_of(session, undone)
    assert run is not None
    return run


def confirmed(count: int) -> Confirmation:
    """What a script says to change `count` contacts whatever the limits."""
    return Confirmation(count, count)


def as_another_login(store: Store, run_id: int) -> None:
    """As if another login had planned it: on Postgres, only the server says who it was."""
    with store.writing() as connection:
        of_run = tables.run.c.id == run_id
        connection.execute(update(tables.run).where(of_run).values(planned_role="somebody"))


def ids_with_status(store: Store, status: Status) -> set[int]:
    contact = tables.contact
    with store.reading() as connection:
        return set(
            connection.execute(select(contact.c.id).where(contact.c.status == status)).scalars()
        )


def active_ids(store: Store) -> set[int]:
    return ids_with_status(store, Status.ACTIVE)


def deactivated_by(store: Store, run_id: int) -> list[int]:
    """The contacts that the run deactivated, in order, one for each deactivation row."""
    deactivation = tables.deactivation
    statement = (
        select(deactivation.c.contact_id)
        .where(deactivation.c.run_id == run_id)
        .order_by(deactivation.c.contact_id)
    )
    with store.reading() as connection:
        return list(connection.execute(statement).scalars())


def plan_items(store: Store) -> int:
    """How many rows all plans together have."""
    with store.reading() as connection:
        return int(
            connection.execute(select(func.count()).select_from(tables.plan_item)).scalar_one()
        )


def states(store: Store) -> list[RunState]:
    """The state of every run, oldest first."""
    with store.reading() as connection:
        return [
            RunState(state)
            for state in connection.execute(
                select(tables.run.c.state).order_by(tables.run.c.id)
            ).scalars()
        ]
