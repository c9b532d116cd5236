"""Random interleavings of plans, changes, runs, cancellations and undos, against a small model."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import insert, update

from contactctl.domain.contacts import Status
from contactctl.domain.runs import RunState
from contactctl.operations.plans import plan_deactivation
from contactctl.operations.reactivation import plan_undo_of
from contactctl.operations.runs import cancel_run, read_run, resume_run
from contactctl.store import tables
from contactctl.store.changes import change_contacts
from contactctl.store.database.store import Store, open_store
from contactctl.store.run_steps import apply_batch, start_run
from contactctl.store.tables import contact
from helpers import databases
from helpers.contacts import seed_contacts
from helpers.plans import active_ids, plan_items, selection
from helpers.sessions import NOW, make_session
from helpers.thorough import examples

CONTACTS = 12
numbers = st.integers(1, CONTACTS)


class Engine(RuleBasedStateMachine):
    """`open` maps a contact to the runs whose deactivation of it is open: none means active."""

    plans = Bundle("plans")
    done = Bundle("done")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.store: Store = open_store(url)
        seed_contacts(self.store, CONTACTS)
        self.session = make_session(self.store, allow_undo=True)
        self.open: dict[int, set[int]] = {number: set() for number in range(1, CONTACTS + 1)}
        self.revision = dict.fromkeys(self.open, 0)
        self.planned: dict[int, dict[int, int]] = {}
        self.other_runs = 1000

    @rule(target=plans, first=numbers, length=st.integers(0, 6))
    def plan(self, first: int, length: int) -> int | None:
        chosen = selection(self.session, f"id between {first} and {first + length}")
        run = plan_deactivation(self.session, chosen)
        expected = {
            number: self.revision[number]
            for number in range(first, min(first + length, CONTACTS) + 1)
            if not self.open[number]
        }
        assert (run.planned if run else 0) == len(expected)
        if run is None:
            return None
        self.planned[run.id] = expected
        return run.id

    @rule(number=numbers)
    def change_data(self, number: int) -> None:
        with self.store.writing() as connection:
            change_contacts(connection, contact.c.id == number, NOW)
        self.revision[number] += 1

    @rule(number=numbers)
    def deactivate_for_another_reason(self, number: int) -> None:
        self.other_runs += 1
        row = {"contact_id": number, "group_id": 0, "run_id": self.other_runs, "started_at": NOW}
        with self.store.writing() as connection:
            connection.execute(insert(tables.deactivation).values(row | {"origin": "threshold"}))
            self._set_status(connection, number, Status.INACTIVE)
        self.open[number].add(self.other_runs)

    @rule(number=numbers)
    def reactivate(self, number: int) -> None:
        deactivation = tables.deactivation
        with self.store.writing() as connection:
            connection.execute(
                update(deactivation)
                .where(deactivation.c.contact_id == number, deactivation.c.ended_at.is_(None))
                .values(ended_at=NOW, ended_by_run_id=1)
            )
            self._set_status(connection, number, Status.ACTIVE)
            change_contacts(connection, contact.c.id == number, NOW)
        self.open[number].clear()
        self.revision[number] += 1

    @rule(target=done, run_id=consumes(plans), batches=st.integers(0, 3), size=st.integers(1, 4))
    def apply_with_an_interruption(self, run_id: int | None, batches: int, size: int) -> int | None:
        if run_id is None:
            return None
        planned = self.planned.pop(run_id)
        wanted = [n for n, seen in planned.items() if not self.open[n] and self.revision[n] == seen]
        run = start_run(self.store, run_id, NOW, operator="tester@host")
        for _ in range(batches):
            run = apply_batch(self.store, run, size, NOW) or run
        finished = resume_run(self.session, run_id)

        assert (finished.state, finished.changed) == (RunState.DONE, len(wanted))
        assert finished.skipped_total == len(planned) - len(wanted)
        for number in wanted:
            self.open[number].add(run_id)
        return run_id

    @rule(run_id=consumes(plans))
    def cancel(self, run_id: int | None) -> None:
        if run_id is not None:
            assert cancel_run(self.session, run_id).state is RunState.CANCELLED
            del self.planned[run_id]

    @rule(run_id=done)
    def undo(self, run_id: int | None) -> None:
        if run_id is None:
            return
        undo = plan_undo_of(self.session, read_run(self.session, run_id))
        alone = [number for number, runs in self.open.items() if runs == {run_id}]
        if undo is not None:
            start_run(self.store, undo.id, NOW, operator="tester@host")
            finished = resume_run(self.session, undo.id)
            assert finished.changed == len(alone)
        else:
            assert alone == []
        for number in alone:
            self.open[number].clear()
            self.revision[number] += 1

    @invariant()
    def the_store_agrees(self) -> None:
        assert active_ids(self.store) == {n for n, runs in self.open.items() if not runs}
        assert plan_items(self.store) == sum(len(items) for items in self.planned.values())

    def teardown(self) -> None:
        self.store.close()

    @staticmethod
    def _set_status(connection, number: int, status: Status) -> None:
        is_this = tables.contact.c.id == number
        connection.execute(update(tables.contact).where(is_this).values(status=status))


@pytest.mark.sampled
def test_the_engine_does_what_the_model_says(sqlite_template: Path, tmp_path: Path) -> None:
    machines = settings(
        max_examples=examples(50),
        stateful_step_count=15,
        suppress_health_check=list(HealthCheck),
    )

    def fresh() -> Engine:
        return Engine(databases.copy_sqlite(sqlite_template, tmp_path))

    run_state_machine_as_test(fresh, settings=machines)


@pytest.mark.torture
def test_the_engine_does_what_the_model_says_on_postgres(
    postgres_server_url: str, postgres_template: str
) -> None:
    made: list[str] = []

    def fresh() -> Engine:
        made.append(databases.create_database(postgres_server_url, postgres_template))
        return Engine(made[-1])

    machines = settings(max_examples=100, suppress_health_check=list(HealthCheck))
    try:
        run_state_machine_as_test(fresh, settings=machines)
    finally:
        for url in made:
            databases.drop_database(postgres_server_url, url)
