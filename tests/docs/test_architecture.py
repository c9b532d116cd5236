"""The page about the structure names rooms, files and functions that there are."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "contactctl"
PAGE = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
FLOORS = ("cli", "output", "operations", "store", "responses", "config", "domain")


def rooms_of(floor: str) -> set[str]:
    """Files and folders of a floor, by name."""
    return {
        path.stem for path in (PACKAGE / floor).iterdir() if path.suffix == ".py" or path.is_dir()
    } - {"__init__", "__pycache__"}


def test_the_table_of_rooms_says_on_which_floors_each_one_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", PAGE, re.MULTILINE)
    rooms = {floor: rooms_of(floor) for floor in FLOORS}

    assert len(rows) > 10
    for room, floors in rows:
        assert floors == ", ".join(each for each in FLOORS if room in rooms[each]), room


def test_every_file_that_the_page_names_is_there() -> None:
    named = [name for name in re.findall(r"`([\w/<>]+\.py)`", PAGE) if "<" not in name]
    missing = [
        name for name in named if not ((PACKAGE / name).is_file() or (REPOSITORY / name).is_file())
    ]

    assert len(named) > 40
    assert missing == []


def test_every_function_that_a_walk_names_is_in_the_file_before_it() -> None:
    """A walk says `floor/room.py`: `function`, `function`."""
    walked = re.findall(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)", PAGE)

    assert len(walked) > 20
    for name, functions in walked:
        tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
        defined = {getattr(node, "name", "") for node in ast.walk(tree)}
        for function in re.findall(r"`(\w+)`", functions):
            assert function in defined, f"{function} is not in {name}"
