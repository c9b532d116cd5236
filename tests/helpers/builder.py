"""Driving the builder as a person does, without a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual import events
from textual._compositor import Compositor
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from contactctl.builder.app import BuilderApp
from contactctl.builder.conditions import ConditionEntry, CriteriaTree
from contactctl.builder.dialogs import Picker
from contactctl.builder.draft import Row
from contactctl.builder.editor import EditorScreen
from contactctl.builder.figures import Figures
from contactctl.builder.live_panel import LivePanel
from contactctl.builder.plan import ConfirmationScreen
from contactctl.builder.work import BuilderWork
from contactctl.domain.criteria.fields import Operator
from contactctl.domain.policies import Billing, BillingTier
from contactctl.domain.runs import Run
from contactctl.operations.runs import resume_run
from contactctl.operations.session import Session

CONTACTS = 60
BILLING = Billing(tiers=(BillingTier(50, Decimal(79)), BillingTier(None, Decimal(99))))
PATIENCE_S = 60.0  # a machine that does other things must not fail a test


class Driver:
    """Hands on the keyboard, and eyes on the screen."""

    def __init__(self, app: BuilderApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, each when the one before it has been dealt with."""
        for key in keys:
            self.app.simulate_key(_KEYS.get(key, key))
            await self.pilot.pause()

    async def press_at_once(self, *keys: str) -> None:
        """Keys that are there before the first is dealt with, as from a paste or a slow line."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        for character in text:
            self.app.simulate_key(_KEYS.get(character, character))
        await self.pilot.pause()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not seen():
                await asyncio.sleep(0.01)

    async def screen(self, name: str) -> None:
        """Wait for a screen, and until it has been laid out."""
        await self.until(lambda: type(self.app.screen).__name__ == name)
        await self.pilot.pause()

    async def start(self) -> None:
        """From the reminder to the counted prebuilt criteria."""
        await self.screen("ReminderScreen")
        await self.press("enter")
        await self.screen("EditorScreen")
        await self.counted()

    async def counted(self) -> str:
        """The count, once there is one for the criteria as they are."""
        await self.until(lambda: self.editor.query_one(LivePanel).is_current)
        return self.count

    async def add(self, field: str) -> None:
        """Add a condition on a field, and go to its value."""
        await self.press("a")
        await self.screen("Picker")
        self.typed.value = field
        picker = self.app.screen
        assert isinstance(picker, Picker)
        await self.until(lambda: [found.label for found in picker.shown[:1]] == [field])
        await self.press("enter")
        await self.until(
            lambda: isinstance(self.tree.part, Row) and self.tree.part.field.name == field
        )
        await self.until(lambda: self.app.focused is not self.tree)

    async def pick(self, *labels: str) -> None:
        """Choose these in the list that is open, or about to open, and close it."""
        await self.screen("Picker")
        picker = self.app.screen
        assert isinstance(picker, Picker)
        for label in labels:
            await self.until(lambda label=label: label in [c.label for c in picker.shown])
            at = [choice.label for choice in picker.shown].index(label)
            picker.query_one(OptionList).highlighted = at
            if len(labels) > 1:
                await self.press("tab")
        await self.press("enter")
        await self.until(lambda: self.app.screen is not picker)

    async def to_confirmation(self) -> None:
        """From the conditions to the plan."""
        await self.press("D")
        await self.screen("ConfirmationScreen")

    async def add_from_entry(self, field: str) -> None:
        """Leave the entry, and add another condition."""
        await self.press("escape")
        await self.until(lambda: self.app.focused is self.tree)
        await self.add(field)

    async def save_as(self, name: str) -> None:
        """Save the criteria under a name; the dialog stays where it is refused."""
        self.tree.focus()
        await self.press("s")
        await self.screen("FileDialog")
        self.typed.value = name
        await self.press("enter")

    async def choose_operator(self, operator: str) -> None:
        """Choose another operator for the row in the entry."""
        await self.editor.query_one(ConditionEntry).choose_operator(Operator(operator))
        await self.pilot.pause()

    @property
    def drawn(self) -> str:
        """The screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def editor(self) -> EditorScreen:
        return next(s for s in self.app.screen_stack if isinstance(s, EditorScreen))

    @property
    def tree(self) -> CriteriaTree:
        return self.editor.query_one(CriteriaTree)

    @property
    def count(self) -> str:
        return self.figures.partition("\n")[0]

    @property
    def figures(self) -> str:
        """All figures of the topmost screen that shows some."""
        for screen in reversed(self.app.screen_stack):
            for found in screen.query(Figures):
                return found.text
        raise AssertionError("there are no figures")

    def text(self, selector: str) -> str:
        """What a widget shows, on whichever screen it is."""
        for screen in reversed(self.app.screen_stack):
            for found in screen.query(selector).results(Static):
                return str(found.visual)
        raise AssertionError(f"nothing is {selector}")

    @property
    def typed(self) -> Input:
        return self.app.screen.query_one(Input)

    @property
    def to_be_typed(self) -> str:
        """What confirms the plan on the screen."""
        screen = self.app.screen
        assert isinstance(screen, ConfirmationScreen)
        stakes = screen.plan.stakes
        return stakes.phrase if stakes.limits_exceeded else str(stakes.count)

    @property
    def lines(self) -> list[str]:
        """The rows of the tree, indented, with what is wrong below them."""

        def below(node: Any, depth: int) -> list[str]:
            lines = []
            for child in node.children:
                lines.append("  " * depth + str(child.label))
                lines += below(child, depth + 1)
            return lines

        return below(self.tree.root, 0)


def _draw_when_asked(
    compositor: Compositor, full: bool = False, _draw: Any = Compositor.render_update, **how: Any
) -> Any:
    """Nothing is drawn for the terminal that is not there, but whole screens, which tests ask for:
    a third of the time would go into it."""
    if full:
        return _draw(compositor, full, **how)
    compositor._dirty_regions.clear()
    return None


_KEYS = {" ": "space", "_": "underscore", ".": "full_stop", ",": "comma", "-": "minus"}


def drive(
    session: Session,
    steps: Callable[[Driver], Awaitable[None]],
    *,
    size: tuple[int, int] = (80, 24),
    finish: Callable[[Run], object] | None = None,
    folder: Path = Path(),
    draws: bool = False,
    **work: Any,
) -> BuilderApp:
    """Run the builder through `steps`, and close it; `finish` works a begun run through.

    It `draws` whatever changes as for a terminal, or a screen only where a test asks for it.
    """

    def finish_here(run: Run) -> None:
        resume_run(session, run.id)

    app = BuilderApp(
        BuilderWork(lambda: nullcontext(session), finish or finish_here, folder, **work)
    )
    app.animation_level = "none"

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await steps(Driver(app, pilot))

    drawing = Compositor.render_update if draws else _draw_when_asked
    try:
        with patch.object(Compositor, "render_update", drawing):
            asyncio.run(run())
    finally:
        app.close()
    return app
