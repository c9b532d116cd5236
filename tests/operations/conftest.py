"""Fixtures of the tests of operations."""

import pytest

from contactctl.operations import run_work


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_work, "BATCH_CONTACTS", 7)
