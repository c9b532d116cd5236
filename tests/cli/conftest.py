"""Fixtures for commands that are called in a folder with a config."""

from pathlib import Path

import pytest

from helpers.program import Program


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Commands run on SQLite, and on Postgres where what they do there is shown nowhere else."""
    if "store_url" in metafunc.fixturenames:
        on_both = metafunc.definition.get_closest_marker("both_databases") is not None
        databases = ["sqlite", "postgres"] if on_both else ["sqlite"]
        metafunc.parametrize("store_url", databases, indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store's URL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def program(tmp_path: Path, store_url: str) -> Program:
    return Program(tmp_path, store_url)
