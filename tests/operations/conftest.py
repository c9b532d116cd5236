"""Fixtures of the tests of operations."""

import pytest

from contactctl.operations import runs as runs_module


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "BATCH_CONTACTS", 7)
