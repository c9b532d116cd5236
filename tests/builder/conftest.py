"""Fixtures of the tests of the builder."""

from collections.abc import Iterator

import pytest

from contactctl.operations.session import Session
from contactctl.store.database.store import open_store
from helpers.builder import BILLING, CONTACTS
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS
from helpers.sessions import make_session


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Session]:
    """Made-up contacts, for what the database has no part in."""
    store = open_store(sqlite_url)
    seed_contacts(store, CONTACTS)
    yield make_session(store, limits=NO_LIMITS, billing=BILLING)
    store.close()
