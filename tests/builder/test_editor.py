"""The conditions on the screen: what can be read of them, and which of them the form edits."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from textual.widgets import Button, Footer, Input
from textual.widgets._footer import FooterKey

from contactctl.builder.conditions import meaning
from contactctl.config.criteria import parse_criteria
from contactctl.domain.criteria.fields import OPERATORS, FieldType
from contactctl.domain.criteria.tree import Criteria
from contactctl.operations.session import Session
from contactctl.store.database.store import open_store
from helpers.builder import Driver, drive
from helpers.contacts import seed_contacts
from helpers.sessions import make_session

WIDTH_OF_FORM = 38
GUIDES = "│├└─ "
STALE = """\
all:
  - last_opportunity older-than 24 months
  - any: [group = newsletter, "attributes.tier in Gold,Silver"]
none: [tag = vip, attributes.vip = true]
"""


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    store = open_store(sqlite_url)
    seed_contacts(store, 100)
    yield make_session(store)
    store.close()


def stale(session: Session) -> Criteria:
    return parse_criteria(STALE, "test", session.catalogue)


def drawn(user: Driver) -> list[str]:
    """The tree as it stands on the screen."""
    return [user.tree.render_line(y).text.rstrip() for y in range(len(user.lines))]


def in_form(user: Driver) -> str:
    """The field that the form edits; nothing where it has nothing to edit."""
    button = user.editor.query_one("#change-field", Button)
    return str(button.label).removesuffix(" ▾") if button.region else ""


def inputs(user: Driver) -> list[Input]:
    return [entry for entry in user.editor.query("#value Input").results(Input) if entry.region]


# the form


def test_what_is_removed_leaves_the_form(session: Session) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        assert in_form(user) == "last_opportunity"
        await user.press("x")  # a group follows
        assert in_form(user) == ""
        assert "any of these: a adds a condition" in user.text("#about-part")
        await user.press("tab", "tab", "tab")
        await user.write("36")
        assert inputs(user) == []
        assert not any("36" in line for line in user.lines)
        user.tree.focus()
        await user.press("down", "x")  # a row follows
        await user.until(lambda: in_form(user) == "attributes.tier")
        await user.press("x")
        await user.until(lambda: in_form(user) == "")

    drive(session, steps, criteria=stale(session))


def test_the_form_goes_with_what_is_moved_or_loaded(session: Session, tmp_path: Path) -> None:
    (tmp_path / "tag.yaml").write_text("all: [tag = vip]\n")

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("J")
        await user.until(lambda: user.lines[2].strip() == "last_opportunity older-than 24 months")
        assert in_form(user) == "last_opportunity"
        await user.press("enter")
        user.typed.value = "36"
        await user.until(lambda: user.lines[2].endswith("older-than 36 months"))
        user.tree.focus()
        await user.press("o")
        await user.screen("FileDialog")
        user.typed.value = "tag.yaml"
        await user.press("enter")
        await user.screen("EditorScreen")
        await user.until(lambda: in_form(user) == "tag")
        assert [entry.value for entry in inputs(user)] == ["vip"]

    drive(session, steps, folder=tmp_path, criteria=stale(session))


@pytest.mark.parametrize("kind", list(FieldType))
def test_each_operator_says_in_a_line_what_it_means_of_its_type(kind: FieldType) -> None:
    for operator in OPERATORS[kind]:
        assert 0 < len(meaning(kind, operator)) <= WIDTH_OF_FORM


# the rows


def test_a_row_is_drawn_whole_or_with_an_ellipsis(session: Session) -> None:
    text = (
        "all: [last_opportunity older-than 24 months,"
        " {any: [{all: ['last_opportunity between 2020-01-01 and 2024-12-31']}]}]"
    )

    async def steps(user: Driver) -> None:
        await user.start()
        rows = drawn(user)
        assert rows[1].strip(GUIDES) == "last_opportunity older-than 24 months"
        assert rows[4].strip(GUIDES).startswith("last_opportunity between")
        assert rows[4].endswith("…")
        await user.pilot.resize_terminal(160, 30)
        await user.until(lambda: drawn(user)[4].endswith("2020-01-01 and 2024-12-31"))

    drive(session, steps, criteria=parse_criteria(text, "test", session.catalogue), draws=True)


# keys


@pytest.mark.parametrize("colours", [True, False])
def test_the_keys_fit_in_the_footer_and_are_listed_whole(
    session: Session, colours: bool, tmp_path: Path
) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        button = user.editor.query_one("#change-field", Button)
        assert button.content_region.width >= len("last_opportunity")
        footer = user.editor.query_one(Footer)
        await user.until(lambda: all(key.region for key in footer.query(FooterKey)))
        keys = list(footer.query(FooterKey))
        shown = [str(key.render()) for key in keys]
        assert "a Add" in shown and "/ Find" in shown and shown[-1] == "esc Leave"
        assert keys[-1].region.right <= footer.region.width
        gaps = [b.region.x - a.region.right for a, b in pairwise(keys)]
        assert min(gaps) >= 2
        for key in ("escape", "f1"):
            await user.press("f1")
            await user.screen("KeysScreen")
            lines = user.text("#keys").splitlines()
            assert lines[0].split(maxsplit=1) == ["a", "Add a condition below"]
            assert any(line.startswith("Ctrl+T ") for line in lines)
            await user.press(key)
            await user.screen("EditorScreen")
        assert not user.app._exit
        if colours:
            return
        before = len(user.lines)
        for key in ("s", "a"):  # Enter twice leaves a dialog and no more
            user.tree.focus()
            await user.press(key)
            await user.until(lambda: user.app.screen is not user.editor)
            await user.pilot.pause()
            await user.press_at_once("enter", "enter")
            await user.screen("EditorScreen")
        await user.until(lambda: len(user.lines) > before)
        user.tree.focus()
        await user.press("u")
        await user.until(lambda: len(user.lines) == before)
        user.tree.go_to(user.editor.draft.groups[0].parts[0])
        await user.pilot.pause()
        await user.press_at_once("x", "x")  # keys that come at once each remove what is next
        await user.until(lambda: user.editor.draft.groups[0].parts == [])
        assert user.tree.part is user.editor.draft.groups[0]

    drive(session, steps, colours=colours, criteria=stale(session), folder=tmp_path)
