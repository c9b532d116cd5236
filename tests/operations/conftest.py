"""Fixtures of the tests of operations."""

import pytest

from contactctl.operations import apply as apply_module


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_module, "BATCH_CONTACTS", 7)
