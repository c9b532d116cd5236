import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.text import defuse, text_of_formula, undo_defuse

tricky = st.text(alphabet="'=+-@ \t\r\na１＝", max_size=8) | st.text(max_size=8)


@pytest.mark.parametrize(
    "text", ["=1+1", "+47 123", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "＝1", "'=1"]
)
def test_what_starts_a_formula_gets_an_apostrophe(text: str) -> None:
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", "'quoted'", "ann@example.com", "2024-01-31", " x"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert defuse(text) == text


@given(tricky)
def test_defusing_can_be_undone(text: str) -> None:
    assert undo_defuse(defuse(text)) == text


@given(tricky)
def test_a_text_kept_in_a_formula_is_the_text(text: str) -> None:
    quoted = text.replace('"', '""')
    assert text_of_formula(f'="{quoted}"') == text
    assert text_of_formula(defuse(text)) == defuse(text)
