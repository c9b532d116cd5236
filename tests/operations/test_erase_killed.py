"""Killed with -9 while erasing, or while the key is rotated: nobody half erased, no hash lost."""

import os
from pathlib import Path

import pytest

from contactctl.operations.session import Session
from contactctl.operations.suppressions import add_suppression, is_suppressed, rotate_key
from contactctl.operations.sweep import SweepPart, sweep
from contactctl.store.database.store import Store
from helpers.contacts import add_contact
from helpers.dumps import dump
from helpers.processes import KILLED, Death, Moment, exit_code_of, start_cli
from helpers.sessions import make_session
from helpers.thorough import moments

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9")

at_moments = pytest.mark.parametrize(
    ("moment", "step"), [("before a statement", 11), ("before a commit", 1), ("after a commit", 1)]
)


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    (tmp_path / "contactctl.yaml").write_text("suppression_key_file: suppression.key\n")
    return make_session(store, suppression_key_file=tmp_path / "suppression.key")


def killed(session: Session, death: Death, *args: str) -> bool:
    """Whether the command was killed; it was done otherwise."""
    folder = session.settings.suppression_key_file.parent
    where = ["--config", folder / "contactctl.yaml", "--database", session.settings.database]
    exit_code = exit_code_of(start_cli([*args, *where], death=death))
    assert exit_code in (KILLED, 0)
    return exit_code == KILLED


@pytest.mark.sampled
@at_moments
def test_whoever_is_erased_is_erased_whole(session: Session, moment: Moment, step: int) -> None:
    for number in moments(1, step, sample=3):
        email = f"ann.{number}.secret@example.com"
        with session.store.writing() as connection:
            add_contact(connection, email, company=f"of {email}")

        death = Death(moment, number)
        was_killed = killed(session, death, "contacts", "delete", email, "--confirm", email)
        sweep(session, [SweepPart.RUNS])

        assert (email in str(dump(session.store))) is not is_suppressed(session, email)
        if not was_killed:
            return
        if session.store.path is not None and is_suppressed(session, email):
            files = [session.store.path, *session.store.path.parent.glob("*-wal")]
            assert not any(email.encode() in file.read_bytes() for file in files)


@pytest.mark.sampled
@at_moments
def test_every_hash_keeps_its_key(session: Session, moment: Moment, step: int) -> None:
    addresses = []
    for number in moments(1, step, sample=3):
        addresses.append(f"ann{number}@example.com")
        add_suppression(session, addresses[-1])

        was_killed = killed(session, Death(moment, number), "suppressions", "rotate-key")

        rotate_key(session, drop=True)
        assert all(is_suppressed(session, address) for address in addresses)
        if not was_killed:
            return
