"""The run of an import: what it tells, and what is left of one that failed or died."""

from io import BytesIO

import pytest
from sqlalchemy import text

from contactctl.domain.errors import BusyError, InterruptedByUserError
from contactctl.domain.runs import RunState
from contactctl.operations.importing.load import CREATING_CONTACTS, ImportInput, import_contacts
from contactctl.operations.importing.options import ImportOptions, Reject
from contactctl.store.database.locks import exclusive
from contactctl.store.database.store import Store
from contactctl.store.runs import get_run, list_runs
from helpers.imports import KeptRejects, contacts_in, import_text
from helpers.sessions import make_session


def test_the_run_tells_what_happened(store: Store) -> None:
    import_text(store, "email\na@x.no\n")
    imported = import_text(store, "email,phone\na@x.no,1\nb@x.no,2\nb@x.no,2\nbad,\n")
    with store.reading() as connection:
        run = get_run(connection, imported.result.run or 0)
    assert run.state is RunState.DONE
    assert (run.planned, run.changed) == (4, 2)
    assert run.skipped == {"unchanged": 1, "rejected": 1}
    assert (run.active_before, run.active_after) == (1, 2)
    assert run.details.to_json()["file"] == "standard input"


def test_a_failing_import_keeps_its_batches_and_says_so(store: Store) -> None:
    class Stop(KeptRejects):
        def add(self, reject: Reject) -> None:
            raise KeyboardInterrupt

    session = make_session(store)
    given = ImportInput(None, BytesIO(b"email\na@x.no\nbad\nc@x.no\n"), ImportOptions(batch_rows=2))
    with pytest.raises(InterruptedByUserError, match=r"the import \(run 1\) was interrupted"):
        import_contacts(session, given, Stop())
    with store.reading() as connection:
        run = list_runs(connection, limit=1)[0]
    assert run.state is RunState.FAILED
    assert run.message == "created 1, updated 0 (interrupted)"
    assert (run.planned, run.changed) == (2, 1)
    assert set(contacts_in(store)) == {"a@x.no"}


def test_the_next_import_ends_the_run_of_one_that_died(store: Store) -> None:
    first = import_text(store, "email\na@x.no\n").result.run
    with store.writing() as connection:
        connection.execute(text("UPDATE run SET state = 'running', finished_at = NULL"))
    import_text(store, "email\nb@x.no\n")
    with store.reading() as connection:
        run = get_run(connection, first or 0)
    assert run.state is RunState.FAILED
    assert "interrupted" in run.message


def test_two_imports_at_once_are_refused(store: Store) -> None:
    with exclusive(store, CREATING_CONTACTS), pytest.raises(BusyError):
        import_text(store, "email\na@x.no\n")
    assert contacts_in(store) == {}
