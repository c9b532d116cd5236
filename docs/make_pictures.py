"""The pictures of the docs, taken of the real program on the demo's contacts.

    python docs/make_pictures.py

writes docs/pictures/*.svg anew. The tests hold that they show the program as it is.
"""

import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from unittest.mock import PropertyMock, patch

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402
from textual.widgets import Input  # noqa: E402

from contactctl.builder.dialogs import Picker  # noqa: E402
from contactctl.domain.policies import Billing, BillingTier  # noqa: E402
from contactctl.domain.runs import Run  # noqa: E402
from contactctl.operations.demo import (  # noqa: E402
    DemoFolder,
    import_demo_contacts,
    prepare_demo_folder,
)
from contactctl.operations.runs import resume_run  # noqa: E402
from contactctl.operations.session import Session  # noqa: E402
from contactctl.store.database.migrate import create_store  # noqa: E402
from helpers.builder import Driver, drive  # noqa: E402
from helpers.cli import run_cli  # noqa: E402
from helpers.drawn_by import remember_versions  # noqa: E402
from helpers.sessions import NOW, make_session  # noqa: E402

# what follows the pictures' names -> the terminal's size, and whether it is light
SETS = {"": ((110, 32), False), "-80x24": ((80, 24), True)}
BILLING = Billing(tiers=(BillingTier(4600, Decimal(79)), BillingTier(None, Decimal(99))))
SHOWN_DATABASE = "/home/ann/contacts.db"


def pictures_of(name: str, folder: Path) -> dict[str, str]:
    """Name -> SVG of one of SETS, on a demo store made below the folder."""
    size, light = SETS[name]
    demo = DemoFolder(folder / f"demo{name}")
    prepare_demo_folder(demo, NOW)
    store = create_store(demo.database_url)
    session = make_session(store, database=demo.database_url, billing=BILLING)
    import_demo_contacts(session, demo)
    pictures = {} if name else {"preview": _command_picture(demo, "preview")}
    shown_as = PropertyMock(return_value=SHOWN_DATABASE)
    with patch.object(type(store), "identity", shown_as):
        for screen, svg in _screens(session, size, light=light).items():
            pictures[f"builder-{screen}{name}"] = svg
    store.close()
    return pictures


def _screens(session: Session, size: tuple[int, int], *, light: bool = False) -> Mapping[str, str]:
    """The builder's screens in the order in which they are met."""
    pictures = {}
    begun: list[Run] = []

    async def steps(user: Driver) -> None:
        async def take(name: str) -> None:
            user.app.clear_notifications()
            for entry in user.app.screen.query(Input):
                entry.cursor_blink = False  # its cursor is always there, as on a fast machine
            shown = ""
            while shown != pictures.get(name):  # a scrollbar that appears has all laid out anew
                await user.pilot.pause()
                shown, pictures[name] = pictures.get(name, shown), user.app.export_screenshot()

        await _editing(user, take)
        await user.to_confirmation()
        await take("confirmation")
        user.typed.value = user.to_be_typed
        await user.press("enter")
        await user.screen("ProgressScreen")
        await take("progress")
        resume_run(session, begun[0].id)
        await user.screen("OutcomeScreen")
        await take("outcome")

    drive(session, steps, size=size, finish=begun.append, light=light)
    return pictures


async def _editing(user: Driver, take: Callable[[str], Awaitable[None]]) -> None:
    """From the reminder through the conditions."""
    await user.screen("ReminderScreen")
    await user.until(lambda: user.app._opened is not None)
    await take("reminder")
    await user.start()
    await user.press("a")
    await user.screen("Picker")
    await take("fields")
    await user.press("escape")
    await user.screen("EditorScreen")
    await user.press("g")
    await user.screen("Picker")
    await take("group")
    await user.pick("any of these")
    await user.screen("EditorScreen")
    await user.add("group")
    await user.screen("Picker")
    await user.until(lambda: "active" in picked_from(user))
    await take("values")
    await user.press("escape")
    await user.screen("EditorScreen")
    await take("unfinished")
    await user.press("enter")
    await user.pick("customers")
    await user.counted()
    await take("conditions")
    await user.press("escape", "1", "enter")
    await user.screen("ContactScreen")
    await user.until(lambda: "first_name" in user.text("#contact-text"))
    await take("contact")
    await user.press("escape")
    await user.screen("EditorScreen")
    await user.press("2")
    await take("yaml")
    await user.press("escape", "escape")
    await user.screen("Picker")
    await take("leave")
    await user.press("escape")
    await user.screen("EditorScreen")
    await user.press("s")
    await user.screen("FileDialog")
    await take("save")
    await user.press("escape")
    await user.screen("EditorScreen")


def picked_from(user: Driver) -> str:
    """What is said about the first line of an open list."""
    picker = user.app.screen
    return picker.shown[0].about if isinstance(picker, Picker) and picker.shown else ""


def _command_picture(demo: DemoFolder, command: str) -> str:
    """A command's output as its reader sees it."""
    shown = run_cli([command, "--config", demo.config], cwd=demo.path, tty=True, width=100)
    console = Console(record=True, width=100, file=StringIO())
    lines = [f"$ contactctl {command}", *shown.lines[:22], "..."]
    console.print(Text("\n".join(lines).replace(str(demo.path), "/home/ann")))
    return console.export_svg(title=f"contactctl {command}", unique_id=command)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for each in SETS:
            for name, svg in pictures_of(each, Path(folder)).items():
                (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    remember_versions()


if __name__ == "__main__":
    main()
