"""Suppressions: made, checked, taken back, and their keys rotated."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.runs import RunKind
from contactctl.operations.runs import latest_runs
from contactctl.operations.secrets import read_keyring
from contactctl.operations.session import Session
from contactctl.operations.suppressions import (
    add_suppression,
    is_suppressed,
    read_suppressions,
    remove_suppression,
    rotate_key,
    suppressed_in,
)
from contactctl.store import erasure as module
from contactctl.store.database.store import Store
from helpers.handled import add_deactivated
from helpers.sessions import make_session


@pytest.fixture
def session(store: Store, tmp_path: Path) -> Session:
    return make_session(store, suppression_key_file=tmp_path / "keys" / "suppression.key")


def suppressed(session: Session, email_keys: Collection[str]) -> AbstractSet[str]:
    with session.store.reading() as connection:
        return suppressed_in(session)(connection, email_keys)


def test_while_nothing_is_suppressed_no_key_is_read(store: Store, session: Session) -> None:
    assert suppressed(session, ["a@example.com"]) == frozenset()
    assert not session.settings.suppression_key_file.exists()


def test_an_address_is_suppressed_until_it_is_taken_back(store: Store, session: Session) -> None:
    added = add_suppression(session, "Ann@Example.com", reason="asked")
    again = add_suppression(session, "ann@example.com")

    assert (added.suppressed, again.run) == (True, None)
    assert is_suppressed(session, " ANN@example.COM ")
    found = read_suppressions(session, 10)
    assert (found.total, [row.run for row in found.rows]) == (1, [added.run])
    assert "ann" not in found.rows[0].key_hash

    assert remove_suppression(session, "ann@EXAMPLE.com").run is not None
    assert not is_suppressed(session, "ann@example.com")
    assert remove_suppression(session, "ann@example.com").run is None
    kinds = [run.kind for run in latest_runs(session, limit=10, kinds=[], states=[])]
    assert kinds == [RunKind.SUPPRESSIONS] * 2


def test_a_contacts_own_address_is_not_suppressed_beside_it(store: Store, session: Session) -> None:
    add_deactivated(store, "ann@example.com")
    with pytest.raises(RefusedError, match="a contact has this address"):
        add_suppression(session, "ann@example.com")
    assert not is_suppressed(session, "ann@example.com")


def test_what_is_no_address_is_an_error(store: Store, session: Session) -> None:
    with pytest.raises(UsageError, match="not an email address"):
        add_suppression(session, "ann")
    with pytest.raises(UsageError, match="a subdomain too"):
        add_suppression(session, "@*.x.no")
    for domain in ("*@x.no", "%@x.no", "x.no"):
        with pytest.raises(UsageError, match=r"a whole domain is written @x\.no"):
            add_suppression(session, domain)


def test_old_hashes_are_checked_with_the_keys_that_made_them(
    store: Store, session: Session
) -> None:
    add_suppression(session, "old@example.com")
    first = read_keyring(session.settings.suppression_key_file).current
    rotate_key(session)
    add_suppression(session, "new@example.com")

    keyring = read_keyring(session.settings.suppression_key_file)
    assert len(keyring.keys) == 2
    assert keyring.keys[1] == first
    asked = ["old@example.com", "new@example.com", "other@example.com"]
    assert suppressed(session, asked) == set(asked[:2])

    remove_suppression(session, "old@example.com")
    assert first in rotate_key(session).keyring.keys  # another store may need it
    before = session.settings.suppression_key_file.read_text()
    dropping = rotate_key(session, drop=True)
    assert first.id in dropping.dropped
    assert first not in read_keyring(session.settings.suppression_key_file).keys
    assert dropping.backup.read_text() == before
    assert dropping.backup.stat().st_mode & 0o777 == 0o600
    assert suppressed(session, asked) == {"new@example.com"}


def test_a_check_of_many_is_one_question(
    store: Store, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_suppression(session, "c7@example.com")
    asked: list[int] = []
    known_hashes = module.known_hashes

    def counting(connection: object, hashes: dict[str, str]) -> set[str]:
        asked.append(len(hashes))
        return known_hashes(connection, hashes)

    monkeypatch.setattr(module, "known_hashes", counting)
    addresses = [f"c{number}@example.com" for number in range(20_000)]

    assert suppressed(session, addresses) == {"c7@example.com"}
    assert asked == [20_001]  # the addresses, and their one domain
