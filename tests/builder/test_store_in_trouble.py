"""A store that is busy, or gone in the middle: the builder says so, and keeps the conditions."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from contactctl.domain.waits import Waits
from contactctl.store.database.store import Store, open_store
from helpers.builder import Driver, drive
from helpers.contacts import seed_contacts
from helpers.plans import NO_LIMITS, active_ids, states
from helpers.sessions import make_session
from helpers.silent_proxy import silent_proxy


def told(user: Driver) -> str:
    """All notifications."""
    return "\n".join(each.message for each in user.app._notifications)


def test_a_store_that_another_program_holds_makes_no_plan_until_it_is_free(
    sqlite_url: str,
) -> None:
    store = open_store(sqlite_url, Waits(0.2, 10.0))
    seed_contacts(store, 40)
    session = make_session(store, limits=NO_LIMITS)
    with closing(sqlite3.connect(str(store.path), isolation_level=None)) as other:

        async def steps(user: Driver) -> None:
            await user.start()
            other.execute("BEGIN IMMEDIATE")
            await user.press("D")
            await user.until(lambda: "locked" in told(user))
            await user.screen("EditorScreen")
            other.execute("ROLLBACK")
            await user.to_confirmation()
            other.execute("BEGIN IMMEDIATE")
            await user.write(user.to_be_typed)
            await user.press("enter")
            await user.until(lambda: len(user.app._notifications) == 2)
            await user.screen("EditorScreen")
            other.execute("ROLLBACK")

        drive(session, steps)

    assert len(active_ids(store)) == 40
    assert "planned" not in {str(state) for state in states(store)}
    store.close()


@contextmanager
def file_that_is_removed(url: str) -> Iterator[tuple[Store, Callable[[], object]]]:
    with closing(open_store(url)) as store:
        assert store.path is not None
        path = store.path
        seed_contacts(store, 40)
        yield store, lambda: path.rename(Path(f"{path}.aside"))


@contextmanager
def server_that_stops(url: str) -> Iterator[tuple[Store, Callable[[], object]]]:
    with (
        silent_proxy(url) as proxy,
        closing(open_store(proxy.url, Waits(1.0, 1.0))) as store,
    ):
        seed_contacts(store, 40)
        yield store, proxy.close


@pytest.mark.parametrize("at", ["conditions", "confirmation"])
@pytest.mark.parametrize(
    ("dialect", "trouble", "said"),
    [
        ("sqlite", file_that_is_removed, "was moved, removed or replaced"),
        ("postgres", server_that_stops, "connect"),
    ],
)
def test_a_store_that_is_gone_in_the_middle_is_told_and_the_edits_are_kept(
    request: pytest.FixtureRequest, dialect: str, trouble: Callable[..., object], said: str, at: str
) -> None:
    with trouble(request.getfixturevalue(f"{dialect}_url")) as (store, lose):
        session = make_session(store, limits=NO_LIMITS)

        async def steps(user: Driver) -> None:
            await user.start()
            await user.add("company")
            await user.write("ACME")
            await user.counted()
            await user.press("escape")
            if at == "conditions":
                lose()
                await user.press("u", "u")
                await user.until(lambda: said in user.text("#count-problem"))
                await user.press("U")
            else:
                await user.press("u", "u")
                await user.counted()
                await user.to_confirmation()
                lose()
                await user.write(user.to_be_typed)
                await user.press("enter")
                await user.until(lambda: said in told(user))
                await user.screen("EditorScreen")
                await user.press("U")

        outcome = drive(session, steps).outcome

    assert "company" in outcome.unsaved
    assert outcome.run is None
    assert outcome.failure is None
    assert (outcome.problem is not None) == (at == "confirmation")
