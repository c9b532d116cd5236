"""A picture of every screen, at two sizes, dark and light: the ones that the docs show."""

import importlib.util
from pathlib import Path

import pytest

from helpers.drawn_by import skip_unless_drawn_by_same

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.parametrize("name", ["", pytest.param("-80x24", marks=pytest.mark.torture)])
def test_every_screen_looks_as_its_picture(tmp_path: Path, name: str) -> None:
    skip_unless_drawn_by_same("rich", "textual")
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "docs/make_pictures.py")
    assert spec is not None and spec.loader is not None
    make_pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_pictures)

    taken = make_pictures.pictures_of(name, tmp_path)

    kept = {
        file.stem: file.read_text()
        for file in make_pictures.PICTURES.glob("*.svg")
        if file.stem.endswith("-80x24") == bool(name)
    }
    assert taken.keys() == kept.keys()
    changed = [name for name, svg in taken.items() if svg != kept[name]]
    assert changed == [], "python docs/make_pictures.py takes them anew; look at them"
