"""The small screens over the others."""

from pathlib import Path

import pytest

from contactctl.store.database.store import open_store
from helpers.builder import Driver, drive
from helpers.contacts import seed_contacts
from helpers.sessions import make_session


@pytest.mark.parametrize("key", ["a", "g", "s"])
def test_enter_twice_leaves_a_dialog_and_no_more(sqlite_url: str, key: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, 10)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press(key)
        await user.until(lambda: user.app.screen is not user.editor)
        await user.pilot.pause()
        await user.press_at_once("enter", "enter")
        await user.screen("EditorScreen")

    drive(make_session(store), steps, folder=tmp_path)
    store.close()
