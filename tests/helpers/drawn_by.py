"""Snapshots of what a library draws hold for the version of it that drew them."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

_DRAWN_BY = Path(__file__).with_name("drawn_by.json")


def skip_unless_drawn_by_same(*libraries: str) -> None:
    """Skip the test where another version of one of these libraries is installed."""
    drawn_by = json.loads(_DRAWN_BY.read_text())
    for library in libraries:
        if version(library) != drawn_by[library]:
            pytest.skip(f"drawn by {library} {drawn_by[library]}, here is {version(library)}")


def remember_versions() -> None:
    """Note the installed versions, after drawing the snapshots anew."""
    names = json.loads(_DRAWN_BY.read_text())
    _DRAWN_BY.write_text(json.dumps({name: version(name) for name in names}, indent=2) + "\n")
