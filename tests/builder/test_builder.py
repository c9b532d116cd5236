"""The builder from its first screen to its last."""

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Button, DataTable

from contactctl.builder.header import HeaderLine
from contactctl.builder.live_panel import LivePanel
from contactctl.config.criteria import parse_criteria
from contactctl.domain.runs import RunState
from contactctl.operations.criteria import CriteriaSource, preview, select_contacts, selection_of
from contactctl.operations.session import Session
from contactctl.store.database.store import Store, open_store
from helpers.builder import BILLING, CONTACTS, PATIENCE_S, Driver, drive
from helpers.contacts import add_contact, seed_contacts
from helpers.plans import NO_LIMITS, active_ids, deactivated_by, states
from helpers.sessions import make_session

WIDE = "鈴木一郎" * 8
HOSTILE = "[bold red]x[/] \x1b[31m \u202eevil"


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS, billing=BILLING)


def header(user: Driver) -> str:
    return " ".join(str(user.app.screen.query_one(HeaderLine).render()).split())


def button(user: Driver) -> Button:
    return user.editor.query_one("#deactivate", Button)


async def shows(user: Driver, text: str) -> None:
    """Wait until this stands on the screen; drawing it takes long, so not too often."""
    async with asyncio.timeout(PATIENCE_S):
        while text not in user.drawn:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)  # test_build_cli has SQLite
def test_from_the_reminder_to_the_result_and_back(session: Session, store: Store) -> None:
    old = preview(session, select_contacts(session, CriteriaSource())).count

    async def steps(user: Driver) -> None:
        await user.screen("ReminderScreen")
        shown = " ".join(str(static.visual) for static in user.app.screen.query("Static"))
        assert "no more campaigns" in shown and "one at a time" in shown and "billing" in shown
        await user.start()
        assert user.count == f"{old} of {CONTACTS} active  {old / CONTACTS:.1%}".replace("%", " %")
        assert f"Active: {CONTACTS} → {CONTACTS - old}" in user.figures
        assert "Billing: USD 99 → USD 79" in user.figures
        assert "Limits: within" in user.figures
        assert "Left out: 9 no last_opportunity" in user.figures
        assert header(user).endswith("prebuilt criteria")

        await user.to_confirmation()
        plan = user.text("#plan-text")
        assert "".join(store.identity.split()) in "".join(plan.split())  # long names wrap
        assert f"Active: {CONTACTS} → {CONTACTS - old}" in user.figures
        assert "Groups: newsletter  −" in user.figures
        await user.write(str(old - 1))
        await user.press("enter")
        assert "nothing was deactivated" in user.text("#problem")
        assert len(active_ids(store)) == CONTACTS
        user.typed.value = ""
        await user.write(str(old))
        await user.press("enter")
        await user.screen("OutcomeScreen")
        assert user.text(".title") == f"{old} deactivated, {CONTACTS - old} active"
        assert "1, deactivate, done" in user.text("#run")
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.until(lambda: user.count.startswith(f"0 of {CONTACTS - old}"))
        assert button(user).disabled
        await user.press("D")
        await user.until(lambda: len(user.app._notifications) == 1)
        await user.press("q")

    app = drive(session, steps, draws=True)

    assert app.outcome.run is not None and app.outcome.run.state is RunState.DONE
    assert len(deactivated_by(store, app.outcome.run.id)) == old
    assert len(active_ids(store)) == CONTACTS - old
    assert app.outcome.unsaved == ""


def test_conditions_built_by_hand_and_saved_select_the_same_contacts(
    on_sqlite: Session, tmp_path: Path
) -> None:
    session = on_sqlite
    counts = []

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("g")
        await user.pick("any of these")
        await user.screen("EditorScreen")
        await user.add("group")
        await user.screen("Picker")
        await shows(user, "30 active contacts")  # of newsletter
        await user.pick("customers")
        await user.add_from_entry("tag")
        await user.screen("Picker")
        await shows(user, "1 active contact")
        await user.pick("VIP")
        await user.add_from_entry("attributes.plan")
        await user.choose_operator("in")
        await user.press("down")
        await user.pick("free", "Pro")
        await user.add_from_entry("attributes.orders")
        await user.write("12")
        counts.append(await user.counted())
        assert user.lines == [
            "all of these",
            "  last_opportunity older-than 24 months",
            "  any of these",
            "    group = customers",
            "    tag = VIP",
            "    attributes.plan in free,Pro",
            "    attributes.orders = 12",
            "any of these  (nothing yet)",
            "none of these  (nothing yet)",
        ]
        assert header(user).endswith("prebuilt criteria ● not saved")
        await user.save_as("mine.yaml")
        await user.screen("EditorScreen")
        assert [n.message for n in user.app._notifications] == ["Saved as mine.yaml."]
        assert header(user).endswith("mine.yaml")
        await user.press("escape")
        await user.until(lambda: user.app._exit)

    app = drive(session, steps, folder=tmp_path)

    assert app.outcome.unsaved == ""
    saved = select_contacts(session, CriteriaSource(file=tmp_path / "mine.yaml"))
    typed = parse_criteria(
        "all: [last_opportunity older-than 24 months, {any: [group = customers, tag = vip,"
        " 'attributes.plan in free,Pro', attributes.orders = 12]}]",
        "test",
        session.catalogue,
    )
    by_hand = selection_of(session, typed)
    assert preview(session, saved).count == preview(session, by_hand).count
    assert counts[0].startswith(f"{preview(session, saved).count} of {CONTACTS} ")


@pytest.mark.long
def test_every_type_has_its_own_entry(on_sqlite: Session) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("x")  # the prebuilt condition
        await user.add("attributes.vip")
        await user.screen("Picker")
        await user.press("escape")
        await user.screen("EditorScreen")
        assert "no value after '='" in user.text("#problem")
        assert user.lines[2].startswith("    ! no value after '='")
        await user.press("enter")
        await user.pick("true")
        assert user.lines[1] == "  attributes.vip = true"
        await user.add_from_entry("created")
        user.typed.clear()
        await user.write("3")
        await user.press("tab", "tab", "enter")
        await user.pick("in the future")
        assert user.lines[2] == "  created later-than 3 months"
        await user.press("shift+tab", "enter")
        await user.pick("weeks")
        assert user.lines[2] == "  created later-than 3 weeks"
        await user.add_from_entry("attributes.orders")
        assert not any(c.isdigit() for c in user.typed.placeholder)
        await user.write("many")
        assert user.lines[4] == "    ! 'many' is not a number: write it like 12 or 12.5"
        panel = user.editor.query_one(LivePanel)
        assert not panel.is_current and button(user).disabled
        assert panel.has_class("-outdated") and user.figures  # the last ones stay, dimmed
        await user.press("escape", "D")
        await user.screen("EditorScreen")
        await user.press("enter")
        await user.choose_operator("between")
        inputs = list(user.editor.query("#value Input"))
        inputs[0].value, inputs[1].value = "2", "30"
        await user.until(lambda: user.lines[3] == "  attributes.orders between 2 and 30")
        await user.add_from_entry("attributes.tier")
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.choose_operator("not-in")
        await user.press("enter")
        await user.screen("Picker")
        await shows(user, "[ ] Gold")
        await user.pick("Silver", "Gold")
        assert user.lines[4] == "  attributes.tier not-in Gold,Silver"
        await user.press("enter")
        await user.screen("Picker")
        await shows(user, "[x] Gold")
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.choose_operator("missing")
        assert user.lines[4] == "  attributes.tier missing"
        await user.press("escape", "slash")
        await user.screen("Picker")
        await user.write("orders")
        await user.press("enter")
        await user.screen("EditorScreen")
        await user.until(lambda: user.tree.part is user.editor.draft.groups[0].parts[2])
        await user.counted()

    drive(on_sqlite, steps, colours=False)


def test_edits_are_undone_and_unsaved_ones_are_not_lost(on_sqlite: Session) -> None:
    begun = ["all of these", "  last_opportunity older-than 24 months"]

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("u")
        assert [n.message for n in user.app._notifications] == ["Nothing to undo."]
        await user.press("enter")
        await user.write("6")  # one edit, however long it is typed
        await user.write("7")
        await user.press("enter")
        assert user.app.focused is user.tree
        await user.press("J")
        assert user.lines[:3] == ["all of these  (nothing yet)", "any of these", *user.lines[2:3]]
        await user.press("x")
        assert [group.parts for group in user.editor.draft.groups] == [[], [], []]
        await user.press("u", "u")
        assert user.lines[1] == "  last_opportunity older-than 67 months"
        await user.press("u")
        assert user.lines[:2] == begun
        await user.until(lambda: "not saved" not in header(user))
        await user.press("U", "U")
        await user.until(lambda: "not saved" in header(user))
        await user.press("g")
        await user.pick("none of these")
        await user.screen("EditorScreen")
        assert "! an empty group: add a condition, or remove it" in "\n".join(user.lines)
        await user.press("enter")
        await user.pick("all of these")
        await user.screen("EditorScreen")
        await user.press("u", "u", "u")
        assert user.lines[1].startswith("  last_opportunity older-than 67")
        await user.press("escape")
        await user.screen("Picker")
        assert "The edits are not saved" in user.drawn
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.press("q")
        await user.pick("Leave")
        await user.until(lambda: user.app._exit)

    app = drive(on_sqlite, steps)

    expected = "contactctl preview --where 'last_opportunity older-than 67 months'"
    assert app.outcome.unsaved == expected
    assert len(active_ids(on_sqlite.store)) == CONTACTS
    assert states(on_sqlite.store) == []


def test_a_file_is_loaded_and_another_not_overwritten_unasked(
    on_sqlite: Session, tmp_path: Path
) -> None:
    (tmp_path / "vip.yaml").write_text("none: [tag = vip]\n")
    (tmp_path / "bad.yaml").write_text("all:\n  - emial = a\n")
    (tmp_path / "other.yaml").write_text("mine")

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("o")
        await user.screen("FileDialog")
        user.typed.value = "bad.yaml"
        await user.press("enter")
        assert "bad.yaml:2: unknown field 'emial'" in user.text("#problem")
        user.typed.value = "vip.yaml"
        await user.press("enter")
        await user.screen("EditorScreen")
        assert user.lines[-2:] == ["none of these", "  tag = vip"]
        assert header(user).endswith("vip.yaml")
        assert (await user.counted()).startswith(f"{CONTACTS - 1} of")

        await user.save_as("other.yaml")
        assert "exists" in user.text("#problem")
        assert (tmp_path / "other.yaml").read_text() == "mine"
        await user.press("enter")
        await user.screen("EditorScreen")
        assert (tmp_path / "other.yaml").read_text() == "none:\n- tag = vip\n"

    drive(on_sqlite, steps, folder=tmp_path)


def test_views_are_reached_by_number_and_a_contact_is_shown_whole(on_sqlite: Session) -> None:
    long = f"{'a' * 60}@{'b' * 60}.example.com"
    with on_sqlite.store.writing() as connection:
        add_contact(connection, long, first_name=HOSTILE, last_name=WIDE, company="x" * 300)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("1")
        table = user.editor.query_one(DataTable)
        assert user.app.focused is table
        await shows(user, "aaaaaaaaaaaaaaaaaa…")
        assert "\x1b" not in user.drawn and "\u202e" not in user.drawn
        await user.press(*["right"] * 30)
        assert table.scroll_x > 0
        await user.press("enter")
        await user.screen("ContactScreen")
        told = "[bold red]x[/] \\x1b[31m \\u202eevil"
        await user.until(lambda: told in user.text("#contact-text"))
        shown = user.text("#contact-text")
        assert long in shown and WIDE in shown and "(in no group)" in shown
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.press("2")
        assert "email = aaaa" in user.text("#yaml-text")
        await user.press("3")
        assert user.text("#flags-text").startswith("--where")
        await user.press("escape")
        assert user.app.focused is user.tree

    source = CriteriaSource(where=(f"email = {long}",))
    drive(on_sqlite, steps, criteria=source.read(on_sqlite.catalogue))


def test_an_empty_store_without_groups_says_what_there_is(sqlite_url: str) -> None:
    store = open_store(sqlite_url)

    async def steps(user: Driver) -> None:
        await user.start()
        assert user.count == "0 of 0 active"
        assert button(user).disabled
        await user.add("group")
        await user.screen("Picker")
        await shows(user, "there is nothing to choose from")
        await user.press("enter", "escape")
        await user.screen("EditorScreen")
        await user.press("ctrl+q")

    drive(make_session(store), steps)
    store.close()
