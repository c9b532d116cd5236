"""What counts as confirming a plan."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import Limits
from contactctl.domain.runs import Confirmation, Stakes, parse_count, require_confirmed, stakes_of

LIMITS = Limits(max_contacts=100, max_percent=Decimal(25))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("7", 7),
        ("1284", 1284),
        ("1,284", 1284),
        (" 1284\t", 1284),
        ("1,234,567", 1234567),
        ("1234567", 1234567),
    ],
)
def test_a_count_is_read_with_or_without_commas(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "y", "yes", "all", "-1", "+1", "1.284", "1 284", "12,84", "1,2845", ",284",
     "1284,", "01284", "00", "1e3", "0x10", "١٢٨٤", "1²", "1_284", "1284 of 9000", "--", "1\n2",
     "9" * 5000],
)  # fmt: skip
def test_anything_else_is_no_count(text: str) -> None:
    assert parse_count(text) is None


@given(st.integers(min_value=0, max_value=10**12))
def test_both_spellings_of_every_count_are_read_back(count: int) -> None:
    assert parse_count(str(count)) == parse_count(f"{count:,}") == count


@given(st.text(max_size=12))
def test_no_text_is_read_as_a_count_that_it_does_not_spell(text: str) -> None:
    count = parse_count(text)
    assert count is None or text.strip() in (str(count), f"{count:,}")


def test_the_phrase_names_what_happens_to_how_many_of_how_many() -> None:
    assert stakes_of("deactivate", 1284, 9000, LIMITS).phrase == "deactivate 1284 of 9000"


@pytest.mark.parametrize(
    ("count", "active", "exceeded"),
    [(100, 400, 0), (101, 1000, 1), (100, 399, 1), (101, 403, 2), (0, 0, 0), (25, 100, 0),
     (26, 100, 1)],
)  # fmt: skip
def test_a_limit_holds_from_the_first_contact_above_it(
    count: int, active: int, exceeded: int
) -> None:
    assert len(stakes_of("deactivate", count, active, LIMITS).limits_exceeded) == exceeded


def test_the_exact_count_confirms() -> None:
    require_confirmed(Stakes("deactivate", 12, 100), Confirmation(12))


@pytest.mark.parametrize("said", [0, 11, 13, 120])
def test_a_wrong_count_is_refused_even_with_an_override(said: int) -> None:
    for override in (None, 12, said):
        with pytest.raises(RefusedError, match="12 contacts match") as refusal:
            require_confirmed(Stakes("deactivate", 12, 100), Confirmation(said, override))
        assert refusal.value.code == "wrong-count"


@pytest.mark.parametrize("override", [None, 0, 11, 13])
def test_over_a_limit_the_count_alone_is_refused(override: int | None) -> None:
    stakes = Stakes("deactivate", 12, 20, ("12 of 20 is too many",))
    with pytest.raises(RefusedError, match="12 of 20 is too many") as refusal:
        require_confirmed(stakes, Confirmation(12, override))
    assert refusal.value.code == "over-limit"
    assert refusal.value.hint.endswith("--limit-override 12")


def test_over_a_limit_the_same_count_twice_confirms() -> None:
    require_confirmed(Stakes("deactivate", 12, 20, ("too many",)), Confirmation(12, 12))
