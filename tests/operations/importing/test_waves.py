"""Rows of one batch are put in as if one by one, in as few waves as possible."""

from contactctl.domain.contacts import MembershipState
from contactctl.operations.importing.batches import split_into_waves, wave_of
from contactctl.operations.importing.convert import Converted


def row(position: int, name: str, value: str) -> tuple[object, ...]:
    return (position, f"{name}@x.no", f"{name}@x.no", "x.no", value)


def test_different_addresses_go_in_together() -> None:
    rows = [row(0, "a", "1"), row(1, "b", "1")]
    waves = split_into_waves(Converted(rows))
    assert (waves.rows, waves.repeated) == ([rows], 0)


def test_no_rows_make_no_wave() -> None:
    assert split_into_waves(Converted()).rows == []


def test_a_row_that_says_what_the_one_before_said_needs_no_wave() -> None:
    rows = [row(n, "a", "1") for n in range(1000)]
    waves = split_into_waves(Converted(rows))
    assert (waves.rows, waves.repeated) == ([rows[:1]], 999)


def test_a_row_that_says_something_else_waits_for_the_next_wave() -> None:
    rows = [row(0, "a", "1"), row(1, "b", "1"), row(2, "a", "2"), row(3, "a", "1")]
    waves = split_into_waves(Converted(rows))
    assert waves.rows == [rows[:2], rows[2:3], rows[3:]]


def test_new_tags_alone_are_something_else() -> None:
    rows = [row(0, "a", "1"), row(1, "a", "1")]
    converted = Converted(rows, tags={1: ("vip",)})
    assert split_into_waves(converted).rows == [rows[:1], rows[1:]]


def test_a_wave_brings_the_tags_and_groups_of_its_rows_alone() -> None:
    rows = [row(0, "a", "1"), row(1, "b", "1")]
    converted = Converted(
        rows,
        tags={0: ("VIP", "x"), 1: ("y",)},
        groups={MembershipState.FOLLOWS: {0: ("News",), 1: ("n",)}},
    )
    wave = wave_of(rows[:1], converted, {"news": 7, "n": 8})
    assert wave.tags == [(0, "vip", "VIP"), (0, "x", "x")]
    assert wave.members == [(0, 7, "follows")]
