"""Plan items, the frozen set of contacts that a run will change, and what is done to a batch."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState
from contactctl.domain.run_kinds import RUN_TYPES
from contactctl.domain.runs import Run, RunKind, SkipReason
from contactctl.store import tables
from contactctl.store.changes import change_contacts, note_each
from contactctl.store.database.store import Store
from contactctl.store.impact import Shift
from contactctl.store.predicates import Clause, one_number
from contactctl.store.temporary import join_by_index

_item = tables.plan_item
_contact = tables.contact
_membership = tables.membership

WritePlan = Callable[[sa.Connection, int], int]  # (connection, run id) -> planned contacts


@dataclass(frozen=True, slots=True)
class Batch:
    """The plan items of one transaction: contact ids above `after`, up to and with `last`."""

    after: int
    last: int
    contacts: int


@dataclass(frozen=True, slots=True)
class Step:
    """A batch of a run, dealt with in one transaction, at the instant `now`."""

    connection: sa.Connection
    run: Run
    batch: Batch
    now: datetime

    @property
    def items(self) -> Clause:
        """True for the plan items of the batch."""
        return (_item.c.run_id == self.run.id) & self.covers(_item.c.contact_id)

    @property
    def contact_ids(self) -> sa.Select[int]:
        """The contacts of these items."""
        return sa.select(_item.c.contact_id).where(self.items)

    def covers(self, contact_id: sa.ColumnElement[int]) -> Clause:
        """True in the batch's stretch of contact ids, in whatever table."""
        return sa.and_(contact_id > self.batch.after, contact_id <= self.batch.last)

    def do(self, statement: sa.UpdateBase) -> int:
        """Execute a statement; returns how many rows it has written."""
        return self.connection.execute(statement).rowcount

    def tell(self, kind: ChangeKind, chosen: sa.Select[Any]) -> None:
        """Tell followers of each contact that is chosen, before what chooses them changes."""
        note_each(self.connection, self.run.id, kind, chosen, self.now)

    def change_contacts(self, which: Clause, **values: Any) -> int:
        """Set columns of contacts, whose revision grows; returns how many."""
        return change_contacts(self.connection, which, self.now, **values)

    def set_members(self, which: Clause, state: MembershipState) -> int:
        """Give memberships that state, and tell of it; to one that follows again, responses from
        before count no more. Returns how many."""
        back = {"reactivated_at": self.now} if state is MembershipState.FOLLOWS else {}
        told = sa.select(_membership.c.contact_id, _membership.c.group_id, sa.literal(state.value))
        kind = ChangeKind.REACTIVATED if back else ChangeKind.DEACTIVATED
        self.tell(kind, told.where(which).distinct())
        return self.do(sa.update(_membership).where(which).values(state=state, **back))


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch changes, in contacts, and how many it leaves as they are, by reason."""

    changed: int
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """How many contacts a plan holds, how many are `active` in all, and how many more will be
    (`returning`) when it has been carried out.

    `losing`, where it is not all of them: those from whom the plan takes something.
    """

    kind: RunKind
    planned: int
    active: int
    returning: int = 0
    losing: int | None = None

    @property
    def total(self) -> int:
        """What the plan is a share of: the active with those who return; or its own contacts,
        where more of them are inactive and stay so."""
        return max(self.active + self.returning, self.planned)


Right = tuple[str, str]  # a privilege of Postgres, and the table it must be held on


@dataclass(frozen=True, slots=True)
class BatchWork:
    """What a kind of run does to a batch: first count, then change exactly as many contacts.

    Without an `outcome` it changes first, and where that were fewer than the batch has, `skipped`
    counts the others by reason; together they must be all of them.

    `clean_up` comes after the last batch; until it is through, the run is not done. `returning`
    and `losing` are the PlanFigures of a plan, `impact` what it means to the active and to groups
    (`bypassing`, by id: those that system-wide deactivation does not concern), `by_rule` counts
    its contacts by (action, category, group id). `rights` are what a database role needs for it.

    `most_at_once` bounds the contacts of a batch whose work is slow.

    What erases is given the key that hashes addresses, `current_key`, to change a batch.

    What tells somebody outside of it does so between two transactions, so that nobody waits:
    `begin` settles a batch and notes what is about to be said, `send` says it, and its answer is
    given to `outcome` as `answer`. Killed in between, the same is said again.
    """

    outcome: Callable[..., BatchOutcome] | None  # (step)
    change: Callable[..., int]  # (step)
    rights: Sequence[Right]
    skipped: Callable[[Step], dict[str, int]] | None = None
    clean_up: Callable[[Store], None] | None = None
    returning: Callable[[sa.Connection, Run], int] | None = None
    losing: Callable[[sa.Connection, Run], int] | None = None
    impact: Callable[[sa.Connection, Run, Collection[int]], Shift] | None = None
    by_rule: Callable[[sa.Connection, Run], list[tuple[str, str, int, int]]] | None = None
    most_at_once: int | None = None
    begin: Callable[[Step], tuple[BatchOutcome, Any]] | None = None
    send: Callable[[Any], Any] | None = None

    def apply(self, step: Step) -> BatchOutcome:
        """Change the batch's contacts; AssertionError where the numbers do not agree."""
        if self.outcome is not None:
            join_by_index(step.connection)
            outcome = self.outcome(step)
            changed = self.change(step)
            if changed != outcome.changed:
                raise AssertionError(f"counted {outcome.changed} contacts, changed {changed}")
            return outcome
        changed, skipped, contacts = self.change(step), {}, step.batch.contacts
        if changed != contacts and self.skipped is not None:
            skipped = self.skipped(step)
        if changed + sum(skipped.values()) != contacts:
            raise AssertionError(f"of {contacts} contacts, changed {changed}, left {skipped}")
        return BatchOutcome(changed, skipped)


def work_of(kind: RunKind) -> BatchWork:
    """What runs of a kind with a plan do."""
    work: BatchWork = named(RUN_TYPES[kind].work)
    return work


def named(place: str) -> Any:
    """What a kind of run names as `module:name`, imported when it is used."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def figures_of(connection: sa.Connection, run: Run, active: int) -> PlanFigures:
    """The figures of a plan that is still there, beside an active total."""
    work = work_of(run.kind)
    return PlanFigures(
        run.kind,
        run.planned,
        active,
        work.returning(connection, run) if work.returning else 0,
        work.losing(connection, run) if work.losing else None,
    )


def plan_of(where: Clause, **values: Any) -> WritePlan:
    """What freezes the contacts that fulfil `where`, all inside the database; `values` are further
    columns of their items."""

    def write(connection: sa.Connection, run_id: int) -> int:
        columns = {"run_id": run_id, **values}
        literals = (sa.literal(value, _item.c[name].type) for name, value in columns.items())
        chosen = (
            sa.select(_contact.c.id, _contact.c.revision, *literals)
            .where(where)
            .order_by(_contact.c.id)  # rows in the order of the key are written at its end
        )
        names = ["contact_id", "revision", *columns]
        return connection.execute(sa.insert(_item).from_select(names, chosen)).rowcount

    return write


def next_batch(connection: sa.Connection, run: Run, size: int) -> Batch | None:
    """The next batch behind the run's cursor; None when the plan is worked through.

    It is a stretch of ids that holds about `size` contacts, and at most twice as many: where each
    machine has a part of the plan, it counts its own, and sends no ids.
    """
    ids = _item.c.contact_id
    rest = sa.and_(_item.c.run_id == run.id, ids > run.cursor)
    # each by itself, or SQLite reads the rest of the plan
    ends = (sa.select(end(ids)).where(rest).scalar_subquery() for end in (sa.func.min, sa.func.max))
    first, last = connection.execute(sa.select(*ends)).one()
    if first is None:
        return None
    left = max(1, run.planned - run.changed - sum(run.skipped.values()))
    stretch = min(last - first + 1, max(size, size * (last - first + 1) // left))
    while True:
        end = first + stretch - 1
        contacts = count_planned(connection, rest, ids <= end)
        if contacts <= 2 * size:
            return Batch(run.cursor, end, contacts)
        stretch //= 2


def count_planned(connection: sa.Connection, *which: Clause) -> int:
    """How many contacts have such plan items."""
    return one_number(
        connection, sa.select(sa.func.count(_item.c.contact_id.distinct())).where(*which)
    )


def planned_contacts(connection: sa.Connection, run_id: int) -> int:
    """How many contacts a plan holds."""
    return count_planned(connection, _item.c.run_id == run_id)


def outcome_by_reason(connection: sa.Connection, by_reason: sa.Select[Any]) -> BatchOutcome:
    """From (reason to leave contacts as they are, number); the reason '' is of those changed."""
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_reason)}
    changed = counts.pop("", 0)
    return BatchOutcome(changed, counts)


def delete_plan(connection: sa.Connection, run_id: int) -> None:
    """Drop the temporary segment; the run stays."""
    connection.execute(sa.delete(_item).where(_item.c.run_id == run_id))


def planned_ids(run_id: int) -> sa.Select[int]:
    """The ids of a plan's contacts; automatic runs plan several deactivations for some."""
    return sa.select(_item.c.contact_id).where(_item.c.run_id == run_id).distinct()


def planned_by_rule(connection: sa.Connection, run: Run) -> list[tuple[str, str, int, int]]:
    """(action, category, group id, contacts) of a plan by rules, most first."""
    key = (_item.c.action, _item.c.category, _item.c.group_id)
    number = sa.func.count()
    statement = (
        sa.select(*key, number)
        .where(_item.c.run_id == run.id)
        .group_by(*key)
        .order_by(number.desc(), *key)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement)]


def settle(step: Step, still_holds: Clause) -> BatchOutcome:
    """Keep the batch's items whose contact has the planned revision and fulfils `still_holds`.

    The others leave the plan, counted: what is left of the batch is exactly what its run changes.
    """
    is_its = _contact.c.id == _item.c.contact_id
    as_shown = sa.and_(_contact.c.revision == _item.c.revision, still_holds)
    reason = sa.case(
        (_contact.c.id.is_(None), SkipReason.GONE), (as_shown, ""), else_=SkipReason.CHANGED
    )
    # joined: of an EXISTS beside others Postgres makes a list of all contacts, once a batch
    statement = (
        sa.select(reason, sa.func.count())
        .select_from(_item.outerjoin(_contact, is_its))
        .where(step.items)
        .group_by(reason)
    )
    outcome = outcome_by_reason(step.connection, statement)
    if outcome.skipped:
        step.do(sa.delete(_item).where(step.items, ~sa.exists().where(is_its, as_shown)))
    return outcome
