"""A dataclass that is made when it is first needed is the standard library's from then on."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any

import pytest

from contactctl.domain.lazy import dataclass


def declared() -> tuple[Any, Any]:
    @dataclass(frozen=True)
    class Base:
        number: int
        note: str | None = field(default=None, kw_only=True)

    @dataclass(frozen=True)
    class Derived(Base):
        names: dict[str, int] = field(default_factory=dict)

    return Base, Derived


def test_nothing_is_made_before_it_is_needed() -> None:
    base, derived = declared()

    assert "__eq__" not in base.__dict__
    assert "__eq__" not in derived.__dict__


@pytest.mark.parametrize("first", [lambda kind: kind(1), fields, is_dataclass])
def test_whoever_needs_a_class_has_it_and_its_base_made(first: Callable[[Any], object]) -> None:
    base, derived = declared()

    first(derived)

    assert [each.name for each in fields(derived)] == ["number", "note", "names"]
    assert "__eq__" in base.__dict__
    made = derived(1, note="x")
    assert (made, made.names) == (derived(1, {}, note="x"), {})
    assert replace(made, number=2) != made
    with pytest.raises(FrozenInstanceError):
        made.number = 3


def test_a_subclass_that_is_no_dataclass_is_made_through_its_base() -> None:
    _, derived = declared()
    of = type("Of", (derived,), {})

    assert repr(of(1)).endswith("Of(number=1, note=None, names={})")
