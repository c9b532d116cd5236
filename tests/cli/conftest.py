"""Fixtures for commands that are called in a folder with a config."""

from pathlib import Path

import pytest

from helpers.program import Program


@pytest.fixture
def program(tmp_path: Path, store_url: str) -> Program:
    return Program(tmp_path, store_url)


@pytest.fixture
def sqlite_program(tmp_path: Path, sqlite_url: str) -> Program:
    """For what does not depend on the database."""
    return Program(tmp_path, sqlite_url)
