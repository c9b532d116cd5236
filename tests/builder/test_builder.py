"""The builder from its first screen to its last, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Button, SelectionList

from contactctl.builder.draft import Mode
from contactctl.config.criteria import parse_criteria
from contactctl.domain.policies import Approval, Limits, PlanPolicy
from contactctl.domain.runs import Run, RunState
from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.operations.session import Session
from contactctl.store.database.store import Store, open_store
from helpers.builder import Driver, drive
from helpers.contacts import add_contact, seed_contacts
from helpers.plans import NO_LIMITS, active_ids, deactivated_by, plan_items, states
from helpers.sessions import make_session

CONTACTS = 400
OLD = 186  # the prebuilt criteria select so many of them


@pytest.fixture
def session(store: Store) -> Session:
    seed_contacts(store, CONTACTS)
    return make_session(store, limits=NO_LIMITS)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Session]:
    """For what the database has no part in."""
    store = open_store(sqlite_url)
    seed_contacts(store, CONTACTS)
    yield make_session(store, limits=NO_LIMITS)
    store.close()


def nothing_happened(store: Store) -> bool:
    return len(active_ids(store)) == CONTACTS and plan_items(store) == 0


def test_from_the_reminder_to_the_result(session: Session, store: Store) -> None:
    async def steps(user: Driver) -> None:
        await user.screen("ReminderScreen")
        shown = " ".join(str(static.visual) for static in user.app.screen.query("Static"))
        assert "no more campaigns" in shown and "one at a time" in shown and "billing" in shown
        await user.start()
        assert user.count.startswith(f"{OLD} of {CONTACTS} (46.5 %)")
        assert user.text("#left-out") == "left out: 60 without last_opportunity"

        await user.to_confirmation()
        plan = user.text("#plan-text")
        assert "".join(store.identity.split()) in "".join(plan.split())  # long names wrap
        assert f"{CONTACTS} -> {CONTACTS - OLD}" in plan
        assert "Group newsletter  -" in plan
        await user.write("185")
        await user.press("enter")
        assert "nothing was deactivated" in user.text("#problem")
        assert len(active_ids(store)) == CONTACTS
        user.typed.clear()
        await user.write(str(OLD))
        await user.press("enter")
        await user.screen("OutcomeScreen")
        assert "1, deactivate, done" in user.text("#run")
        await user.press("enter")

    app = drive(session, steps)

    assert app.outcome.run is not None and app.outcome.run.state is RunState.DONE
    assert len(deactivated_by(store, app.outcome.run.id)) == OLD
    assert len(active_ids(store)) == CONTACTS - OLD


def test_conditions_built_by_hand_and_saved_select_the_same_contacts(
    session: Session, store: Store, tmp_path: Path
) -> None:
    counts = []

    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("g")
        await user.screen("ModePicker")
        await user.press("enter")  # any of these
        await user.screen("EditorScreen")
        await user.add("group")
        await user.press("enter", "down", "enter")  # the first group
        await user.add_from_entry("attributes.orders")
        await user.write("12")
        counts.append(await user.counted())
        assert user.lines == [
            "all of these",
            "  last_opportunity older-than 24 months",
            "  any of these",
            "    group = customers",
            "    attributes.orders = 12",
            "any of these  (nothing yet)",
            "none of these  (nothing yet)",
        ]
        await user.save_as("mine.yaml")

    drive(session, steps, folder=tmp_path)

    saved = select_contacts(session, CriteriaSource(file=tmp_path / "mine.yaml"))
    typed = from_flags_and_any(session)
    assert saved.criteria.all == typed
    assert counts[0].startswith(f"{preview(session, saved).count} of {CONTACTS} ")


def from_flags_and_any(session: Session) -> tuple[object, ...]:
    """The same criteria, written by hand."""
    criteria = parse_criteria(
        "all: [last_opportunity older-than 24 months,"
        " {any: [group = customers, attributes.orders = 12]}]",
        "test",
        session.catalogue,
    )
    return criteria.all


def all_chosen(user: Driver, expected: str) -> bool:
    """Whether the row says so by now; chooses again where the list has only just appeared."""
    if user.lines[4] == expected:
        return True
    for choices in user.editor.query(SelectionList):
        choices.deselect_all()
        choices.select_all()
    return False


def test_every_type_has_its_own_entry(on_sqlite: Session) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await user.press("x")  # the prebuilt condition
        assert "have no condition" in user.count
        await user.add("attributes.vip")
        assert "no value after '='" in user.text("#problem")
        assert user.lines[2].startswith("    ! no value after '='")
        await user.press("enter", "down", "enter")
        assert user.lines[1] == "  attributes.vip = true"
        await user.add_from_entry("created")
        user.typed.clear()
        await user.write("3")
        await user.press("tab", "tab", "enter", "down", "enter")  # in the future
        assert user.lines[2] == "  created later-than 3 months"
        await user.add_from_entry("attributes.orders")
        await user.write("many")
        assert user.lines[4] == "    ! 'many' is not a number: write it like 12 or 12.5"
        assert user.count.startswith("no count")
        user.choose_operator("between")
        await user.until(lambda: "between" in user.lines[3])
        inputs = list(user.editor.query("#value Input"))
        inputs[0].value, inputs[1].value = "2", "30"
        await user.until(lambda: user.lines[3] == "  attributes.orders between 2 and 30")
        await user.add_from_entry("attributes.tier")
        user.choose_operator("not-in")
        await user.until(lambda: all_chosen(user, "  attributes.tier not-in Gold,Silver"))
        user.choose_operator("missing")
        await user.until(lambda: user.lines[4] == "  attributes.tier missing")
        await user.counted()

    drive(on_sqlite, steps)


def test_rows_are_moved_and_removed_with_keys_and_mouse(on_sqlite: Session) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        assert await user.pilot.click(user.editor.query("#buttons Button").last())
        await user.pilot.pause()
        assert user.lines[:3] == [
            "all of these  (nothing yet)",
            "any of these",
            "  last_opportunity older-than 24 months",
        ]
        await user.until(lambda: user.tree.part in user.editor.draft.groups[1].parts)
        await user.press("J")
        assert user.editor.draft.groups[2].parts
        await user.until(lambda: user.tree.part in user.editor.draft.groups[2].parts)
        await user.press("x")
        assert [group.parts for group in user.editor.draft.groups] == [[], [], []]
        await user.press("g")
        await user.screen("ModePicker")
        await user.press("enter")
        await user.screen("EditorScreen")
        assert "! an empty group: add a condition, or remove it" in "\n".join(user.lines)
        await user.until(lambda: user.tree.part in user.editor.draft.groups[2].parts)
        await user.press("enter")
        await user.screen("ModePicker")
        await user.press("down", "enter")
        await user.screen("EditorScreen")
        assert user.editor.draft.groups[2].parts[0].mode is Mode.NONE

    drive(on_sqlite, steps)


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
        assert (await user.counted()).startswith(f"{CONTACTS - CONTACTS // 50} of")

        await user.save_as("other.yaml")
        assert "exists" in user.text("#problem")
        assert (tmp_path / "other.yaml").read_text() == "mine"
        await user.press("enter")
        await user.screen("EditorScreen")
        assert (tmp_path / "other.yaml").read_text() == "none:\n- tag = vip\n"

    drive(on_sqlite, steps, folder=tmp_path)


@pytest.mark.parametrize("way", ["escape", "q", "back"])
def test_leaving_deactivates_nobody(on_sqlite: Session, way: str) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        if way == "back":
            user.editor.query_one("#go Button", Button).press()
        else:
            await user.press(way)
        await user.until(lambda: user.app._exit)

    app = drive(on_sqlite, steps)

    assert nothing_happened(on_sqlite.store)
    assert app.outcome.run is None
    assert states(on_sqlite.store) == []


def test_a_terminal_that_closes_takes_the_plan_with_it(session: Session, store: Store) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert plan_items(store) == OLD
        user.app.end("SIGHUP")
        await user.until(lambda: user.app._exit)

    app = drive(session, steps)

    assert app.outcome.closed_by == "SIGHUP"
    assert nothing_happened(store)
    assert states(store) == [RunState.CANCELLED]


def test_back_from_the_confirmation_drops_the_plan(session: Session, store: Store) -> None:
    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert plan_items(store) == OLD
        await user.press("escape")
        await user.screen("EditorScreen")
        await user.until(lambda: plan_items(store) == 0)
        await user.press("escape")

    drive(session, steps)

    assert nothing_happened(store)
    assert states(store) == [RunState.CANCELLED]


def test_over_a_limit_the_whole_phrase_is_typed(store: Store) -> None:
    seed_contacts(store, CONTACTS)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert "Over the limits" in user.text("#plan-text")
        await user.write(str(OLD))
        await user.press("enter")
        assert "nothing was deactivated" in user.text("#problem")
        user.typed.value = f"deactivate {OLD} of {CONTACTS}"
        await user.press("enter")
        await user.screen("OutcomeScreen")

    drive(make_session(store, limits=Limits(max_contacts=100)), steps)

    assert len(active_ids(store)) == CONTACTS - OLD


def test_a_second_operator_gets_the_plan(store: Store) -> None:
    seed_contacts(store, CONTACTS)
    policy = PlanPolicy(approval=Approval.SECOND_OPERATOR)

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        assert "contactctl runs apply 1" in user.text("#question")
        await user.press("enter")  # Keep the plan
        await user.screen("OutcomeScreen")
        assert "contactctl runs apply 1" in user.text("#run")

    app = drive(make_session(store, plans=policy), steps)

    assert app.outcome.run is not None and app.outcome.run.state is RunState.PLANNED
    assert len(active_ids(store)) == CONTACTS
    assert plan_items(store) == OLD


def test_leaving_during_progress_leaves_the_run_to_its_process(
    session: Session, store: Store
) -> None:
    begun: list[Run] = []

    async def steps(user: Driver) -> None:
        await user.start()
        await user.to_confirmation()
        await user.write(str(OLD))
        await user.press("enter")
        await user.screen("ProgressScreen")
        assert user.text("#done") == f"0 of {OLD} contacts"
        await user.press("q")

    app = drive(session, steps, finish=begun.append)

    assert [run.id for run in begun] == [1]
    assert states(store) == [RunState.RUNNING]
    assert app.outcome.run is not None and app.outcome.run.state is RunState.RUNNING


def test_nobody_to_deactivate_makes_no_plan(on_sqlite: Session) -> None:
    nobody = CriteriaSource(where=("email = nobody@example.com",)).read(on_sqlite.catalogue)

    async def steps(user: Driver) -> None:
        await user.start()
        assert user.count.startswith("0 of")
        await user.press("D")
        await user.until(lambda: len(user.app._notifications) == 1)
        await user.screen("EditorScreen")

    drive(on_sqlite, steps, criteria=nobody)

    assert states(on_sqlite.store) == []


def test_text_from_contacts_is_shown_as_text(on_sqlite: Session) -> None:
    hostile = "[bold red]x[/] \x1b[31m \u202eevil"
    with on_sqlite.store.writing() as connection:
        add_contact(connection, "a@example.com", first_name=hostile, last_name="[link=x]y")

    async def steps(user: Driver) -> None:
        await user.start()
        await user.until(lambda: "[bold red]x[/] \\x1b[31m \\u202eevil" in user.text("#rows"))

    everyone = CriteriaSource(where=("email = a@example.com",))
    drive(on_sqlite, steps, criteria=everyone.read(on_sqlite.catalogue), size=(200, 30))
